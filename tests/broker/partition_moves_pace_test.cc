// How many partitions are copied at a time, and how fast.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/partition_moves.h"
#include "tests/support/moves_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;

TEST_CASE("moves: a few are copied at a time, in turn, and the others wait") {
  MovesFixture fixture;
  constexpr std::int32_t kCount = 7;
  std::vector<broker::PartitionHost::Opening> openings;
  for (std::int32_t i = 0; i < kCount; ++i) openings.push_back({kTopic, PartitionIndex(i), kOrdersId, {}});
  REQUIRE(fixture.partitions->create(openings).ok());
  const auto path_of = [&](std::int32_t i) {
    return fixture.partitions->path(
        fixture.partitions->place_of(*fixture.partitions->find(kTopic, PartitionIndex(i)).partition));
  };
  for (std::int32_t i = 0; i < kCount; ++i) {
    const auto partition = fixture.partitions->find(kTopic, PartitionIndex(i)).partition;
    for (int n = 0; n < 2; ++n) MovesFixture::append_to(*partition, batch().sized(broker::kMoveStepBytes));
    const std::string to = path_of(i) == "/c" ? "/a" : "/c";
    REQUIRE(fixture.partitions->move(kTopic, PartitionIndex(i), to) == ErrorCode::none);
  }
  CHECK_FALSE(fixture.background.run_one());  // nothing is copied before the broker serves
  fixture.moves->run();
  for (std::size_t n = 0; n < broker::kMovesAtATime; ++n) REQUIRE(fixture.background.run_one());
  const auto views = fixture.moves->views();
  REQUIRE(views.size() == kCount);
  std::size_t begun = 0;
  for (const auto& view : views) {
    CHECK(view.offset_lag == (view.size > 0 ? 1 : 2));
    begun += view.size > 0 ? 1 : 0;
  }
  CHECK(begun == broker::kMovesAtATime);
  fixture.finish();
  CHECK(fixture.moves->views().empty());
  for (std::int32_t i = 0; i < kCount; ++i) {
    const auto partition = fixture.partitions->find(kTopic, PartitionIndex(i)).partition;
    CHECK(partition->log().log_end().offset == Offset(2));
    CHECK_FALSE((i % 3 == 2 ? path_of(i) == "/c" : path_of(i) != "/c"));
  }
}

TEST_CASE("moves: a limit holds for all that is copied, whoever copies it") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(3);
  fixture.moves->set_rate(broker::kMoveStepBytes);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  for (int step = 0; step < 3; ++step) {
    REQUIRE(fixture.background.run_one());
    CHECK(fixture.moves->delay() == std::chrono::seconds(1));
    fixture.clock.advance(std::chrono::seconds(1));
  }
  fixture.append_large();
  REQUIRE(fixture.control.run_one());  // the swap, which has the last one to copy
  CHECK(fixture.moves->delay() == std::chrono::seconds(1));
  fixture.clock.advance(std::chrono::seconds(1));
  fixture.finish();
  CHECK(fixture.path() == "/b");
}

// Its files would keep their blocks.
TEST_CASE("moves: one that is given up is not held by the step that waits") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large();
  const auto source = fixture.partition();
  const auto users = source.use_count();
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  CHECK(source.use_count() > users);
  REQUIRE(fixture.move_to("/a") == ErrorCode::none);
  CHECK(source.use_count() == users);
  fixture.finish();
  CHECK(fixture.path() == "/a");
}

}  // namespace
}  // namespace sillok::tests
