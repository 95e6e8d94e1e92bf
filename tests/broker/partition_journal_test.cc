// A partition whose acks=all appends are made durable by the commit journal.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <utility>

#include "broker/durability_round.h"
#include "storage/log_dir.h"
#include "tests/support/create_log.h"
#include "tests/support/partition_fixture.h"

using namespace sillok;
using namespace sillok::tests;
using broker::Acks;
using protocol::ErrorCode;
using storage::JournalTarget;

namespace {

constexpr const char* kJournal = "sillok-journal-";

template <class Condition>
void wait_until(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) std::abort();
    std::this_thread::yield();
  }
}

// Holds the journal in a round that it takes part in, so that what asks meanwhile comes in the next one.
class Gate final : public JournalTarget {
 public:
  storage::JournalKey journal_key() const override { return {TopicId{{9, 9}}, PartitionIndex(0)}; }
  Contribution contribute(storage::JournalFrame&) override {
    is_reached_ = true;
    wait_until([this] { return is_open_.load(); });
    return Contribution::nothing;
  }
  void committed() override {}
  void not_committed() override {}
  void flush() override {}
  void wait_until_reached() const {
    wait_until([this] { return is_reached_.load(); });
  }
  void open() { is_open_ = true; }

 private:
  std::atomic<bool> is_reached_{false};
  std::atomic<bool> is_open_{false};
};

struct Fixture {
  // Two partitions of the log directory, so that frames can be held by one of them.
  explicit Fixture(std::size_t file_count_max = 4, const storage::LogConfig& config = {}) : config(config) {
    options.file_system = &faults;
    options.clock = &clock;
    options.path = "/data";
    options.journal_file_size = 16 * storage::kJournalBlockSize;
    options.journal_size_max = static_cast<ByteCount>(file_count_max) * options.journal_file_size;
    open();
    for (int i = 0; i < 2; ++i) REQUIRE(dir->journal().add_file_now().ok());
    start();
    orders = create("orders", TopicId{{1}});
    other = create("other", TopicId{{2}});
  }
  ~Fixture() { stop(); }

  void open() {
    auto opened = storage::LogDir::open(options);
    INFO((opened.ok() ? std::string() : opened.error().describe()));
    REQUIRE(opened.ok());
    dir = std::move(opened).value();
    REQUIRE(dir->find_partitions().ok());
  }
  void start() {
    flusher = std::make_unique<storage::Flusher>(2, clock);
    device = std::make_unique<broker::Device>(clock, *flusher, writer, 1 << 30);
    dir->journal().start(*flusher, clock);
    device->use(dir->journal());
    REQUIRE(dir->journal().is_in_use());
  }
  void stop() {
    if (!dir) return;
    faults.clear();
    dir->journal().stop();
    flusher->stop();
    orders.reset();
    other.reset();
    device.reset();
    flusher.reset();
    dir.reset();
  }
  std::shared_ptr<broker::Partition> create(const std::string& topic, const TopicId& id) {
    auto log = create_log(*dir, {topic, PartitionIndex(0)}, id, config);
    REQUIRE(log.ok());
    auto made = std::make_shared<broker::Partition>(topic, PartitionIndex(0), std::move(log).value(), *device,
                                                    config);
    REQUIRE(made->lead(LeaderEpoch(0)).ok());
    return made;
  }
  std::shared_ptr<broker::Partition> reopen(const std::string& topic) {
    storage::RecoveryReport report;
    auto log = dir->open_log({topic, PartitionIndex(0)}, config, report);
    REQUIRE(log.ok());
    return std::make_shared<broker::Partition>(topic, PartitionIndex(0), std::move(log).value(), *device,
                                               config);
  }
  std::shared_ptr<RecordingSink> append(Bytes bytes, Acks acks,
                                        const std::shared_ptr<broker::Partition>& to) {
    auto sink = std::make_shared<RecordingSink>();
    const auto header = header_of(bytes);
    to->append({bytes, header, acks, sink, 0});
    return sink;
  }
  std::shared_ptr<RecordingSink> append(Bytes bytes, Acks acks) {
    return append(std::move(bytes), acks, orders);
  }
  std::shared_ptr<Gate> shut() {
    auto gate = std::make_shared<Gate>();
    dir->journal().request(gate);
    gate->wait_until_reached();
    return gate;
  }
  // What the journal has of a topic after a power cut, as its last offset; nullopt where it has nothing.
  std::optional<Offset> left_of(const TopicId& topic) {
    auto cut = disk.after_crash(1, CrashMode::lose_all);
    storage::LogDirOptions after = options;
    after.file_system = cut.get();
    const auto opened = storage::LogDir::open(after);
    REQUIRE(opened.ok());
    const auto end = (*opened)->journal().replay().end_of({topic, PartitionIndex(0)});
    return end ? std::optional(end->offset) : std::nullopt;
  }
  std::int64_t syncs() const { return disk.calls().syncs; }

