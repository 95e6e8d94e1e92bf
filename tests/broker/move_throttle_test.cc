#include "broker/move_throttle.h"

#include <catch2/catch.hpp>
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

TEST_CASE("move throttle: whoever waits goes on when the rate changes, and gives up when the broker stops") {
  ManualClock clock;
  MoveThrottle throttle(clock);
  const std::int64_t rate = GENERATE(0, 1);
  const bool stops = GENERATE(true, false);
  throttle.set_rate(rate);
  throttle.note(1 << 20);
  bool may_go_on = stops;
  std::thread waiting([&] { may_go_on = throttle.wait(); });
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
