// Time, injected everywhere, so that tests turn it by hand.
#pragma once

#include <chrono>

#include "protocol/base/ids.h"

namespace sillok::storage {

using SteadyTime = std::chrono::steady_clock::time_point;

// Threading: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimestampMs wall_ms() const = 0;  // may jump
  virtual SteadyTime steady() const = 0;    // never goes back
};

Clock& system_clock();

}  // namespace sillok::storage