  MemFileSystem disk;
  FaultFileSystem faults{disk};
  ManualClock clock;
  storage::LogDirOptions options;
  storage::LogConfig config;
  HeldExecutor writer;
  std::unique_ptr<storage::LogDir> dir;
  std::unique_ptr<storage::Flusher> flusher;
  std::unique_ptr<broker::Device> device;
  std::shared_ptr<broker::Partition> orders;
  std::shared_ptr<broker::Partition> other;
};

}  // namespace

TEST_CASE("partition journal: acks=all is answered and visible after a round, and by no sync of a segment") {
  Fixture f;
  const auto no_flush = f.faults.stall({FileCall::sync, ".log", 1, kEveryCall});
  const auto stall = f.faults.stall({FileCall::sync, kJournal});
  const auto sink = f.append(batch().records(3), Acks::all);
  stall->wait_until_reached();
  CHECK(sink->told().empty());
  CHECK(f.orders->high_watermark().offset == Offset(0));
  CHECK(f.orders->durable_end() == Offset(0));
  f.orders->check_invariants();
  stall->release();
  sink->wait_for(1);
  CHECK(sink->told()[0].result.error == ErrorCode::none);
  CHECK(sink->told()[0].result.base_offset == Offset(0));
  CHECK(f.orders->durable_end() == Offset(3));
  CHECK(f.orders->high_watermark().offset == Offset(3));
  CHECK(f.orders->log().synced_end().offset == Offset(0));
  CHECK(no_flush->waiting_count() == 0);
  CHECK(f.left_of(TopicId{{1}}) == Offset(3));
}

TEST_CASE(
    "partition journal: acks=1 data in front of an acks=all batch is durable with it, and behind it "
    "visible") {
  Fixture f;
  CHECK(f.append(batch().records(2), Acks::leader)->told().size() == 1);
  CHECK(f.orders->high_watermark().offset == Offset(2));
  const auto gate = f.shut();
  const auto waits = f.append(batch().records(1), Acks::all);
  CHECK(f.append(batch().records(1), Acks::leader)->told().size() == 1);
  CHECK(waits->told().empty());
  CHECK(f.orders->high_watermark().offset == Offset(2));
  gate->open();
  waits->wait_for(1);
  CHECK(f.orders->high_watermark().offset == Offset(4));
  CHECK(f.orders->durable_end() >= Offset(3));
  const auto left = f.left_of(TopicId{{1}});
  REQUIRE(left.has_value());
  CHECK(*left >= Offset(3));
}

TEST_CASE("partition journal: the high watermark waits for the first batch that a round does not cover") {
  Fixture f;
  const auto stall = f.faults.stall({FileCall::sync, kJournal});
  const auto first = f.append(batch().records(1), Acks::all);
  stall->wait_until_reached();
  // These come in the next round, whose sync is held as well.
  const auto next = f.faults.stall({FileCall::sync, kJournal});
  const auto between = f.append(batch().records(1), Acks::leader);
  const auto second = f.append(batch().records(1), Acks::all);
  const auto behind = f.append(batch().records(1), Acks::leader);
  CHECK(between->told().size() + behind->told().size() == 2);
  stall->release();
  first->wait_for(1);
  next->wait_until_reached();
  CHECK(second->told().empty());
  CHECK(f.orders->high_watermark().offset == Offset(2));
  CHECK(f.orders->durable_end() == Offset(1));
  f.orders->check_invariants();
  next->release();
  second->wait_for(1);
  CHECK(f.orders->high_watermark().offset == Offset(4));
}

