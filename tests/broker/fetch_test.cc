// Fetch without a session.
#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

#include "tests/support/fetch_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::FetchResponse;

constexpr std::int32_t kMuch = 100'000;

FetchOf without_session() { return {0, -1}; }

TEST_CASE(
    "fetch: a waiting request is woken once for all of its partitions that moved, and again by the next") {
  FetchFixture fixture;
  fixture.create("one", 1, 3);
  const auto waiting = fixture.send(without_session().of(topic_id(1), {{0}, {1}, {2}}).waits(1000, kMuch));
  for (int round = 0; round < 2; ++round) {
    for (const int i : {0, 1, 2}) fixture.append("one", i);
    CHECK(fixture.reactor.run_all() == 1);
    CHECK_FALSE(fixture.has_answer(waiting));
  }
  fixture.clock.advance(std::chrono::milliseconds(1000));
  fixture.reactor.fire(fixture.clock.steady());
  REQUIRE(fixture.has_answer(waiting));
}

TEST_CASE("fetch: a partition that is named more than once is read once, in its first place, as named last") {
  FetchFixture fixture;
  fixture.create("one", 1, 3);
  fixture.create("two", 2, 1);
  for (const int i : {0, 1}) fixture.append("one", i);
  fixture.append("two", 0);
  const FetchResponse by_id = fixture.fetch(without_session()
                                                .of(topic_id(1), {{2}, {0}, {1, 1}, {0, 1}})
                                                .of(topic_id(2), {{0}})
                                                .of(topic_id(1), {{1}, {2}}));
  CHECK(shown(by_id) == "1:2 1:0 1:1* 2:0*");
  const FetchResponse by_name = fixture.fetch(
      without_session().of("two", {{0}}).of("one", {{0}}).of("two", {{0, 1}, {0, 1}}).of("one", {{1}, {0}}),
      FetchFixture::kByName);
  CHECK(shown(by_name) == "two:0 one:0* one:1*");
}

TEST_CASE("fetch: what does not exist and is named more than once is answered once") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  const FetchResponse response = fixture.fetch(without_session()
                                                   .of(topic_id(9), {{0}, {0}})
                                                   .of(topic_id(1), {{7}, {0}, {7}})
                                                   .of(topic_id(9), {{0}, {1}}));
  CHECK(shown(response) == "1:0 9:0!UNKNOWN_TOPIC_ID 9:1!UNKNOWN_TOPIC_ID 1:7!UNKNOWN_TOPIC_OR_PARTITION");
}

TEST_CASE("fetch: versions before 6 hear of an offline partition as of one that is led elsewhere") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  fixture.partition("one", 0).stop(ErrorCode::kafka_storage_error);
  for (protocol::Version version = 4; version <= FetchFixture::kByName; ++version) {
    INFO("version " << version);
    CHECK(shown(fixture.fetch(without_session().of("one", {{0}}), version)) ==
          (version < 6 ? "one:0!NOT_LEADER_OR_FOLLOWER" : "one:0!KAFKA_STORAGE_ERROR"));
  }
}

TEST_CASE("fetch: an offset below the log start is out of range though its epoch diverges") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  fixture.append("one", 0, 5);
  storage::Log& log = fixture.partition("one", 0).log();
  REQUIRE(log.assign_leader_epoch(LeaderEpoch(2)).ok());
  REQUIRE(fixture.partition("one", 0).set_log_start(Offset(3)).ok());
  const auto fetched = [&](std::int64_t offset) {
    FetchOf request = without_session().of(topic_id(1), {{0, offset}});
    request.request().topics[0].partitions[0].last_fetched_epoch = LeaderEpoch(1);
    return fixture.fetch(request);
  };
  CHECK(shown(fetched(2)) == "1:0!OFFSET_OUT_OF_RANGE");
  const FetchResponse diverging = fetched(3);
  CHECK(shown(diverging) == "1:0");
  CHECK(diverging.responses[0].partitions[0].diverging_epoch.epoch == LeaderEpoch(0));
}

}  // namespace
}  // namespace sillok::tests
