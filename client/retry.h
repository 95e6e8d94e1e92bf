// When to try again, and which answers of a broker are worth it.
#pragma once

#include <chrono>
#include <functional>

#include "protocol/base/result.h"
#include "protocol/error_code.h"

namespace sillok::client {

using Milliseconds = std::chrono::milliseconds;

// A number from [0, 1).
using Randomness = std::function<double()>;
// Seeded from the system.
Randomness system_randomness();

struct BackoffOptions {
  Milliseconds first{100};
  Milliseconds most{1000};
  double jitter = 0.2;  // each pause is this share longer or shorter, at random
};

// Pauses that double from `first` to `most`.
// Threading: not thread-safe.
class Backoff {
 public:
  Backoff(BackoffOptions options, Randomness randomness)
      : options_(options), randomness_(std::move(randomness)), next_(options.first) {}

  Milliseconds next();
  // After a success.
  void reset() { next_ = options_.first; }

 private:
  BackoffOptions options_;
  Randomness randomness_;
  Milliseconds next_;
};

// Whether the same request may be right a little later, with fresh metadata.
bool is_retriable(protocol::ErrorCode code);
// Whether a request that failed so may be sent again on another connection. What a timed out or lost request
// did, nobody knows: only what may be done twice should be repeated.
bool is_retriable(const Error& error);

}  // namespace sillok::client
