// A clock that stands still until a test turns it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

#include "storage/clock.h"

namespace sillok::tests {

// Threading: any thread, but on_change() is called before the others.
class ManualClock final : public storage::Clock {
 public:
  // 2026-01-01 00:00 UTC, so that times look like times in what tests print.
  explicit ManualClock(TimestampMs wall_ms = 1'767'225'600'000) : wall_ms_(wall_ms) {}

  TimestampMs wall_ms() const override { return wall_ms_.load(); }
  storage::SteadyTime steady() const override {
    return storage::SteadyTime(std::chrono::milliseconds(steady_ms_.load()));
  }

  // Both clocks go forward.
  void advance(std::chrono::milliseconds by) {
    wall_ms_ += by.count();
    steady_ms_ += by.count();
    if (on_change_) on_change_();
  }
  // The wall clock jumps, as ntpd lets it.
  void jump_wall_to(TimestampMs wall_ms) { wall_ms_ = wall_ms; }

  // Whom to tell that time went on: what sleeps by a clock cannot sleep by this one.
  void on_change(std::function<void()> callback) { on_change_ = std::move(callback); }

 private:
  std::atomic<TimestampMs> wall_ms_;
  std::atomic<std::int64_t> steady_ms_{1'000'000};
  std::function<void()> on_change_;
};

}  // namespace sillok::tests
