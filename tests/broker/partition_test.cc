#include "broker/partition.h"

#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using broker::Acks;
using protocol::ErrorCode;

namespace {

struct CountingWaiter final : broker::FetchWaiter {
  explicit CountingWaiter(FakeReactor& reactor) : reactor_(reactor) {}
  broker::ReactorPort& reactor() override { return reactor_; }
  void go_on() override {
    ++runs;
    if (meanwhile) meanwhile();
  }
  FakeReactor& reactor_;
  int runs = 0;
  std::function<void()> meanwhile;
};

FaultPoint every_sync_of_logs() { return {FileCall::sync, ".log", 1, kEveryCall}; }

}  // namespace

TEST_CASE("partition: acks=1 is answered from the page cache while a flush hangs") {
  PartitionFixture fixture;
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto sink = fixture.append(batch().records(3), Acks::leader);
  REQUIRE(sink->told().size() == 1);
  CHECK(sink->told()[0].result.error == ErrorCode::none);
  CHECK(sink->told()[0].result.base_offset == Offset(0));
  CHECK(fixture.partition->high_watermark().offset == Offset(3));
  CHECK(fixture.partition->durable_end() == Offset(0));
  stall->release();
}

TEST_CASE("partition: acks=all is not answered while its flush hangs") {
  PartitionFixture fixture;
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto sink = fixture.append(batch().records(3), Acks::all);
  CHECK(sink->told().empty());
  stall->release();
}

TEST_CASE("partition: acks=all is answered and visible only after its flush") {
  PartitionFixture fixture;
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto sink = fixture.append(batch().records(3), Acks::all);
  stall->wait_until_reached();
  CHECK(sink->told().empty());
  CHECK(fixture.partition->high_watermark().offset == Offset(0));
  fixture.partition->check_invariants();
  stall->release();
  sink->wait_for(1);
  CHECK(sink->told()[0].result.error == ErrorCode::none);
  CHECK(sink->told()[0].result.base_offset == Offset(0));
  CHECK(fixture.partition->durable_end() == Offset(3));
  CHECK(fixture.partition->high_watermark().offset == Offset(3));
}

TEST_CASE("partition: acks=1 data behind an acks=all batch is answered at once and visible with it") {
  PartitionFixture fixture;
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto before = fixture.append(batch().records(1), Acks::leader);
  CHECK(fixture.partition->high_watermark().offset == Offset(1));
  const auto waits = fixture.append(batch().records(1), Acks::all);
  const auto behind = fixture.append(batch().records(1), Acks::leader);
  CHECK(before->told().size() == 1);
  CHECK(waits->told().empty());
  CHECK(behind->told().size() == 1);
  CHECK(fixture.partition->high_watermark().offset == Offset(1));
  stall->release();
  waits->wait_for(1);
  CHECK(fixture.partition->high_watermark().offset == Offset(3));
}

TEST_CASE(
    "partition: of appends that are written together, those that found no room are refused, and no other") {
  storage::LogConfig config;
  config.segment_bytes = 4096;
  PartitionFixture fixture(config);
  const Acks acks = GENERATE(Acks::leader, Acks::all);
  fixture.append(batch().records(1), acks)->wait_for(1);
  // A slow append: what comes now waits for the writer, and is written in one call.
  fixture.device.note_append(fixture.clock.steady(), fixture.clock.steady() + 2 * broker::kSlowAppend);
  const auto first = fixture.append(batch().records(2), acks);
  const auto second = fixture.append(batch().sized(4000), acks);
  const auto third = fixture.append(batch().records(1), acks);
  fixture.faults.fail({FileCall::open, ".timeindex", 1, kEveryCall}, Errc::no_space);
  CHECK(fixture.writer.run_all() == 1);
  first->wait_for(1);
  second->wait_for(1);
  third->wait_for(1);
  CHECK(first->told()[0].result.error == ErrorCode::none);
  CHECK(first->told()[0].result.base_offset == Offset(1));
  for (const auto& refused : {second, third}) {
    CHECK(refused->told()[0].result.error == ErrorCode::kafka_storage_error);
    CHECK(refused->told()[0].result.base_offset == Offset(-1));
  }
  CHECK(fixture.partition->log().log_end().offset == Offset(3));
  CHECK(fixture.partition->high_watermark().offset == Offset(3));
  CHECK(fixture.partition->is_online());
  fixture.faults.clear();
  const auto next = fixture.append(batch().records(1), acks);
  fixture.writer.run_all();
  next->wait_for(1);
  CHECK(next->told()[0].result.base_offset == Offset(3));
}

