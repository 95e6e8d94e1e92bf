#include "broker/append_round.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using broker::Acks;
using protocol::ErrorCode;

namespace {

// Appends a batch that lives as long as the test's list of them.
std::shared_ptr<RecordingSink> append(PartitionFixture& fixture, std::vector<Bytes>& kept,
                                      const BatchMaker& maker, Acks acks = Acks::leader) {
  kept.push_back(maker.bytes());
  auto sink = std::make_shared<RecordingSink>();
  fixture.partition->append({kept.back(), header_of(kept.back()), acks, sink, 0});
  return sink;
}

}  // namespace

TEST_CASE("append round: what is received together is written together, in its order") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  const auto before = fixture.disk.calls().writes;
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  {
    broker::AppendRound round;
    for (int i = 0; i < 5; ++i) sinks.push_back(append(fixture, kept, batch().records(2)));
    CHECK(sinks[0]->told().empty());
    CHECK(fixture.partition->log().log_end().offset == Offset(0));
  }
  CHECK(fixture.disk.calls().writes == before + 1);
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    REQUIRE(sinks[i]->told().size() == 1);
    CHECK(sinks[i]->told()[0].result.error == ErrorCode::none);
    CHECK(sinks[i]->told()[0].result.base_offset == Offset(static_cast<std::int64_t>(2 * i)));
  }
  CHECK(fixture.partition->high_watermark().offset == Offset(10));
}

TEST_CASE("append round: flush() makes the appends, and the round goes on") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  broker::AppendRound round;
  const auto first = append(fixture, kept, batch().records(1));
  round.flush();
  CHECK(first->told().size() == 1);
  const auto second = append(fixture, kept, batch().records(1));
  CHECK(second->told().empty());
  round.flush();
  CHECK(second->told().at(0).result.base_offset == Offset(1));
}

TEST_CASE("append round: who comes from another thread meanwhile is written behind it") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  std::shared_ptr<RecordingSink> other;
  std::shared_ptr<RecordingSink> mine;
  {
    broker::AppendRound round;
    mine = append(fixture, kept, batch().records(1));
    std::thread([&] { other = fixture.append(batch().records(1).bytes(), Acks::leader); }).join();
    CHECK(other->told().empty());
  }
  CHECK(mine->told().at(0).result.base_offset == Offset(0));
  CHECK(other->told().at(0).result.base_offset == Offset(1));
}

TEST_CASE("append round: what another thread queued is not overtaken by what the round has next") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  std::shared_ptr<RecordingSink> prepared;
  std::shared_ptr<RecordingSink> next;
  {
    broker::AppendRound round;
    append(fixture, kept, batch().records(1));
    std::thread([&] { prepared = fixture.append(batch().records(1).bytes(), Acks::leader); }).join();
    next = append(fixture, kept, batch().records(1));
  }
  CHECK(prepared->told().at(0).result.base_offset == Offset(1));
  CHECK(next->told().at(0).result.base_offset == Offset(2));
}

TEST_CASE("append round: a partition that is stopped before its end refuses what it gathered") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  std::shared_ptr<RecordingSink> sink;
  {
    broker::AppendRound round;
    sink = append(fixture, kept, batch().records(1));
    fixture.partition->stop(ErrorCode::unknown_topic_or_partition);
  }
  CHECK(sink->told().at(0).result.error == ErrorCode::unknown_topic_or_partition);
  CHECK(fixture.partition->log().log_end().offset == Offset(0));
}

TEST_CASE("append round: with a device that is not calm everything is left to the writer") {
  PartitionFixture fixture;
  std::vector<Bytes> kept;
  kept.reserve(10);
  fixture.device.note_append(fixture.clock.steady(), fixture.clock.steady() + 2 * broker::kSlowAppend);
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  {
    broker::AppendRound round;
    for (int i = 0; i < 3; ++i) sinks.push_back(append(fixture, kept, batch().records(1)));
  }
  CHECK(sinks[0]->told().empty());
  CHECK(fixture.writer.run_all() == 1);
  for (std::size_t i = 0; i < sinks.size(); ++i)
    CHECK(sinks[i]->told().at(0).result.base_offset == Offset(static_cast<std::int64_t>(i)));
}
