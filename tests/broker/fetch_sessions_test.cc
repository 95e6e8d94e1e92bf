// Who has a fetch session, and who loses one.
#include "broker/fetch_sessions.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/support/manual_clock.h"

namespace sillok::tests {
namespace {

using broker::FetchSessionId;
using broker::SessionOwner;
using broker::TopicNaming;
using std::chrono::milliseconds;

struct Cache {
  explicit Cache(std::size_t slots_max) : sessions(clock, slots_max, [this] { return ++last_id; }) {}

  // 0 where there is none to be had.
  FetchSessionId create(std::size_t partition_count, SessionOwner owner = SessionOwner::consumer) {
    const auto session = sessions.create(owner, TopicNaming::by_id, partition_count);
    return session ? session->id() : 0;
  }
  bool has(FetchSessionId id) const { return sessions.find(id) != nullptr; }
  // A request of the session names this many partitions that it had not.
  bool use(FetchSessionId id, std::int32_t more_partitions) {
    protocol::FetchRequest request;
    request.session_epoch = epochs[id]++;
    protocol::FetchTopic& topic = request.topics.emplace_back();
    for (std::int32_t i = 0; i < more_partitions; ++i)
      topic.partitions.emplace_back().index = PartitionIndex(next_index++);
    const auto session = sessions.find(id);
    REQUIRE(session->take_in(request, TopicNaming::by_id) == protocol::ErrorCode::none);
    return sessions.touch(*session);
  }