TEST_CASE("partition: what was queued while there was room is refused where there is none any more") {
  PartitionFixture fixture;
  storage::SpaceUse use{.free = 1000, .total = 1'000'000};
  fixture.device.space().watch("/data", 1000, [&]() -> Result<storage::SpaceUse> { return use; });
  fixture.device.note_append(fixture.clock.steady(), fixture.clock.steady() + 2 * broker::kSlowAppend);
  const auto queued = fixture.append(batch().records(1), Acks::leader);
  CHECK(queued->told().empty());
  use.free = 999;
  fixture.device.space().measure();
  CHECK(fixture.writer.run_all() == 1);
  REQUIRE(queued->told().size() == 1);
  CHECK(queued->told()[0].result.error == ErrorCode::kafka_storage_error);
  CHECK(fixture.partition->log().log_end().offset == Offset(0));
}

TEST_CASE("partition: write.caching answers acks=all from the page cache") {
  storage::LogConfig config;
  config.write_caching = true;
  PartitionFixture fixture(config);
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto sink = fixture.append(batch().records(2), Acks::all);
  REQUIRE(sink->told().size() == 1);
  CHECK(fixture.partition->high_watermark().offset == Offset(2));
  stall->release();
}

TEST_CASE("partition: a duplicate under acks=all waits until its original is durable") {
  PartitionFixture fixture;
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto original = fixture.append(batch().producer(7, 0, 0).records(2), Acks::all);
  const auto repeat = fixture.append(batch().producer(7, 0, 0).records(2), Acks::all);
  const auto careless = fixture.append(batch().producer(7, 0, 0).records(2), Acks::leader);
  CHECK(repeat->told().empty());
  REQUIRE(careless->told().size() == 1);
  CHECK(careless->told()[0].result.base_offset == Offset(0));
  stall->release();
  original->wait_for(1);
  repeat->wait_for(1);
  CHECK(repeat->told()[0].result.error == ErrorCode::none);
  CHECK(repeat->told()[0].result.base_offset == Offset(0));
  CHECK(fixture.partition->log().log_end().offset == Offset(2));
}

TEST_CASE("partition: a gap in the sequence is refused and nothing is appended") {
  PartitionFixture fixture;
  fixture.append(batch().producer(7, 0, 0).records(2), Acks::leader);
  const auto gap = fixture.append(batch().producer(7, 0, 5).records(1), Acks::leader);
  REQUIRE(gap->told().size() == 1);
  CHECK(gap->told()[0].result.error == ErrorCode::out_of_order_sequence_number);
  CHECK(gap->told()[0].result.base_offset == Offset(-1));
  CHECK(fixture.partition->log().log_end().offset == Offset(2));
}

TEST_CASE("partition: a failed flush takes it offline, answers what waits, and is not tried again") {
  PartitionFixture fixture;
  fixture.faults.fail({FileCall::sync, ".log", 1, kEveryCall}, Errc::io_error);
  const auto sink = fixture.append(batch().records(1), Acks::all);
  sink->wait_for(1);
  CHECK(sink->told()[0].result.error == ErrorCode::kafka_storage_error);
  CHECK_FALSE(fixture.partition->is_online());
  const auto failures = fixture.faults.failure_count();
  const auto later = fixture.append(batch().records(1), Acks::all);
  REQUIRE(later->told().size() == 1);
  CHECK(later->told()[0].result.error == ErrorCode::kafka_storage_error);
  fixture.partition->flush();
  CHECK(fixture.faults.failure_count() == failures);
  CHECK(fixture.partition->high_watermark().offset == Offset(0));
}

