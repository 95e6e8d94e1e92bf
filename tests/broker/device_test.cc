#include "broker/device.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using std::chrono::milliseconds;

TEST_CASE_METHOD(OneDevice, "device: a slow append ends the calm until all were quick for a while") {
  CHECK(device.is_calm());
  device.note_append(clock.steady(), clock.steady() + broker::kSlowAppend);
  CHECK(device.is_calm());
  device.note_append(clock.steady(), clock.steady() + broker::kSlowAppend + milliseconds(1));
  CHECK_FALSE(device.is_calm());
  clock.advance(milliseconds(50));
  device.note_append(clock.steady(), clock.steady() + broker::kSlowAppend + milliseconds(2));
  clock.advance(broker::kSlowAppend + milliseconds(2) + broker::kCalmAfter - milliseconds(1));
  CHECK_FALSE(device.is_calm());
  clock.advance(milliseconds(1));
  CHECK(device.is_calm());
}

TEST_CASE_METHOD(
    OneDevice,
    "device: who appends while his bytes are being flushed is flushed again when there are too many") {
  struct Target final : storage::FlushTarget {
    void flush() override { ++flushes; }
    std::atomic<int> flushes{0};
  };
  const auto busy = std::make_shared<Target>();
  const auto late = std::make_shared<Target>();
  const auto other = std::make_shared<Target>();
  device.add_unflushed(50, busy);
  device.add_unflushed(40, busy);
  device.remove_unflushed(50, busy.get());
  // Its flush is over before it has told of what it appended.
  device.remove_unflushed(30, late.get());
  device.add_unflushed(30, late);
  device.add_unflushed(70, other);
  while (busy->flushes == 0 || other->flushes == 0) std::this_thread::yield();
  flusher.stop();
  CHECK(late->flushes == 0);
}

TEST_CASE_METHOD(OneDevice, "device: who waits for room is called once there is some") {
  int resumed = 0;
  device.when_not_full([&] { ++resumed; });
  CHECK(resumed == 1);
  struct Target final : storage::FlushTarget {
    void flush() override { ++flushes; }
    std::atomic<int> flushes{0};
  };
  const auto target = std::make_shared<Target>();
  device.add_unflushed(150, target);
  CHECK(device.is_full());
  device.when_not_full([&] { ++resumed; });
  CHECK(resumed == 1);
  device.remove_unflushed(20, target.get());
  CHECK(resumed == 1);
  device.remove_unflushed(100, target.get());
  CHECK(resumed == 2);
  // Being full had it flushed, though nobody asked.
  while (target->flushes == 0) std::this_thread::yield();
}

TEST_CASE_METHOD(OneDevice, "device: flushes are waited for until nobody asked for one for a while") {
  CHECK_FALSE(device.has_awaited_flushes());
  device.request_durability({});
  clock.advance(broker::kFlushesAwaitedFor - milliseconds(1));
  CHECK(device.has_awaited_flushes());
  device.request_durability({});
  clock.advance(broker::kFlushesAwaitedFor - milliseconds(1));
  CHECK(device.has_awaited_flushes());
  clock.advance(milliseconds(1));
  CHECK_FALSE(device.has_awaited_flushes());
}
