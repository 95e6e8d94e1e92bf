#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using protocol::Codec;
using Stop = LogFixture::Stop;

std::int64_t offset_at(LogFixture& f, TimestampMs time, std::int64_t upper_bound = 1 << 30) {
  const auto found = f.log->find_timestamp(time, Offset(upper_bound));
  INFO((found.ok() ? "" : found.error().describe()));
  REQUIRE(found.ok());
  return *found ? (*found)->offset.value : -1;
}

TEST_CASE("timestamps: the first record that is not earlier, inside compressed batches too") {
  const Codec codec = GENERATE(Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd);
  LogFixture f;
  f.create();
  f.append(batch().codec(codec).record("a", "b", 100).record("a", "b", 200).record("a", "b", 300), 2);
  f.append(batch().codec(codec).record("a", "b", 400).record("a", "b", 350).record("a", "b", 500), 3);
  CHECK(offset_at(f, 0) == 0);
  CHECK(offset_at(f, 100) == 0);
  CHECK(offset_at(f, 101) == 1);
  CHECK(offset_at(f, 300) == 2);
  CHECK(offset_at(f, 301) == 3);
  CHECK(offset_at(f, 401) == 5);
  CHECK(offset_at(f, 501) == -1);
  const auto found = f.log->find_timestamp(301, Offset(6));
  REQUIRE(found.ok());
  CHECK((*found)->timestamp == 400);
  CHECK((*found)->leader_epoch == LeaderEpoch(3));
}

TEST_CASE("timestamps: nothing is found at or past the upper bound, or below the log start") {
  LogFixture f;
  f.create();
  f.append(batch().record("a", "b", 100).record("a", "b", 200).record("a", "b", 300));
  CHECK(offset_at(f, 200, 1) == -1);
  CHECK(offset_at(f, 200, 2) == 1);
  REQUIRE(f.log->set_log_start(Offset(2)).ok());
  CHECK(offset_at(f, 50) == 2);
}

TEST_CASE(
    "timestamps: with records out of order, the first by offset that is late enough, over all segments") {
  LogFixture f;
  f.create();
  std::vector<TimestampMs> times;
  for (int i = 0; i < 300; ++i) {
    times.push_back(1000 + (i * 37) % 211);
    f.append(batch().record("k", "v", times.back()));
  }
  const Stop stop = GENERATE(Stop::clean, Stop::killed);
  f.reopen(stop);
  REQUIRE(f.log->segment_count() > 3);
  for (TimestampMs time = 990; time < 1220; ++time) {
    std::int64_t expected = 0;
    while (expected < 300 && times[static_cast<std::size_t>(expected)] < time) ++expected;
    CHECK(offset_at(f, time) == (expected == 300 ? -1 : expected));
  }
}

TEST_CASE("timestamps: log append time is that of every record of its batch") {
  LogFixture f;
  f.create();
  f.append(batch().log_append_time().record("a", "b", 500).record("a", "b", 900));
  CHECK(offset_at(f, 501) == 0);
}

TEST_CASE("timestamps: the greatest is found, the earliest record that has it") {
  LogFixture f;
  f.create();
  CHECK(!*f.log->find_max_timestamp(Offset(0)));
  f.append(batch().record("a", "b", 100).record("a", "b", 700));
  f.append(batch().record("a", "b", 900).record("a", "b", 900));
  REQUIRE(f.log->roll().ok());
  f.append(batch().record("a", "b", 900));
  f.append(batch().record("a", "b", 800));
  const auto found = [&](std::int64_t bound) {
    return (*f.log->find_max_timestamp(Offset(bound)))->offset.value;
  };
  CHECK(found(6) == 2);
  CHECK(found(3) == 2);
  CHECK(found(2) == 1);
  CHECK(found(1) == 0);
  f.reopen(Stop::clean);
  CHECK(found(6) == 2);
  REQUIRE(f.log->set_log_start(Offset(5)).ok());
  CHECK(found(6) == 5);
}

TEST_CASE("timestamps: what is expired ends at the first record that is not, over all segments") {
  LogFixture f;
  f.create();
  std::vector<TimestampMs> times;
  for (int i = 0; i < 300; ++i) {
    // Some without one, and some out of order.
    times.push_back(i % 7 == 3 ? kNoTimestamp : 1000 + i + (i % 5 == 0 ? 40 : 0));
    f.append(batch().record("k", std::string(100, 'v'), times.back()));
  }
  REQUIRE(f.log->segment_count() > 3);
  const auto expected_end = [&](TimestampMs deadline, std::size_t upper_bound) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < upper_bound && times[i] < deadline; ++i) {
      if (times[i] >= 0) end = i + 1;
    }
    return static_cast<std::int64_t>(end);
  };
  for (TimestampMs deadline = 990; deadline < 1300; ++deadline) {
    for (const std::int64_t upper_bound : {100, 290}) {
      const auto end = f.log->find_expired_end(deadline, f.clock.wall_ms(), Offset(upper_bound));
      REQUIRE(end.ok());
      const std::int64_t expected = expected_end(deadline, static_cast<std::size_t>(upper_bound));
      // Where a segment ends with such that have none, they go with it.
      CHECK(end->value >= expected);
      CHECK(end->value <= upper_bound);
      for (std::int64_t i = expected; i < end->value; ++i) CHECK(times[static_cast<std::size_t>(i)] < 0);
    }
  }
}

TEST_CASE("timestamps: what is expired may end inside of a batch") {
  const Codec codec = GENERATE(Codec::none, Codec::zstd);
  LogFixture f;
  f.create();
  f.append(batch().codec(codec).record("a", "b", 100).record("a", "b", 200).record("a", "b", 300));
  CHECK(f.log->find_expired_end(200, 1000, Offset(3)).value() == Offset(1));
  CHECK(f.log->find_expired_end(201, 1000, Offset(3)).value() == Offset(2));
  CHECK(f.log->find_expired_end(100, 1000, Offset(3)).value() == Offset(0));
  CHECK(f.log->find_expired_end(301, 1000, Offset(3)).value() == Offset(3));
}

}  // namespace
}  // namespace sillok::tests