TEST_CASE("partition: a waiter is woken once the high watermark passes its offset, on its reactor") {
  PartitionFixture fixture;
  FakeReactor reactor;
  const auto waiter = std::make_shared<CountingWaiter>(reactor);
  REQUIRE(fixture.partition->wait_beyond(Offset(0), waiter));
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto sink = fixture.append(batch().records(1), Acks::all);
  stall->wait_until_reached();
  CHECK(reactor.run_all() == 0);
  stall->release();
  sink->wait_for(1);
  // The waiter is told after the sink, by the same thread.
  while (reactor.run_all() == 0) std::this_thread::yield();
  CHECK(waiter->runs == 1);
  CHECK_FALSE(fixture.partition->wait_beyond(Offset(0), waiter));
}

TEST_CASE(
    "partition: a waiter is woken once for all that moves before its turn, and again for what moves in it") {
  PartitionFixture fixture;
  FakeReactor reactor;
  const auto waiter = std::make_shared<CountingWaiter>(reactor);
  for (int i = 0; i < 3; ++i) REQUIRE(fixture.partition->wait_beyond(Offset(i), waiter));
  for (int i = 0; i < 2; ++i) fixture.append(batch().records(1), Acks::leader);
  waiter->meanwhile = [&] {
    if (waiter->runs == 1) fixture.append(batch().records(1), Acks::leader);
  };
  CHECK(reactor.run_all() == 2);
  CHECK(waiter->runs == 2);
}

TEST_CASE("partition: a cancelled waiter is not woken") {
  PartitionFixture fixture;
  FakeReactor reactor;
  const auto waiter = std::make_shared<CountingWaiter>(reactor);
  REQUIRE(fixture.partition->wait_beyond(Offset(0), waiter));
  fixture.partition->cancel_wait(waiter.get());
  fixture.append(batch().records(1), Acks::leader);
  CHECK(reactor.run_all() == 0);
}

TEST_CASE("partition: while the device is not calm, appends go to the writer thread in order") {
  PartitionFixture fixture;
  fixture.device.note_append(fixture.clock.steady(), fixture.clock.steady() + 2 * broker::kSlowAppend);
  const auto sink = std::make_shared<RecordingSink>();
  for (std::size_t i = 0; i < 3; ++i) fixture.append(batch().records(1), Acks::leader, sink, i);
  CHECK(sink->told().empty());
  fixture.writer.run_all();
  REQUIRE(sink->told().size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(sink->told()[i].index == i);
    CHECK(sink->told()[i].result.base_offset == Offset(static_cast<std::int64_t>(i)));
  }
  fixture.clock.advance(std::chrono::milliseconds(200));
  const auto calm = fixture.append(batch().records(1), Acks::leader);
  CHECK(calm->told().size() == 1);
}

TEST_CASE("partition: past the limit of unflushed bytes appends wait, and go on after a flush") {
  PartitionFixture fixture({}, 1000);
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  fixture.append(batch().sized(2000), Acks::leader);
  const auto waits = fixture.append(batch().records(1), Acks::leader);
  CHECK(waits->told().empty());
  fixture.writer.run_all();
  CHECK(waits->told().empty());
  stall->wait_until_reached();  // being full asks for a flush
  stall->release();
  while (waits->told().empty()) {
    fixture.writer.run_all();
    std::this_thread::yield();
  }
  CHECK(waits->told()[0].result.base_offset == Offset(1));
}