  ManualClock clock;
  std::uint32_t last_id = 0;
  std::int32_t next_index = 0;
  std::map<FetchSessionId, std::int32_t> epochs;
  broker::FetchSessions sessions;
};

constexpr auto kAge = broker::kSessionEvictionAge;

TEST_CASE("fetch sessions: an id is drawn until it is positive and nobody's") {
  ManualClock clock;
  std::vector<std::uint32_t> drawn = {0, 0x8000'0000, 7, 7, 0xffff'fff7, 0x7fff'fff7, 9};
  std::size_t next = 0;
  broker::FetchSessions sessions(clock, 10, [&] { return drawn.at(next++); });
  const auto id = [&] { return sessions.create(SessionOwner::consumer, TopicNaming::by_id, 1)->id(); };
  CHECK(id() == 7);
  CHECK(id() == 0x7fff'fff7);
  CHECK(id() == 9);
}

TEST_CASE("fetch sessions: random ids are spread over all positive numbers") {
  const auto draw = broker::random_session_ids();
  std::uint32_t all = 0;
  for (int i = 0; i < 64; ++i) all |= draw();
  CHECK(all == 0xffff'ffff);
}

TEST_CASE("fetch sessions: without slots nobody gets one") {
  Cache cache(0);
  CHECK(cache.create(10) == 0);
}

TEST_CASE("fetch sessions: while all are young, a full cache has no room for consumers") {
  Cache cache(2);
  const auto first = cache.create(1);
  const auto second = cache.create(1);
  CHECK(cache.create(1'000) == 0);
  CHECK(cache.has(first));
  CHECK(cache.has(second));
  CHECK(cache.sessions.size() == 2);
}

TEST_CASE("fetch sessions: the one that was unused for longest goes, once that is more than the age") {
  Cache cache(2);
  const auto first = cache.create(100);
  const auto second = cache.create(100);
  cache.clock.advance(kAge);
  CHECK(cache.use(first, 0));
  CHECK(cache.create(1) == 0);
  cache.clock.advance(milliseconds(1));
  CHECK(cache.create(1) != 0);
  CHECK(cache.has(first));
  CHECK_FALSE(cache.has(second));
}

TEST_CASE("fetch sessions: one that has existed for longer than the age goes for one with more partitions") {
  Cache cache(2);
  const auto small = cache.create(10);
  const auto large = cache.create(20);
  cache.clock.advance(kAge + milliseconds(1));
  CHECK(cache.use(small, 10));
  CHECK(cache.use(large, 20));
  CHECK(cache.create(10) == 0);
  CHECK(cache.create(11) != 0);
  CHECK_FALSE(cache.has(small));
  CHECK(cache.has(large));
}

TEST_CASE("fetch sessions: a session counts with the partitions that it has now") {
  Cache cache(1);
  const auto one = cache.create(10);
  cache.clock.advance(kAge + milliseconds(1));
  CHECK(cache.use(one, 10));
  CHECK(cache.use(one, 20));
  CHECK(cache.sessions.partition_count() == 30);
  CHECK(cache.create(30) == 0);
  CHECK(cache.create(31) != 0);
  CHECK(cache.sessions.partition_count() == 31);
}

TEST_CASE("fetch sessions: a replica's pushes out a consumer's at once, the smallest first") {
  Cache cache(2);
  const auto small = cache.create(10);
  const auto large = cache.create(20);
  CHECK(cache.create(1, SessionOwner::replica) != 0);
  CHECK_FALSE(cache.has(small));
  CHECK(cache.create(1, SessionOwner::replica) != 0);
  CHECK_FALSE(cache.has(large));
  CHECK(cache.create(50, SessionOwner::replica) == 0);  // the others are a replica's, too, and young
}

TEST_CASE("fetch sessions: a consumer's does not push out a replica's that is in use") {
  Cache cache(1);
  const auto replica = cache.create(1, SessionOwner::replica);
  cache.clock.advance(kAge + milliseconds(1));
  CHECK(cache.use(replica, 1));
  CHECK(cache.create(1'000) == 0);
  CHECK(cache.create(2, SessionOwner::replica) != 0);
  CHECK_FALSE(cache.has(replica));
}

TEST_CASE("fetch sessions: what is removed is gone, and makes room") {
  Cache cache(1);
  const auto one = cache.create(5);
  cache.sessions.remove(one);
  cache.sessions.remove(one);
  CHECK_FALSE(cache.has(one));
  CHECK(cache.sessions.partition_count() == 0);
  CHECK(cache.create(1) != 0);
}

TEST_CASE("fetch sessions: one that was removed while its request was taken in is not kept") {
  Cache cache(1);
  const auto session = cache.sessions.create(SessionOwner::consumer, TopicNaming::by_id, 1);
  cache.sessions.remove(session->id());
  CHECK_FALSE(cache.sessions.touch(*session));
  CHECK(cache.sessions.size() == 0);
}

TEST_CASE("fetch sessions: one has no more than so many partitions, be it from the first request or later") {
  Cache cache(10);
  CHECK(cache.create(broker::kSessionPartitionsMax + 1) == 0);
  const auto one = cache.create(1);
  CHECK(cache.use(one, broker::kSessionPartitionsMax));
  CHECK_FALSE(cache.use(one, 1));
  CHECK_FALSE(cache.has(one));
  CHECK(cache.sessions.partition_count() == 0);
}

TEST_CASE("fetch sessions: together they take no more than their limit") {
  Cache cache(100);
  constexpr auto kAll = broker::kFetchSessionBytesMax / broker::kSessionPartitionBytes;
  constexpr auto kMost = static_cast<std::int64_t>(broker::kSessionPartitionsMax);
  FetchSessionId first = 0;
  std::int64_t left = kAll;
  for (; left > kMost; left -= kMost) first = cache.create(kMost);
  CHECK(cache.create(static_cast<std::size_t>(left - 1)) != 0);
  CHECK(cache.create(2) == 0);
  const auto last = cache.create(1);
  CHECK(last != 0);
  // One that outgrows its place loses it.
  CHECK_FALSE(cache.use(last, 2));
  CHECK_FALSE(cache.has(last));
  CHECK(cache.has(first));
}

TEST_CASE("fetch sessions: names count, so that long ones are no way around the limit") {
  ManualClock clock;
  std::uint32_t id = 0;
  broker::FetchSessions sessions(clock, 100, [&] { return ++id; });
  const auto session = sessions.create(SessionOwner::consumer, TopicNaming::by_name, 1);
  const std::string name(1'000, 'x');
  protocol::FetchRequest request;
  request.session_epoch = 0;
  protocol::FetchTopic& topic = request.topics.emplace_back();
  topic.name = name;
  topic.partitions.emplace_back();
  REQUIRE(session->take_in(request, TopicNaming::by_name) == protocol::ErrorCode::none);
  CHECK(session->size().byte_count == broker::kSessionPartitionBytes + 1'000);
}

}  // namespace
}  // namespace sillok::tests
