// Fetch with a session: what a request says, what an answer has.
#include "broker/fetch_session.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>

#include "tests/support/fetch_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::FetchResponse;

const TopicId kOne = topic_id(1);
const TopicId kTwo = topic_id(2);

// A session over topic 1 with three empty partitions, whose first fetch was answered.
struct Client : FetchFixture {
  Client() {
    create("one", 1, 3);
    const FetchResponse first = fetch(FetchOf(0, 0).of(kOne, {{0}, {1}, {2}}));
    REQUIRE(first.error_code == ErrorCode::none);
    REQUIRE(shown(first) == "1:0 1:1 1:2");
    session = first.session_id;
    REQUIRE(session != 0);
  }
  // The next request.
  FetchOf next() { return {session, ++epoch}; }
  std::string fetched(const FetchOf& request) {
    const FetchResponse response = fetch(request);
    CHECK(response.error_code == ErrorCode::none);
    CHECK(response.session_id == session);
    return shown(response);
  }
  std::int32_t session = 0;
  std::int32_t epoch = 0;
};

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
  REQUIRE(client.partition("one", 0).log().set_log_start(Offset(4)).ok());
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

TEST_CASE("fetch session: over idle partitions a request looks at none of them") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  const auto session = client.fetch_sessions.find(client.session);
  broker::FetchParts parts;
  session->collect(*client.partitions, parts);
  CHECK(parts.parts.empty());
  client.append("one", 1);
  session->collect(*client.partitions, parts);
  REQUIRE(parts.parts.size() == 1);
  CHECK(parts.parts[0].target.index == PartitionIndex(1));
}

TEST_CASE("fetch session: a waiting request is answered by the append, whichever request registered for it") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  for (const int i : {2, 0}) {
    const auto waiting = client.send(client.next().waits(1000));
    CHECK_FALSE(client.has_answer(waiting));
    client.append("one", i);
    CHECK(client.reactor.run_all() == 1);
    REQUIRE(client.has_answer(waiting));
    CHECK(shown(client.answer(waiting)) == "1:" + std::to_string(i) + "*");
    CHECK(client.reactor.timer_count() == 0);
    CHECK(client.fetched(client.next().of(kOne, {{i, 1}})).empty());
  }
}

TEST_CASE("fetch session: what moved between two requests is in the next answer") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  client.append("one", 0);
  CHECK(client.reactor.run_all() == 0);
  const auto number = client.send(client.next().waits(1000));
  REQUIRE(client.has_answer(number));
  CHECK(shown(client.answer(number)) == "1:0*");
}

