// The process ends in the middle of a move, wherever that is: the partition is in one directory, whole.
#include <catch2/catch.hpp>
#include <cstdint>

#include "tests/support/moves_fixture.h"

namespace sillok::tests {
namespace {

using broker::Acks;
using protocol::ErrorCode;

constexpr std::int64_t kCallsMax = 1000;

// Whether the process ended before the move did.
bool move_and_stop_at(std::int64_t nth, CrashMode mode) {
  MovesFixture fixture;
  fixture.create();
  for (int i = 0; i < 3; ++i) {
    const auto sink = fixture.append(batch().producer(7, 0, 2 * i).records(2), Acks::all);
    sink->wait_for(1);
    REQUIRE(sink->told().at(0).result.error == ErrorCode::none);
  }
  const auto before = fixture.records();
  const LeaderEpoch epoch = fixture.partition()->leader_epoch();
  fixture.files.stop_at(nth, 0);
  (void)fixture.move_to("/b");
  fixture.finish();
  const bool has_failed = fixture.files.failure_count() > 0;
  fixture.crash(static_cast<std::uint64_t>(nth), mode);
  fixture.start();
  fixture.open();
  CHECK(fixture.records() == before);
  CHECK(fixture.partition()->leader_epoch() >= epoch);
  CHECK(fixture.path() == (has_failed ? fixture.path() : "/b"));
  const auto again = fixture.append(batch().producer(7, 0, 4).records(2));
  CHECK(again->told().at(0).result.base_offset == Offset(4));
  // And moves on.
  REQUIRE(fixture.move_to("/c") == ErrorCode::none);
  fixture.finish();
  CHECK(fixture.path() == "/c");
  CHECK(fixture.records() == before);
  return has_failed;
}

TEST_CASE("moves: wherever the process is killed or the power cut, all records are there once") {
  const auto mode =
      GENERATE(CrashMode::lose_all, CrashMode::keep_all, CrashMode::random, CrashMode::random_names);
  std::int64_t nth = 1;
  for (; nth < kCallsMax; ++nth) {
    INFO("call " << nth);
    if (!move_and_stop_at(nth, mode)) break;
  }
  CHECK(nth > 30);
  CHECK(nth < kCallsMax);
}

}  // namespace
}  // namespace sillok::tests