TEST_CASE("partition: after an unclean start it catches up until the recovered tail is on disk") {
  PartitionFixture fixture;
  fixture.append(batch().records(3), Acks::leader);
  fixture.partition->stop(ErrorCode::not_leader_or_follower);
  fixture.partition.reset();
  storage::RecoveryReport report;
  auto log = storage::Log::open(fixture.log_options({}), report);
  REQUIRE(log.ok());
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto reopened = std::make_shared<broker::Partition>(
      "orders", PartitionIndex(0), std::move(log).value(), fixture.device, storage::LogConfig{});
  REQUIRE(reopened->lead(LeaderEpoch(1)).ok());
  CHECK(reopened->is_catching_up());
  CHECK(reopened->high_watermark().offset == Offset(0));
  stall->release();
  while (reopened->is_catching_up()) std::this_thread::yield();
  CHECK(reopened->high_watermark().offset == Offset(3));
  fixture.flusher.stop();
}

TEST_CASE("partition: stopping answers what waits, and refuses what comes") {
  PartitionFixture fixture;
  FakeReactor reactor;
  const auto waiter = std::make_shared<CountingWaiter>(reactor);
  const auto stall = fixture.faults.stall(every_sync_of_logs());
  const auto waits = fixture.append(batch().records(1), Acks::all);
  REQUIRE(fixture.partition->wait_beyond(Offset(5), waiter));
  fixture.partition->stop(ErrorCode::unknown_topic_or_partition);
  REQUIRE(waits->told().size() == 1);
  CHECK(waits->told()[0].result.error == ErrorCode::unknown_topic_or_partition);
  CHECK(reactor.run_all() == 1);
  const auto late = fixture.append(batch().records(1), Acks::leader);
  REQUIRE(late->told().size() == 1);
  CHECK(late->told()[0].result.error == ErrorCode::unknown_topic_or_partition);
  stall->release();
}

TEST_CASE("partition: LogAppendTime is when the log has its turn, however long a batch waited for that") {
  PartitionFixture fixture;
  REQUIRE(fixture.partition->pause().ok());
  const auto sink = std::make_shared<RecordingSink>();
  Bytes bytes = batch().record("k", "v");
  fixture.partition->append(
      {bytes, header_of(bytes), Acks::leader, sink, 0, protocol::TimestampType::log_append_time});
  fixture.clock.advance(std::chrono::seconds(5));
  fixture.partition->resume();
  fixture.writer.run_all();
  REQUIRE(sink->told().size() == 1);
  CHECK(sink->told()[0].result.append_time == fixture.clock.wall_ms());
  const storage::LogPosition end = fixture.partition->high_watermark();
  const auto slice = fixture.partition->log().read(Offset(0), end, 1 << 20, storage::Log::FirstBatch::whole,
                                                   storage::IoMode::may_block);
  REQUIRE(slice.ok());
  Bytes stored(static_cast<std::size_t>(slice->size));
  REQUIRE(slice->file->read_at(slice->position, stored).ok());
  const auto header = protocol::parse_record_batch_header(stored);
  REQUIRE(header.ok());
  CHECK(header->max_timestamp == fixture.clock.wall_ms());
  CHECK(header->timestamp_type() == protocol::TimestampType::log_append_time);
}

TEST_CASE("partition: appends of many threads keep offsets dense and durable ends behind the log end") {
  PartitionFixture fixture;
  constexpr int kThreads = 4;
  constexpr int kAppends = 200;
  const auto sink = std::make_shared<RecordingSink>();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kAppends; ++i) {
        fixture.append(batch().records(1), (i + t) % 2 == 0 ? Acks::all : Acks::leader, sink, 0);
        fixture.partition->check_invariants();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (sink->told().size() < kThreads * kAppends) fixture.writer.run_all();
  std::vector<bool> seen(kThreads * kAppends);
  for (const auto& told : sink->told()) {
    REQUIRE(told.result.error == ErrorCode::none);
    const auto offset = static_cast<std::size_t>(told.result.base_offset.value);
    REQUIRE(offset < seen.size());
    CHECK_FALSE(seen[offset]);
    seen[offset] = true;
  }
}