TEST_CASE("fetch session: with too little to give a request waits, and has all of it in the end") {
  Client client;
  const auto waiting = client.send(client.next().waits(1000, 100'000));
  client.append("one", 0);
  client.append("one", 2);
  client.reactor.run_all();
  client.append("one", 2);
  client.reactor.run_all();
  CHECK_FALSE(client.has_answer(waiting));
  client.clock.advance(std::chrono::milliseconds(1000));
  client.reactor.fire(client.clock.steady());
  REQUIRE(client.has_answer(waiting));
  CHECK(shown(client.answer(waiting)) == "1:0* 1:2*");
}

TEST_CASE("fetch session: a request that another overtakes is answered with an invalid epoch and the id") {
  Client client;
  const auto first = client.send(client.next().waits(1000));
  const auto second = client.send(client.next().waits(1000));
  client.reactor.run_all();
  REQUIRE(client.has_answer(first));
  CHECK(client.answer(first).error_code == ErrorCode::invalid_fetch_session_epoch);
  CHECK(client.answer(first).session_id == client.session);
  client.append("one", 0);
  client.reactor.run_all();
  REQUIRE(client.has_answer(second));
  CHECK(shown(client.answer(second)) == "1:0*");
}

TEST_CASE("fetch session: a request whose session ends while it waits is answered with what there is") {
  Client client;
  const auto waiting = client.send(client.next().waits(1000));
  client.fetch_sessions.remove(client.session);
  client.reactor.run_all();
  REQUIRE(client.has_answer(waiting));
  CHECK(client.answer(waiting).error_code == ErrorCode::none);
  CHECK(shown(client.answer(waiting)).empty());
}

TEST_CASE("fetch session: a client that leaves before the first answer leaves no session") {
  FetchFixture fixture;
  fixture.create("one", 1, 1);
  const auto number = fixture.send(FetchOf(0, 0).of(kOne, {{0}}).waits(1000));
  CHECK(fixture.fetch_sessions.size() == 1);
  fixture.sink->waiting.at(number).lock()->abandon();
  CHECK(fixture.fetch_sessions.size() == 0);
}

TEST_CASE("fetch session: a client that leaves later finds its session again, and what moved meanwhile") {
  Client client;
  const auto waiting = client.send(client.next().waits(1000));
  client.sink->waiting.at(waiting).lock()->abandon();
  client.append("one", 1);
  CHECK(client.reactor.run_all() == 0);
  CHECK(client.fetched(client.next()) == "1:1*");
}

TEST_CASE("fetch session: a partition that does not exist is no reason to answer before the time") {
  Client client;
  CHECK(client.fetched(client.next().of(kTwo, {{0}})) == "2:0!UNKNOWN_TOPIC_ID");
  const auto waiting = client.send(client.next().waits(1000));
  CHECK_FALSE(client.has_answer(waiting));
  client.append("one", 0);
  client.reactor.run_all();
  REQUIRE(client.has_answer(waiting));
  CHECK(shown(client.answer(waiting)) == "1:0* 2:0!UNKNOWN_TOPIC_ID");
  // With nothing else to wait for it is.
  CHECK(client.has_answer(client.send(client.next().forget(kOne, {0, 1, 2}).waits(1000))));
}

TEST_CASE("fetch session: the deletion of a topic ends the wait for it") {
  Client client;
  const auto waiting = client.send(client.next().waits(1000));
  client.remove("one", 3);
  CHECK(client.reactor.run_all() == 1);
  CHECK(client.has_answer(waiting));
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

TEST_CASE("fetch session: requests, appends, deletions and the session's end may come from several threads") {
  constexpr int kRounds = 300;
  FetchFixture fixture;
  fixture.create("one", 1, 8);
  fixture.create("two", 2, 1);
  const auto made = [&] {
    const auto session =
        fixture.fetch_sessions.create(broker::SessionOwner::consumer, broker::TopicNaming::by_id, 8);
    REQUIRE(session->take_in(FetchOf(0, 0).of(kOne, {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}}).of(kTwo, {{0}}),
                             broker::TopicNaming::by_id) == ErrorCode::none);
    return session;
  };
  struct Task final : broker::ReactorTask {
    void run() override {}
  };
  const auto session = made();
  std::atomic<std::int32_t> epoch{1};
  std::atomic<int> taken_in{0};
  // Two clients that take the session from each other.
  const auto request = [&] {
    FakeReactor reactor;
    for (int i = 0; i < kRounds; ++i) {
      const std::int32_t mine = epoch;
      if (session->take_in(FetchOf(0, mine).of(kOne, {{mine % 8, mine}}).forget(kOne, {(mine + 3) % 8}),
                           broker::TopicNaming::by_id) != ErrorCode::none)
        continue;
      epoch = mine + 1;
      ++taken_in;
      broker::FetchParts parts;
      session->collect(*fixture.partitions, parts);
      for (auto& part : parts.parts) {
        const auto first_batch = storage::Log::FirstBatch::whole;
        if (!part.look(1 << 20, first_batch, storage::IoMode::may_block).ok()) std::abort();
      }
      const auto task = std::make_shared<Task>();
      (void)session->wait(mine, parts, task, reactor);
      session->stop_waiting(task.get());
      (void)session->settle(mine, parts);
      fixture.fetch_sessions.touch(*session);
      reactor.run_all();
    }
  };
  std::thread first(request);
  std::thread second(request);
  std::thread appender([&] {
    for (int i = 0; i < kRounds; ++i) fixture.append("one", i % 8);
  });
  fixture.remove("two", 1);
  first.join();
  second.join();
  appender.join();
  CHECK(taken_in >= kRounds);
  fixture.fetch_sessions.remove(session->id());
  broker::FetchParts parts;
  session->collect(*fixture.partitions, parts);
  CHECK(session->wait(epoch - 1, parts, std::make_shared<Task>(), fixture.reactor) ==
        broker::FetchSession::Wait::over);
}

}  // namespace
}  // namespace sillok::tests
