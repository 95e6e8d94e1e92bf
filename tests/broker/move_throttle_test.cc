#include "broker/move_throttle.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

#include "tests/support/manual_clock.h"

namespace sillok::tests {
namespace {

using namespace std::chrono_literals;
using broker::kNoMoveLimit;
using broker::MoveThrottle;

TEST_CASE("move throttle: what was copied is paid for at the rate, before the next step") {
  ManualClock clock;
  MoveThrottle throttle(clock);
  throttle.set_rate(1000);
  CHECK(throttle.delay() == 0ns);
  throttle.note(1500);
  CHECK(throttle.delay() == 1500ms);
  clock.advance(1s);
  CHECK(throttle.delay() == 500ms);
  throttle.note(100);
  CHECK(throttle.delay() == 600ms);
  // Time that was not used is not saved up.
  clock.advance(10s);
  CHECK(throttle.delay() == 0ns);
  CHECK(throttle.wait());
  throttle.note(1000);
  CHECK(throttle.delay() == 1s);
}

TEST_CASE("move throttle: another rate holds from now on, and no rate means no wait") {
  ManualClock clock;
  MoveThrottle throttle(clock);
  throttle.note(std::numeric_limits<std::int64_t>::max());
  CHECK(throttle.delay() == 0ns);
  throttle.set_rate(1);
  throttle.note(std::numeric_limits<std::int64_t>::max());
  CHECK(throttle.delay() > 24h);
  throttle.set_rate(2);
  CHECK(throttle.delay() == 0ns);
  throttle.note(2);
  // The same again, as when another setting is altered, forgives nothing.
  throttle.set_rate(2);
  CHECK(throttle.delay() == 1s);
  throttle.set_rate(0);
  CHECK(throttle.delay() == std::nullopt);
  throttle.set_rate(kNoMoveLimit);
  CHECK(throttle.wait());
}

// Says when it was read, which the throttle does with its lock held, just before it waits.
class WatchedClock final : public storage::Clock {
 public:
  TimestampMs wall_ms() const override { return 0; }
  storage::SteadyTime steady() const override {
    read_.store(true);
    read_.notify_all();
    return {};
  }
  void forget() { read_ = false; }
  void wait_until_read() const { read_.wait(false); }

 private:
  mutable std::atomic<bool> read_{false};
};

TEST_CASE("move throttle: whoever waits goes on when the rate changes, and gives up when the broker stops") {
  WatchedClock clock;
  MoveThrottle throttle(clock);
  const bool stops = GENERATE(true, false);
  throttle.set_rate(1);
  throttle.note(1 << 20);
  clock.forget();
  bool may_go_on = stops;
  std::thread waiting([&] { may_go_on = throttle.wait(); });
  clock.wait_until_read();
  if (stops) {
    throttle.stop();
  } else {
    throttle.set_rate(kNoMoveLimit);
  }
  waiting.join();
  CHECK(may_go_on != stops);
}

}  // namespace
}  // namespace sillok::tests
