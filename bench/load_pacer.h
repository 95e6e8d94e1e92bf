// When the requests of an open loop are due: at a fixed rate, whatever became of the ones before. Latency
// counts from there, so that a server that stalls does not slow down its own measurement.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sillok::bench {

class Pacer {
 public:
  // Rate 0: a closed loop, where a request is due at once.
  Pacer(double rate, std::int64_t start_ns) : interval_ns_(rate > 0 ? 1e9 / rate : 0), start_ns_(start_ns) {}

  bool is_open_loop() const { return interval_ns_ > 0; }
  bool is_due(std::int64_t now_ns) const { return !is_open_loop() || due_ns(taken_) <= now_ns; }
  // The next request's due time, which is spent. Requires: is_due(now_ns).
  std::int64_t take(std::int64_t now_ns) { return is_open_loop() ? due_ns(taken_++) : now_ns; }
  std::int64_t wait_ns(std::int64_t now_ns, std::int64_t wait_max_ns) const {
    return std::clamp<std::int64_t>(due_ns(taken_) - now_ns, 0, wait_max_ns);
  }
  // How many requests were due before `now_ns` and not taken.
  std::int64_t missed(std::int64_t now_ns) const {
    if (!is_open_loop() || due_ns(taken_) >= now_ns) return 0;
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(now_ns - due_ns(taken_)) / interval_ns_));
  }

 private:
  std::int64_t due_ns(std::int64_t number) const {
    return start_ns_ + static_cast<std::int64_t>(static_cast<double>(number) * interval_ns_);
  }

  double interval_ns_;
  std::int64_t start_ns_;
  std::int64_t taken_ = 0;
};

}  // namespace sillok::bench