TEST_CASE("partition journal: a duplicate waits for the round of its original") {
  Fixture f;
  const auto stall = f.faults.stall({FileCall::sync, kJournal});
  const auto original = f.append(batch().producer(7, 0, 0).records(2), Acks::all);
  stall->wait_until_reached();
  const auto repeat = f.append(batch().producer(7, 0, 0).records(2), Acks::all);
  const auto careless = f.append(batch().producer(7, 0, 0).records(2), Acks::leader);
  CHECK(repeat->told().empty());
  CHECK(careless->told().size() == 1);
  stall->release();
  original->wait_for(1);
  repeat->wait_for(1);
  CHECK(repeat->told()[0].result.base_offset == Offset(0));
  // And one whose original is durable waits for nothing.
  const auto later = f.append(batch().producer(7, 0, 0).records(2), Acks::all);
  CHECK(later->told().size() == 1);
  CHECK(f.orders->log().log_end().offset == Offset(2));
}

TEST_CASE("partition journal: one write and one sync answer the appends of all partitions") {
  Fixture f;
  const auto gate = f.shut();
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 5; ++i) {
    sinks.push_back(f.append(batch().records(1), Acks::all, f.orders));
    sinks.push_back(f.append(batch().records(1), Acks::all, f.other));
  }
  const auto before = f.disk.calls();
  gate->open();
  for (const auto& sink : sinks) sink->wait_for(1);
  CHECK(f.disk.calls().syncs == before.syncs + 1);
  CHECK(f.disk.calls().writes == before.writes + 1);
}

