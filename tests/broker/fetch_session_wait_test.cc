// Fetch with a session: what a request waits for, and what ends its wait.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/support/fetch_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using Client = SessionClient;

const TopicId kOne = topic_id(1);
const TopicId kTwo = topic_id(2);

// Only to be told apart.
struct Task final : broker::ReactorTask {
  void run() override {}
};

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

TEST_CASE("fetch session: what moves while a request looks keeps it from waiting") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  const auto session = client.fetch_sessions.find(client.session);
  REQUIRE(session->take_in(client.next(), broker::TopicNaming::by_id) == ErrorCode::none);
  broker::FetchParts parts;
  session->collect(*client.partitions, parts);
  client.append("one", 1);
  const auto wait = [&] {
    return session->wait(client.epoch, parts, std::make_shared<Task>(), client.reactor);
  };
  CHECK(wait() == broker::FetchSession::Wait::moved);
  session->collect(*client.partitions, parts);
  REQUIRE(parts.parts.size() == 1);
  REQUIRE(parts.parts[0].look(1000, storage::Log::FirstBatch::whole, storage::IoMode::may_block).ok());
  CHECK(wait() == broker::FetchSession::Wait::begun);
}

TEST_CASE("fetch session: news that come late, for a partition that had the place before, move nothing") {
  Client client;
  CHECK(client.fetched(client.next()).empty());
  const auto session = client.fetch_sessions.find(client.session);
  constexpr std::uint64_t kPlaces = 3;
  constexpr std::uint64_t kOtherGeneration = 77;
  for (std::uint64_t place = 0; place < kPlaces; ++place)
    session->moved(kOtherGeneration << 32 | place, session);
  broker::FetchParts parts;
  session->collect(*client.partitions, parts);
  CHECK(parts.parts.empty());
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
  const auto session = made();
  std::atomic<std::int32_t> epoch{1};
  std::atomic<int> taken_in{0};
  // Two clients that take the session from each other.
  const auto request = [&] {
    FakeReactor reactor;
    while (taken_in < kRounds) {
      const std::int32_t mine = epoch;
      if (session->take_in(FetchOf(0, mine).of(kOne, {{mine % 8, mine}}).forget(kOne, {(mine + 3) % 8}),
                           broker::TopicNaming::by_id) != ErrorCode::none) {
        std::this_thread::yield();  // the other one has this epoch, and is about to say the next
        continue;
      }
      ++taken_in;
      epoch = mine + 1;
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
  CHECK(epoch == taken_in + 1);  // no epoch was taken in twice
  fixture.fetch_sessions.remove(session->id());
  broker::FetchParts parts;
  session->collect(*fixture.partitions, parts);
  CHECK(session->wait(epoch - 1, parts, std::make_shared<Task>(), fixture.reactor) ==
        broker::FetchSession::Wait::over);
}

}  // namespace
}  // namespace sillok::tests
