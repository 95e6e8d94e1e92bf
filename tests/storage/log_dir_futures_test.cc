// Copies of partitions of another log directory: what a power cut leaves of each step, and what becomes of
// them.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/log_dir.h"
#include "storage/partition_folder.h"
#include "tests/support/batches.h"
#include "tests/support/create_log.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/journaled_dir.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/memory_log_dir.h"

namespace sillok::storage {
namespace {

using tests::batch;
using tests::CrashMode;

const TopicPartition kOrders{"orders", PartitionIndex(3)};
const TopicId kTopicId{{1}};
constexpr Offset kStart{5};

// A recovery reads from the last index entry on.
LogConfig config() {
  LogConfig config;
  config.index_interval_bytes = 1;
  return config;
}

// A log directory that comes and goes, and the batches that a future gets.
struct Fixture {
  std::unique_ptr<LogDir> open() { return tests::open_log_dir(files, clock); }
  static std::unique_ptr<Log> begin(LogDir& log_dir, const TopicId& id = kTopicId) {
    auto begun = log_dir.begin_future(kOrders, id, config(), kStart);
    INFO((begun.ok() ? std::string() : begun.error().describe()));
    REQUIRE(begun.ok());
    return std::move(begun).value();
  }
  static Bytes last_batch() { return batch().at(9).leader_epoch(4).producer(7, 0, 2).records(3).bytes(); }
  static void fill(Log& log) {
    const Bytes bytes =
        tests::join({batch().at(5).leader_epoch(2).producer(7, 0, 0).records(2).bytes(), last_batch()});
    REQUIRE(log.append_as_follower(bytes).ok());
    REQUIRE(log.set_log_start(Offset(6)).ok());
  }
  static void settle(LogDir& log_dir, Log& log) {
    REQUIRE(log.close().ok());
    REQUIRE(log_dir.settle_future(kOrders, log).ok());
  }
  // What fill() wrote is all there.
  static void check_whole(LogDir& log_dir) {
    RecoveryReport report;
    const auto log = log_dir.open_log(kOrders, config(), report);
    INFO((log.ok() ? std::string() : log.error().describe()));
    REQUIRE(log.ok());
    CHECK(report.scanned_bytes <= static_cast<ByteCount>(last_batch().size()));
    CHECK(report.rebuilt_index_count == 0);
    CHECK((*log)->topic_id() == kTopicId);
    CHECK((*log)->log_start() == Offset(6));
    CHECK((*log)->log_end().offset == Offset(12));
    CHECK((*log)->synced_end().offset == Offset(12));
    CHECK((*log)->latest_leader_epoch() == LeaderEpoch(4));
    CHECK((*log)->leader_epoch_at(Offset(6)) == LeaderEpoch(2));
    REQUIRE((*log)->producers().size() == 1);
    CHECK((*log)->producers().front().last_sequence == 4);
  }
  std::vector<std::string> folders() {
    std::vector<std::string> names;
    const auto entries = disk.list_directory("/data");
    for (const DirectoryEntry& entry : *entries) {
      if (entry.is_directory) names.push_back(entry.name);
    }
    return names;
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  tests::FaultFileSystem files{disk};
};

TEST_CASE("partition folder: a future has Kafka's name, and never a shortened one") {
  std::array<std::uint8_t, 16> unique{};
  unique[15] = 0x0f;
  const auto name = future_folder_name(kOrders, unique);
  CHECK(name == "orders-3.0000000000000000000000000000000f-future");
  CHECK(parse_future_folder(*name) == kOrders);
  CHECK_FALSE(parse_partition_folder(*name));
  CHECK_FALSE(is_deleted_folder(*name));
  CHECK_FALSE(parse_future_folder("orders-3"));
  CHECK_FALSE(parse_future_folder("orders-3.0000000000000000000000000000000f-delete"));
  CHECK_FALSE(parse_future_folder("orders-3.0000000000000000000000000000000-future"));
  CHECK_FALSE(parse_future_folder("orders.0000000000000000000000000000000f-future"));
  // A topic may have 249 characters, and a file name 255.
  CHECK(future_folder_name({std::string(213, 'x'), PartitionIndex(1)}, unique)->size() == 255);
  CHECK_FALSE(future_folder_name({std::string(214, 'x'), PartitionIndex(1)}, unique));
}

TEST_CASE("log dir: a future is no partition, and nothing to warn of") {
  Fixture fixture;
  Fixture::begin(*fixture.open());
  fixture.disk.crash(1, CrashMode::lose_all);
  const auto log_dir = fixture.open();
  CHECK(log_dir->warnings().empty());
  CHECK(log_dir->find_partitions()->empty());
  CHECK_FALSE(log_dir->has_folder(kOrders));
  CHECK(log_dir->folder_count() == 0);
  const auto futures = log_dir->find_futures();
  REQUIRE(futures->size() == 1);
  CHECK(futures->front().name == kOrders);
  CHECK(futures->front().topic_id == kTopicId);
  CHECK(log_dir->unrecovered_folders().empty());
  CHECK(log_dir->close_clean({}).ok());
}

TEST_CASE("log dir: the topic of a future whose partition.metadata does not read is unknown") {
  Fixture fixture;
  Fixture::begin(*fixture.open());
  REQUIRE(fixture.disk.remove("/data/" + fixture.folders().front() + "/partition.metadata").ok());
  CHECK(fixture.open()->find_futures()->front().topic_id.is_zero());
}

TEST_CASE("log dir: a future takes the place of an older one, whose files go") {
  Fixture fixture;
  const auto log_dir = fixture.open();
  Fixture::fill(*Fixture::begin(*log_dir));
  const auto log = Fixture::begin(*log_dir, TopicId{{2}});
  CHECK(log->log_end().offset == kStart);
  CHECK(log_dir->find_futures()->front().topic_id == TopicId{{2}});
  CHECK(fixture.folders().size() == 2);
  REQUIRE(log_dir->remove_deleted_partitions(fixture.clock.steady(), 60'000).ok());
  CHECK(fixture.folders().size() == 1);
  REQUIRE(log_dir->drop_future(kOrders).ok());
  CHECK_FALSE(log_dir->has_future(kOrders));
  CHECK(log_dir->find_futures()->empty());
  CHECK(log_dir->drop_future(kOrders).error().code == Errc::not_found);
  fixture.disk.crash(1, CrashMode::lose_all);
  CHECK(fixture.open()->find_futures()->empty());
}

TEST_CASE("log dir: a promoted future is the partition, and opens without a scan") {
  Fixture fixture;
  const bool was_clean = GENERATE(true, false);
  if (was_clean) REQUIRE(fixture.open()->close_clean({}).ok());
  const auto log_dir = fixture.open();
  const auto log = Fixture::begin(*log_dir);
  Fixture::fill(*log);
  Fixture::settle(*log_dir, *log);
  REQUIRE(log_dir->promote_future(kOrders).ok());
  CHECK_FALSE(log_dir->has_future(kOrders));
  CHECK(log_dir->has_folder(kOrders));
  CHECK(log_dir->topic_id_of(kOrders) == kTopicId);
  Fixture::check_whole(*log_dir);
}

TEST_CASE("log dir: a future is not promoted in the place of a partition, nor begun beside it") {
  Fixture fixture;
  const auto log_dir = fixture.open();
  CHECK(log_dir->promote_future(kOrders).error().code == Errc::not_found);
  const auto log = Fixture::begin(*log_dir);
  Fixture::settle(*log_dir, *log);
  REQUIRE(tests::create_log(*log_dir, kOrders, TopicId{{9}}, LogConfig{}).ok());
  CHECK(log_dir->promote_future(kOrders).error().code == Errc::already_exists);
  CHECK(log_dir->begin_future(kOrders, kTopicId, LogConfig{}, kStart).error().code == Errc::already_exists);
  CHECK(log_dir->has_future(kOrders));
}

TEST_CASE("log dir: a future that is not all on disk is not settled") {
  Fixture fixture;
  const auto log_dir = fixture.open();
  const auto log = Fixture::begin(*log_dir);
  Fixture::fill(*log);
  CHECK(log_dir->settle_future(kOrders, *log).error().code == Errc::offline);
}

TEST_CASE("log dir: what was settled does not outlive the future that it was of") {
  Fixture fixture;
  {
    const auto log_dir = fixture.open();
    const auto log = Fixture::begin(*log_dir);
    Fixture::fill(*log);
    Fixture::settle(*log_dir, *log);
    REQUIRE(log_dir->drop_future(kOrders).ok());
    const auto next = Fixture::begin(*log_dir);
    REQUIRE(next->append_as_follower(batch().at(5).leader_epoch(2).records(1).bytes()).ok());
    REQUIRE(next->flush().ok());
  }
  fixture.disk.crash(1, CrashMode::lose_all);
  const auto log_dir = fixture.open();
  REQUIRE(log_dir->promote_future(kOrders).ok());
  RecoveryReport report;
  const auto log = log_dir->open_log(kOrders, LogConfig{}, report);
  REQUIRE(log.ok());
  CHECK((*log)->health() == LogHealth::healthy);
  CHECK((*log)->log_end().offset == Offset(6));
  CHECK((*log)->log_start() == Offset(5));
}

TEST_CASE(
    "log dir: after a power cut a future is whole once it was settled, and the partition once promoted") {
  const auto mode =
      GENERATE(CrashMode::lose_all, CrashMode::keep_all, CrashMode::random, CrashMode::random_names);
  const int steps = GENERATE(range(0, 6));
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 6));
  Fixture fixture;
  {
    const auto log_dir = fixture.open();
    std::unique_ptr<Log> log;
    if (steps >= 1) log = Fixture::begin(*log_dir);
    if (steps >= 2) Fixture::fill(*log);
    if (steps >= 3) REQUIRE(log->flush().ok());
    if (steps >= 4) Fixture::settle(*log_dir, *log);
    if (steps >= 5) REQUIRE(log_dir->promote_future(kOrders).ok());
    fixture.disk.crash(seed, mode);
  }
  const auto log_dir = fixture.open();
  REQUIRE(log_dir->find_partitions().ok());
  CHECK(log_dir->has_future(kOrders) == (steps >= 1 && steps < 5));
  CHECK(log_dir->has_folder(kOrders) == (steps >= 5));
  if (steps < 4) return;
  if (steps == 4) REQUIRE(log_dir->promote_future(kOrders).ok());
  Fixture::check_whole(*log_dir);
}

TEST_CASE("log dir: whichever change of a name fails, there is a future or a partition and never both") {
  const auto call = GENERATE(tests::FileCall::rename, tests::FileCall::sync_directory);
  Fixture fixture;
  {
    const auto log_dir = fixture.open();
    const auto log = Fixture::begin(*log_dir);
    Fixture::fill(*log);
    Fixture::settle(*log_dir, *log);
    fixture.files.fail({call, "", 1, 1}, Errc::io_error);
    CHECK_FALSE(log_dir->promote_future(kOrders).ok());
    fixture.disk.crash(1, GENERATE(CrashMode::lose_all, CrashMode::keep_all));
  }
  const auto log_dir = fixture.open();
  REQUIRE(log_dir->find_partitions().ok());
  CHECK(log_dir->has_future(kOrders) != log_dir->has_folder(kOrders));
  if (log_dir->has_future(kOrders)) REQUIRE(log_dir->promote_future(kOrders).ok());
  Fixture::check_whole(*log_dir);
}

TEST_CASE("log: a copy takes the epochs and producers of the original that its batches do not bring") {
  Fixture fixture;
  const auto log_dir = fixture.open();
  auto original = tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).value();
  REQUIRE(
      original->append_as_follower(batch().at(0).leader_epoch(1).producer(7, 0, 0).records(2).bytes()).ok());
  REQUIRE(original->append_as_follower(batch().at(2).leader_epoch(3).records(2).bytes()).ok());
  REQUIRE(original->assign_leader_epoch(LeaderEpoch(8)).ok());
  const TopicPartition name{"copies", PartitionIndex(0)};
  {
    auto copy = log_dir->begin_future(name, kTopicId, LogConfig{}, Offset(2)).value();
    REQUIRE(copy->append_as_follower(batch().at(2).leader_epoch(3).records(2).bytes()).ok());
    REQUIRE(copy->take_history_of(*original).ok());
    CHECK(copy->latest_leader_epoch() == LeaderEpoch(8));
    REQUIRE(copy->close().ok());
    REQUIRE(log_dir->settle_future(name, *copy).ok());
    REQUIRE(log_dir->promote_future(name).ok());
  }
  RecoveryReport report;
  const auto copy = log_dir->open_log(name, LogConfig{}, report).value();
  CHECK(copy->latest_leader_epoch() == LeaderEpoch(8));
  CHECK(copy->end_offset_for_epoch(LeaderEpoch(3)).end_offset == Offset(4));
  REQUIRE(copy->producers().size() == 1);
  CHECK(copy->producers().front().producer_id == ProducerId(7));
  CHECK(copy->producers().front().last_sequence == 1);
}

// It left records in the journal when it moved away, which a crash must not bring back.
TEST_CASE("log dir: a partition that came back is not given what the journal had of it before") {
  tests::JournaledDir d;
  d.start({"a"});
  for (int i = 0; i < 3; ++i) d.append("a");
  d.commit("a");
  auto& partition = d["a"];
  const auto slice =
      partition.log->read(Offset(0), partition.log->log_end(), 1, Log::FirstBatch::whole, IoMode::may_block);
  REQUIRE(slice.ok());
  Bytes bytes(static_cast<std::size_t>(slice->size));
  REQUIRE(slice->file->read_at(slice->position, bytes).ok());
  partition.log->retire();
  REQUIRE(d.dir->delete_log(partition.name).ok());
  {
    const auto copy = d.dir->begin_future(partition.name, partition.topic, d.config, Offset(0)).value();
    REQUIRE(copy->append_as_follower(bytes).ok());
    REQUIRE(copy->close().ok());
    REQUIRE(d.dir->settle_future(partition.name, *copy).ok());
    REQUIRE(d.dir->promote_future(partition.name).ok());
  }
  d.forget_expectations("a");
  d.crash(1, CrashMode::lose_all);
  REQUIRE(d.try_open().ok());
  REQUIRE(d.dir->find_partitions().ok());
  RecoveryReport report;
  const auto log = d.dir->open_log({"a", PartitionIndex(0)}, d.config, report);
  REQUIRE(log.ok());
  CHECK(report.restored_bytes == 0);
  CHECK((*log)->log_end().offset == Offset(1));
}

}  // namespace
}  // namespace sillok::storage