TEST_CASE("partition journal: what a frame cannot hold is flushed, and answered as well") {
  Fixture f;
  const auto sink = f.append(batch().sized(60'000), Acks::all);
  sink->wait_for(1);
  CHECK(sink->told()[0].result.error == ErrorCode::none);
  CHECK(f.orders->log().synced_end().offset == Offset(1));
  CHECK(f.dir->journal().round_count() == 0);
}

TEST_CASE("partition journal: a round that fails is flushed, and the answer is the flush's") {
  Fixture f;
  f.faults.fail({FileCall::sync, kJournal}, Errc::io_error);
  const auto sink = f.append(batch().records(1), Acks::all);
  sink->wait_for(1);
  CHECK(sink->told()[0].result.error == ErrorCode::none);
  CHECK(f.orders->log().synced_end().offset == Offset(1));
  CHECK(f.orders->is_online());
  CHECK_FALSE(f.dir->journal().is_in_use());
  const auto next = f.append(batch().records(1), Acks::all);
  next->wait_for(1);
  CHECK(f.orders->log().synced_end().offset == Offset(2));
  // Whatever was taken back counts as unflushed until it is flushed, and no longer.
  CHECK_FALSE(f.device->is_full());
}

TEST_CASE(
    "partition journal: a failed flush after a round takes the partition offline, what was answered stays") {
  Fixture f;
  f.append(batch().records(1), Acks::all)->wait_for(1);
  f.faults.fail({FileCall::sync, "/orders-0/", 1, kEveryCall}, Errc::io_error);
  f.orders->flush();
  CHECK_FALSE(f.orders->is_online());
  const auto refused = f.append(batch().records(1), Acks::all);
  REQUIRE(refused->told().size() == 1);
  CHECK(refused->told()[0].result.error == ErrorCode::kafka_storage_error);
  for (int i = 0; i < 100; ++i) {
    const auto sink = f.append(batch().records(1), Acks::all, f.other);
    sink->wait_for(1);
    CHECK(sink->told()[0].result.error == ErrorCode::none);
  }
  CHECK(f.left_of(TopicId{{1}}) == Offset(1));
}

TEST_CASE(
    "partition journal: a round under way when its partition goes offline shows nothing that was refused") {
  Fixture f;
  const auto stall = f.faults.stall({FileCall::sync, kJournal});
  const auto first = f.append(batch().records(1), Acks::all);
  stall->wait_until_reached();
  const auto second = f.append(batch().records(1), Acks::all);  // not in the round
  f.faults.fail({FileCall::sync, "/orders-0/", 1, kEveryCall}, Errc::io_error);
  f.orders->flush();
  second->wait_for(1);
  CHECK(second->told()[0].result.error == ErrorCode::kafka_storage_error);
  stall->release();
  f.append(batch().records(1), Acks::all, f.other)->wait_for(1);  // the next round, so the first is over
  CHECK(f.orders->high_watermark().offset <= Offset(1));
}

TEST_CASE("partition journal: a deleted partition needs no frame, whenever it is deleted") {
  const bool is_deleted_in_round = GENERATE(false, true);
  Fixture f;
  std::shared_ptr<Stall> stall;
  if (is_deleted_in_round) stall = f.faults.stall({FileCall::sync, kJournal});
  const auto sink = f.append(batch().records(1), Acks::all);
  if (is_deleted_in_round) {
    stall->wait_until_reached();
  } else {
    sink->wait_for(1);
  }
  f.orders->stop(ErrorCode::unknown_topic_or_partition);
  f.orders->log().retire();
  REQUIRE(f.dir->delete_log({"orders", PartitionIndex(0)}).ok());
  if (is_deleted_in_round) stall->release();
  sink->wait_for(1);
  // The other one makes room by its own flushes, and the frames of the deleted one are let go as well.
  bool is_gone = false;
  for (int i = 0; i < 20 && !is_gone; ++i) {
    f.other->flush();
    f.append(batch().records(1), Acks::all, f.other)->wait_for(1);
    is_gone = !f.left_of(TopicId{{1}}).has_value();
  }
  CHECK(is_gone);
}

// It may still be in the flusher's list when its partition is back in the directory.
TEST_CASE("partition journal: a flush of a partition that went takes no frames from the one in its place") {
  Fixture f;
  const auto before = f.orders;
  f.append(batch().records(1), Acks::all)->wait_for(1);
  before->stop(ErrorCode::not_leader_or_follower);
  before->log().retire();
  REQUIRE(f.dir->delete_log({"orders", PartitionIndex(0)}).ok());
  f.orders = f.create("orders", TopicId{{1}});
  f.append(batch().records(1), Acks::all)->wait_for(1);
  const auto stall = f.faults.stall({FileCall::sync, "/orders-0/"});
  std::thread flushing([&f] { f.orders->flush(); });
  stall->wait_until_reached();
  f.append(batch().records(1), Acks::all)->wait_for(1);  // not in that flush
  before->flush();
  stall->release();
  flushing.join();
  // Room for other frames is made by a flush of the one that is needed.
  const auto needed = f.faults.stall({FileCall::sync, "/orders-0/"});
  for (int i = 0; i < 200 && needed->waiting_count() == 0; ++i) {
    f.other->flush();
    f.append(batch().records(1), Acks::all, f.other)->wait_for(1);
  }
  CHECK(needed->waiting_count() > 0);
  needed->release();
}

TEST_CASE("partition journal: after a crash what was answered is there, durable and visible at once") {
  Fixture f;
  f.append(batch().producer(7, 0, 0).records(3), Acks::all)->wait_for(1);
  f.append(batch().records(2), Acks::leader);
  f.stop();
  f.disk.crash(1, CrashMode::lose_all);
  f.open();
  f.start();
  const auto stall = f.faults.stall({FileCall::sync, ".log", 1, kEveryCall});
  f.orders = f.reopen("orders");
  CHECK(f.orders->log().log_end().offset == Offset(3));
  CHECK(f.orders->durable_end() == Offset(3));
  CHECK(f.orders->high_watermark().offset == Offset(3));
  REQUIRE(f.orders->lead(LeaderEpoch(1)).ok());
  CHECK_FALSE(f.orders->is_catching_up());
  // The recovered part is flushed meanwhile, and a repeated batch needs not wait for that.
  stall->wait_until_reached();
  const auto repeat = f.append(batch().producer(7, 0, 0).records(3), Acks::all);
  CHECK(repeat->told().size() == 1);
  const auto next = f.append(batch().producer(7, 0, 3).records(1), Acks::all);
  next->wait_for(1);
  CHECK(next->told()[0].result.base_offset == Offset(3));
  stall->release();
  wait_until([&] { return f.orders->log().synced_end().offset >= Offset(3); });
}

TEST_CASE("partition journal: of a recovered tail only what the journal has is durable at once") {
  Fixture f;
  f.append(batch().records(3), Acks::all)->wait_for(1);
  f.append(batch().records(2), Acks::leader);
  f.stop();
  f.open();  // killed, so all of it is in the page cache
  f.start();
  const auto stall = f.faults.stall({FileCall::sync, ".log", 1, kEveryCall});
  f.orders = f.reopen("orders");
  CHECK(f.orders->log().log_end().offset == Offset(5));
  CHECK(f.orders->high_watermark().offset == Offset(3));
  REQUIRE(f.orders->lead(LeaderEpoch(1)).ok());
  CHECK(f.orders->is_catching_up());
  stall->release();
  wait_until([&] { return !f.orders->is_catching_up(); });
  CHECK(f.orders->high_watermark().offset == Offset(5));
}

TEST_CASE("partition journal: appends, rounds, flushes and deletions at once keep every promise") {
  storage::LogConfig config;
  config.segment_bytes = 20'000;  // rolls flush
  Fixture f(4, config);
  constexpr int kThreads = 4;
  constexpr int kAppends = 250;
  // On a busy machine the flushes below may be quicker than every round: one comes before them.
  f.append(batch().records(1).bytes(), Acks::all)->wait_for(1);
  const auto sink_orders = std::make_shared<RecordingSink>();
  const auto sink_other = std::make_shared<RecordingSink>();
  const auto doomed = f.create("doomed", TopicId{{3}});
  const auto sink_doomed = std::make_shared<RecordingSink>();
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kAppends; ++i) {
        const bool first = (i + t) % 2 == 0;
        const Acks acks = i % 3 == 0 ? Acks::leader : Acks::all;
        Bytes bytes = batch().record("k", std::string(static_cast<std::size_t>(i) % 900, 'v'));
        const auto header = header_of(bytes);
        (first ? f.orders : f.other)->append({bytes, header, acks, first ? sink_orders : sink_other, 0});
        Bytes more = batch().records(1);
        const auto more_header = header_of(more);
        doomed->append({more, more_header, Acks::all, sink_doomed, 0});
        (first ? f.orders : f.other)->check_invariants();
      }
    });
  }
  threads.emplace_back([&] {
    while (!is_over) {
      f.flusher->request(f.orders);
      f.flusher->request(f.other);
      std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    sink_doomed->wait_for(100);
    doomed->stop(ErrorCode::unknown_topic_or_partition);
    doomed->log().retire();
    if (!f.dir->delete_log({"doomed", PartitionIndex(0)}).ok()) std::abort();
  });
  wait_until([&] {
    f.writer.run_all();
    return sink_orders->told().size() + sink_other->told().size() + sink_doomed->told().size() >=
           2 * kThreads * kAppends;
  });
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  for (const auto& sink : {sink_orders, sink_other}) {
    for (const auto& told : sink->told()) CHECK(told.result.error == ErrorCode::none);
  }
  CHECK(f.dir->journal().round_count() > 0);
  f.stop();
  f.disk.crash(1, CrashMode::lose_all);
  f.open();
  f.start();
  for (const auto& [topic, sink] : {std::pair{"orders", sink_orders}, {"other", sink_other}}) {
    const auto partition = f.reopen(topic);
    // Of acks=1 the last few may be gone; the last batch with acks=all is the least that is there.
    CHECK(partition->log().log_end().offset >= Offset(kThreads * kAppends / 2 - kThreads));
  }
  f.dir->journal().stop();
  f.flusher->stop();
}

TEST_CASE("partition journal: the device knows that somebody waits for a flush, and acks=1 waits for none") {
  Fixture f;
  f.append(batch().records(1), Acks::leader)->wait_for(1);
  CHECK_FALSE(f.device->has_awaited_flushes());
  f.append(batch().records(1), Acks::all)->wait_for(1);
  CHECK(f.device->has_awaited_flushes());
}

TEST_CASE("partition journal: what a reactor takes in at once is one round, asked for at its end") {
  Fixture f;
  int asked = 0;
  broker::DurabilityRound round([&] { ++asked; });
  for (int turn = 1; turn <= 2; ++turn) {
    std::vector<std::shared_ptr<RecordingSink>> sinks;
    {
      const broker::DurabilityRound::Scope gathering(round);
      for (const auto& to : {f.orders, f.other, f.orders})
        sinks.push_back(f.append(batch().records(1), Acks::all, to));
    }
    CHECK(asked == turn);
    CHECK(f.dir->journal().round_count() == turn - 1);
    for (const auto& sink : sinks) CHECK(sink->told().empty());
    round.end();
    for (const auto& sink : sinks) sink->wait_for(1);
    CHECK(f.dir->journal().round_count() == turn);
    round.end();
  }
}
