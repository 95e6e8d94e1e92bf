// Fetch with a session: what a request says, what an answer has.
#include "broker/fetch_session.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fetch_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::FetchResponse;
using Client = SessionClient;

const TopicId kOne = topic_id(1);
const TopicId kTwo = topic_id(2);

TEST_CASE("fetch session: a fetch of epoch -1 without an id has none") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  const FetchResponse response = fixture.fetch(FetchOf(0, -1).of(kOne, {{0}}));
  CHECK(response.session_id == 0);
  CHECK(shown(response) == "1:0");
  CHECK(fixture.fetch_sessions.size() == 0);
}

TEST_CASE("fetch session: an answer with nothing new has no partitions") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  CHECK(client.fetched(client.next()).empty());
}

TEST_CASE("fetch session: an answer has the partitions with records, until the client has moved on") {
  Client client;
  client.append("one", 1);
  CHECK(client.fetched(client.next()) == "1:1*");
  CHECK(client.fetched(client.next()) == "1:1*");
  CHECK(client.fetched(client.next().of(kOne, {{1, 1}})).empty());
  client.append("one", 1);
  CHECK(client.fetched(client.next()) == "1:1*");
}

TEST_CASE("fetch session: a changed log start is told once") {
  Client client;
  client.append("one", 0, 10);
  CHECK(client.fetched(client.next().of(kOne, {{0, 10}})) == "1:0");  // its high watermark
  CHECK(client.fetched(client.next()).empty());
  REQUIRE(client.partition("one", 0).set_log_start(Offset(4)).ok());
  const FetchResponse response = client.fetch(client.next());
  CHECK(shown(response) == "1:0");
  CHECK(response.responses[0].partitions[0].log_start_offset == Offset(4));
  CHECK(client.fetched(client.next()).empty());
}

TEST_CASE("fetch session: a changed high watermark is told once, though no record can be given") {
  Client client;
  client.append("one", 2, 5);
  const FetchResponse response = client.fetch(client.next().of(kOne, {{2, 5}}));
  CHECK(shown(response) == "1:2");
  CHECK(response.responses[0].partitions[0].high_watermark == Offset(5));
  CHECK(client.fetched(client.next()).empty());
}

TEST_CASE("fetch session: an error is in every answer, and its end is told") {
  Client client;
  const std::string refused = "1:1!OFFSET_OUT_OF_RANGE";
  CHECK(client.fetched(client.next().of(kOne, {{1, 7}})) == refused);
  CHECK(client.fetched(client.next()) == refused);
  CHECK(client.fetched(client.next().of(kOne, {{1, 0}})) == "1:1");
  CHECK(client.fetched(client.next()).empty());
}

TEST_CASE("fetch session: a diverging epoch is in every answer") {
  Client client;
  client.append("one", 0, 2);
  const auto diverges = [&] {
    FetchOf request = client.next();
    request.of(kOne, {{0, 9}});
    request.request().topics[0].partitions[0].last_fetched_epoch = LeaderEpoch(0);
    return request;
  };
  FetchResponse response = client.fetch(diverges());
  CHECK(shown(response) == "1:0");
  CHECK(response.responses[0].partitions[0].diverging_epoch.end_offset == Offset(2));
  response = client.fetch(client.next());
  CHECK(shown(response) == "1:0");
  CHECK(response.responses[0].partitions[0].diverging_epoch.end_offset == Offset(2));
}

TEST_CASE("fetch session: partitions that are added are told, those that are forgotten are not") {
  Client client;
  client.create("two", 2, 2);
  CHECK(client.fetched(client.next().of(kTwo, {{0}, {1}})) == "2:0 2:1");
  client.append("one", 0);
  client.append("two", 0);
  client.append("two", 1);
  CHECK(client.fetched(client.next().forget(kOne, {0, 1}).forget(kTwo, {1, 17})) == "2:0*");
  CHECK(client.fetch_sessions.partition_count() == 2);
  client.append("one", 1);
  CHECK(client.fetched(client.next().of(kTwo, {{0, 1}})).empty());
  // What comes again is new.
  CHECK(client.fetched(client.next().of(kOne, {{0, 1}})) == "1:0");
}

