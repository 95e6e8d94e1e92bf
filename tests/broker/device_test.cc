#include "broker/device.h"

#include <catch2/catch.hpp>

#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using std::chrono::milliseconds;

TEST_CASE("device: a slow append ends the calm until all were quick for a while") {
  ManualClock clock;
  storage::Flusher flusher(1, clock);
  HeldExecutor writer;
  broker::Device device(clock, flusher, writer, 100);
  CHECK(device.is_calm());
  device.note_append(clock.steady(), clock.steady() + milliseconds(5));
  CHECK(device.is_calm());
  device.note_append(clock.steady(), clock.steady() + milliseconds(6));
  CHECK_FALSE(device.is_calm());
  clock.advance(milliseconds(50));
  device.note_append(clock.steady(), clock.steady() + milliseconds(7));
  clock.advance(milliseconds(106));
  CHECK_FALSE(device.is_calm());
  clock.advance(milliseconds(1));
  CHECK(device.is_calm());
}

TEST_CASE("device: who waits for room is called once there is some") {
  ManualClock clock;
  storage::Flusher flusher(1, clock);
  HeldExecutor writer;
  broker::Device device(clock, flusher, writer, 100);
  int resumed = 0;
  device.when_not_full([&] { ++resumed; });
  CHECK(resumed == 1);
  device.add_unflushed(150);
  CHECK(device.is_full());
  device.when_not_full([&] { ++resumed; });
  CHECK(resumed == 1);
  device.remove_unflushed(20);
  CHECK(resumed == 1);
  device.remove_unflushed(100);
  CHECK(resumed == 2);
}