TEST_CASE("fetch session: what a request both names and forgets is forgotten") {
  Client client;
  client.append("one", 0);
  CHECK(client.fetched(client.next().of(kOne, {{0}}).forget(kOne, {0})).empty());
  CHECK(client.fetch_sessions.partition_count() == 2);
}

TEST_CASE("fetch session: one without partitions ends, and its fetch is answered without a session") {
  Client client;
  const FetchResponse response = client.fetch(client.next().forget(kOne, {0, 1, 2}));
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.session_id == 0);
  CHECK(client.fetch_sessions.size() == 0);
  CHECK(client.fetch(client.next()).error_code == ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("fetch session: epoch -1 with its id ends it, and the partitions of the request are answered") {
  Client client;
  client.append("one", 0);
  const FetchResponse response = client.fetch(FetchOf(client.session, -1).of(kOne, {{0}}));
  CHECK(response.session_id == 0);
  CHECK(shown(response) == "1:0*");
  CHECK(client.fetch(client.next()).error_code == ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("fetch session: a full fetch with an id ends that session and begins another") {
  Client client;
  const FetchResponse response = client.fetch(FetchOf(client.session, 0).of(kOne, {{2}}));
  CHECK(response.session_id != client.session);
  CHECK(response.session_id != 0);
  CHECK(shown(response) == "1:2");
  CHECK(client.fetch(client.next()).error_code == ErrorCode::fetch_session_id_not_found);
  CHECK(client.fetch_sessions.size() == 1);
}

TEST_CASE("fetch session: an unknown id, another epoch, the other naming are refused, and change nothing") {
  Client client;
  FetchResponse response = client.fetch(FetchOf(client.session + 1, 1));
  CHECK(response.error_code == ErrorCode::fetch_session_id_not_found);
  CHECK(response.session_id == 0);
  for (const std::int32_t epoch : {2, -2, std::numeric_limits<std::int32_t>::max()}) {
    response = client.fetch(FetchOf(client.session, epoch).forget(kOne, {0, 1, 2}));
    CHECK(response.error_code == ErrorCode::invalid_fetch_session_epoch);
    CHECK(response.session_id == 0);
  }
  response = client.fetch(FetchOf(client.session, 1), FetchFixture::kByName);
  CHECK(response.error_code == ErrorCode::fetch_session_topic_id_error);
  CHECK(response.responses.empty());
  CHECK(client.fetch_sessions.partition_count() == 3);
  CHECK(client.fetched(client.next()).empty());
}

TEST_CASE("fetch session: after the greatest epoch comes 1, and the final one stays") {
  CHECK(broker::next_session_epoch(0) == 1);
  CHECK(broker::next_session_epoch(1) == 2);
  CHECK(broker::next_session_epoch(std::numeric_limits<std::int32_t>::max()) == 1);
  CHECK(broker::next_session_epoch(-1) == -1);
}

TEST_CASE("fetch session: a session by name answers by name") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  const auto by_name = FetchFixture::kByName;
  const FetchResponse first = fixture.fetch(FetchOf(0, 0).of("one", {{0}}).of("none", {{0}}), by_name);
  CHECK(shown(first) == "one:0 none:0!UNKNOWN_TOPIC_OR_PARTITION");
  CHECK(shown(fixture.fetch(FetchOf(first.session_id, 1), by_name)) == "none:0!UNKNOWN_TOPIC_OR_PARTITION");
  fixture.create("none", 2, 1);
  CHECK(shown(fixture.fetch(FetchOf(first.session_id, 2), by_name)) == "none:0");
  CHECK(fixture.fetch(FetchOf(first.session_id, 3)).error_code == ErrorCode::fetch_session_topic_id_error);
}

TEST_CASE("fetch session: an unknown id is in every answer until its topic is there") {
  Client client;
  CHECK(client.fetched(client.next().of(kTwo, {{0}})) == "2:0!UNKNOWN_TOPIC_ID");
  CHECK(client.fetched(client.next()) == "2:0!UNKNOWN_TOPIC_ID");
  client.create("two", 2, 1);
  CHECK(client.fetched(client.next()) == "2:0");
  client.append("two", 0);
  CHECK(client.fetched(client.next()) == "2:0*");
}

TEST_CASE("fetch session: a deleted topic is unknown, and inconsistent once there is another of its name") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  client.remove("one", 3);
  const std::string unknown = "!UNKNOWN_TOPIC_OR_PARTITION";
  CHECK(client.fetched(client.next()) == "1:0" + unknown + " 1:1" + unknown + " 1:2" + unknown);
  client.create("one", 2, 2);
  const std::string other = "!INCONSISTENT_TOPIC_ID";
  CHECK(client.fetched(client.next()) == "1:0" + other + " 1:1" + other + " 1:2" + unknown);
}

TEST_CASE("fetch session: partitions that gave records come last the next time") {
  Client client;
  for (const int i : {0, 1, 2}) client.append("one", i);
  // Room for one batch only: the first partition's.
  CHECK(client.fetched(client.next().up_to(1)) == "1:0* 1:1 1:2");
  CHECK(client.fetched(client.next().up_to(1)) == "1:1*");
  CHECK(client.fetched(client.next().up_to(1)) == "1:2*");
  CHECK(client.fetched(client.next().up_to(1)) == "1:0*");
  CHECK(client.fetched(client.next()) == "1:1* 1:2* 1:0*");
}

TEST_CASE("fetch session: a partition that the first request names twice is answered once, as named last") {
  FetchFixture fixture;
  fixture.create("one", 1, 2);
  fixture.append("one", 0, 2);
  const FetchResponse first = fixture.fetch(FetchOf(0, 0).of(kOne, {{0, 9}, {1}, {0, 1}}));
  CHECK(shown(first) == "1:0* 1:1");
  CHECK(fixture.fetch_sessions.partition_count() == 2);
}

TEST_CASE("fetch session: neighbours of one topic are answered together, in the session's order") {
  Client client;
  client.create("two", 2, 1);
  CHECK(client.fetched(client.next().of(kTwo, {{0}})) == "2:0");
  for (const int i : {0, 1, 2}) client.append("one", i);
  client.append("two", 0);
  CHECK(client.fetched(client.next().of(kOne, {{2, 1}})) == "1:0* 1:1* 1:2 2:0*");
  const FetchResponse response = client.fetch(client.next());
  CHECK(shown(response) == "1:0* 1:1* 2:0*");
  CHECK(response.responses.size() == 2);
}

TEST_CASE("fetch session: what does not exist is answered last, unknown ids first, and stays there") {
  FetchFixture fixture;
  fixture.create("one", 1, 2);
  const FetchResponse first =
      fixture.fetch(FetchOf(0, 0).of(kOne, {{9}}).of(kTwo, {{0}}).of(kOne, {{1}, {0}}));
  CHECK(shown(first) == "1:1 1:0 2:0!UNKNOWN_TOPIC_ID 1:9!UNKNOWN_TOPIC_OR_PARTITION");
  fixture.append("one", 0);
  fixture.create("two", 2, 1);
  fixture.append("two", 0);
  CHECK(shown(fixture.fetch(FetchOf(first.session_id, 1))) == "1:0* 2:0* 1:9!UNKNOWN_TOPIC_OR_PARTITION");
}

TEST_CASE("fetch session: with the cache full a client is answered without one") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  for (int i = 0; i < 1000; ++i) REQUIRE(fixture.fetch(FetchOf(0, 0).of(kOne, {{0}})).session_id != 0);
  const FetchResponse response = fixture.fetch(FetchOf(0, 0).of(kOne, {{0}}));
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.session_id == 0);
  CHECK(shown(response) == "1:0");
  CHECK(fixture.fetch(FetchOf(0, 0).of(kOne, {{0}}).as_replica(3)).session_id != 0);
}

}  // namespace
}  // namespace sillok::tests
