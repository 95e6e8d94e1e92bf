#include "storage/log_dir.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "storage/checkpoint_file.h"
#include "storage/meta_properties.h"
#include "storage/partition_folder.h"
#include "storage/partition_metadata.h"
#include "storage/recovery_points.h"
#include "tests/support/batches.h"
#include "tests/support/create_log.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

using tests::batch;
using tests::CrashMode;

const TopicPartition kOrders{"orders", PartitionIndex(3)};
const TopicId kTopicId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");

struct Fixture {
  LogDirOptions options(FileSystem& used) {
    LogDirOptions options;
    options.file_system = &used;
    options.clock = &clock;
    options.path = "/data/logs";
    return options;
  }
  Result<std::unique_ptr<LogDir>> try_open(std::string cluster_id = "", BrokerId node_id = BrokerId(1)) {
    LogDirOptions wanted = options(disk);
    wanted.cluster_id = std::move(cluster_id);
    wanted.node_id = node_id;
    return LogDir::open(wanted);
  }
  std::unique_ptr<LogDir> open() {
    auto opened = try_open();
    INFO((opened.ok() ? std::string() : opened.error().describe()));
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }
  std::string file(std::string_view name) {
    auto content = read_file(disk, join_path("/data/logs", name), 1 << 20);
    return content.ok() ? *content : "";
  }
  void put(std::string_view name, std::string_view content) {
    REQUIRE(replace_file(disk, join_path("/data/logs", name), content).ok());
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
};

std::unique_ptr<Log> create(LogDir& log_dir, const TopicPartition& name = kOrders) {
  auto log = tests::create_log(log_dir, name, kTopicId, LogConfig{});
  INFO((log.ok() ? std::string() : log.error().describe()));
  REQUIRE(log.ok());
  return std::move(log).value();
}

std::unique_ptr<Log> open_log(LogDir& log_dir, RecoveryReport& report, const TopicPartition& name = kOrders) {
  auto log = log_dir.open_log(name, LogConfig{}, report);
  INFO((log.ok() ? std::string() : log.error().describe()));
  REQUIRE(log.ok());
  return std::move(log).value();
}

void append(Log& log, int record_count) {
  Bytes bytes = batch().records(record_count).bytes();
  AppendEntry entry;
  entry.batch = bytes;
  entry.header = tests::header_of(bytes);
  REQUIRE(log.append_as_leader({&entry, 1}, LeaderEpoch(0)).ok());
}

LogDir::CheckpointEntry entry_of(const Log& log, const TopicPartition& name = kOrders) {
  return {name, &log, log.log_end().offset};
}

Result<void> close_clean(LogDir& log_dir, Log& log) {
  REQUIRE(log.close().ok());
  const LogDir::CheckpointEntry entry = entry_of(log);
  return log_dir.close_clean({&entry, 1});
}

TEST_CASE("partition folder: names are a topic, a dash and a number, and nothing else") {
  CHECK(parse_partition_folder("orders-3") == kOrders);
  CHECK(parse_partition_folder("a-b-0") == TopicPartition{"a-b", PartitionIndex(0)});
  CHECK(parse_partition_folder("a--1") == TopicPartition{"a-", PartitionIndex(1)});
  CHECK(parse_partition_folder(std::string(249, 'x') + "-2147483647").has_value());
  const std::string too_long = std::string(250, 'x') + "-0";
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "", "-", "-0", "orders", "orders-", "orders-x", "orders--", "orders-03", "orders-+3",
           "orders-2147483648", "o/r-0", "..-0", ".-0", "orders-3.00000000000000000000000000000001-delete",
           too_long}) {
    INFO(name);
    CHECK(!parse_partition_folder(name).has_value());
  }
}

TEST_CASE("partition folder: a deleted one has Kafka's name, and that fits into a file name") {
  std::array<std::uint8_t, 16> unique{};
  unique[0] = 0xab;
  const std::string name = deleted_folder_name(kOrders, unique);
  CHECK(name == "orders-3.ab000000000000000000000000000000-delete");
  CHECK(is_deleted_folder(name));
  CHECK(deleted_folder_name({std::string(249, 'x'), PartitionIndex(12)}, unique).size() == 255);
  CHECK(is_deleted_folder(deleted_folder_name({std::string(249, 'x'), PartitionIndex(12)}, unique)));
  CHECK(!is_deleted_folder("orders-3"));
  CHECK(!is_deleted_folder("orders-3.ab00000000000000000000000000000-delete"));
  CHECK(!is_deleted_folder("orders-3.xb000000000000000000000000000000-delete"));
  CHECK(!is_deleted_folder("-delete"));
}

TEST_CASE("log dir: a new directory gets an identity that stays") {
  Fixture fixture;
  const std::string cluster_id = fixture.open()->cluster_id();
  CHECK(Uuid::parse(cluster_id).has_value());
  fixture.disk.crash(1, CrashMode::lose_all);
  auto again = fixture.open();
  CHECK(again->cluster_id() == cluster_id);
  const auto meta = parse_meta_properties(fixture.file("meta.properties"));
  REQUIRE(meta.ok());
  CHECK(meta->node_id == BrokerId(1));
  CHECK(meta->directory_id.has_value());
}

TEST_CASE("log dir: the directory of another node or cluster is refused, and untouched") {
  Fixture fixture;
  REQUIRE(fixture.try_open("ours").ok());
  const std::int64_t writes = fixture.disk.calls().writes;
  CHECK(fixture.try_open("ours", BrokerId(2)).error().code == Errc::invalid_config);
  CHECK(fixture.try_open("theirs").error().code == Errc::invalid_config);
  CHECK(fixture.disk.calls().writes == writes);
  CHECK(fixture.open()->cluster_id() == "ours");
}

TEST_CASE("log dir: partitions without meta.properties beside them are taken over, with a warning") {
  Fixture fixture;
  {
    auto log = create(*fixture.open());
  }
  REQUIRE(fixture.disk.remove("/data/logs/meta.properties").ok());
  auto log_dir = fixture.open();
  REQUIRE(!log_dir->warnings().empty());
  CHECK(log_dir->warnings().back().find("meta.properties") != std::string::npos);
  CHECK(log_dir->find_partitions()->size() == 1);
}

TEST_CASE("log dir: one process at a time") {
  Fixture fixture;
  auto first = fixture.open();
  CHECK(fixture.try_open().error().code == Errc::lock_held);
  first.reset();
  fixture.open();
}

TEST_CASE("log dir: incarnations only grow, through any crash") {
  Fixture fixture;
  std::int64_t last = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::int64_t incarnation = fixture.open()->incarnation();
    CHECK(incarnation > last);
    last = incarnation;
    fixture.disk.crash(seed, CrashMode::random_names);
  }
}

TEST_CASE("log dir: partitions are found with their topic ids, other folders are left alone") {
  Fixture fixture;
  auto log_dir = fixture.open();
  create(*log_dir);
  create(*log_dir, {"a.b", PartitionIndex(0)});
  REQUIRE(fixture.disk.make_directory("/data/logs/lost+found").ok());
  REQUIRE(fixture.disk.make_directory("/data/logs/old-7").ok());
  log_dir.reset();
  log_dir = fixture.open();
  const auto found = log_dir->find_partitions();
  REQUIRE(found.ok());
  REQUIRE(found->size() == 3);
  CHECK((*found)[0].name == TopicPartition{"a.b", PartitionIndex(0)});
  CHECK((*found)[0].topic_id == kTopicId);
  CHECK((*found)[1].name == TopicPartition{"old", PartitionIndex(7)});
  CHECK((*found)[1].topic_id.is_zero());
  CHECK(*fixture.disk.exists("/data/logs/lost+found"));
}

TEST_CASE("log dir: a created log is there after a power cut") {
  Fixture fixture;
  create(*fixture.open());
  fixture.disk.crash(1, CrashMode::lose_all);
  auto log_dir = fixture.open();
  RecoveryReport report;
  CHECK(open_log(*log_dir, report)->topic_id() == kTopicId);
  CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).error().code == Errc::already_exists);
}

TEST_CASE("log dir: what a crash left of a creation does not stand in the way of the next") {
  Fixture fixture;
  fixture.open();
  REQUIRE(fixture.disk.make_directory("/data/logs/orders-3").ok());
  auto log_dir = fixture.open();
  append(*create(*log_dir), 1);
  REQUIRE(fixture.disk.remove("/data/logs/orders-3/partition.metadata").ok());
  // But records are never moved away.
  CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).error().code == Errc::already_exists);
}

TEST_CASE(
    "log dir: after a clean stop nothing is scanned, after any other one the rest behind the recovery "
    "point") {
  Fixture fixture;
  {
    auto log_dir = fixture.open();
    CHECK(!log_dir->was_clean());
    auto log = create(*log_dir);
    for (int i = 0; i < 20; ++i) append(*log, 100);
    REQUIRE(close_clean(*log_dir, *log).ok());
  }
  fixture.disk.crash(1, CrashMode::lose_all);
  {
    auto log_dir = fixture.open();
    CHECK(log_dir->was_clean());
    RecoveryReport report;
    auto log = open_log(*log_dir, report);
    CHECK(report.scanned_bytes == 0);
    CHECK(log->log_end().offset == Offset(2000));
    append(*log, 7);
    REQUIRE(log->flush().ok());
  }
  fixture.disk.crash(1, CrashMode::lose_all);
  auto log_dir = fixture.open();
  CHECK(!log_dir->was_clean());
  RecoveryReport report;
  auto log = open_log(*log_dir, report);
  CHECK(log->log_end().offset == Offset(2007));
  CHECK(report.scanned_bytes > 0);
  CHECK(report.scanned_bytes < log->size() / 2);
}

TEST_CASE("log dir: a clean mark vouches for a run that closed every log in good health, and for no other") {
  Fixture fixture;
  auto log_dir = fixture.open();
  auto log = create(*log_dir);
  append(*log, 3);
  SECTION("a log is missing") { CHECK(log_dir->close_clean({}).error().code == Errc::offline); }
  SECTION("a log is not flushed") {
    const LogDir::CheckpointEntry entry = entry_of(*log);
    CHECK(log_dir->close_clean({&entry, 1}).error().code == Errc::offline);
  }
  SECTION("a partition was not recovered") {
    REQUIRE(log->flush().ok());
    log_dir.reset();
    log_dir = fixture.open();
    CHECK(log_dir->close_clean({}).ok());
    CHECK(log_dir->unrecovered_folders() == std::vector<std::string>{"orders-3"});
  }
  log_dir.reset();
  CHECK(!fixture.open()->was_clean());
}

TEST_CASE("log dir: a partition that nobody opened stays clean through the next clean stop") {
  Fixture fixture;
  {
    auto log_dir = fixture.open();
    auto log = create(*log_dir);
    append(*log, 5);
    REQUIRE(close_clean(*log_dir, *log).ok());
  }
  REQUIRE(fixture.open()->close_clean({}).ok());
  auto log_dir = fixture.open();
  CHECK(log_dir->was_clean());
  RecoveryReport report;
  CHECK(open_log(*log_dir, report)->log_end().offset == Offset(5));
  const auto points = read_recovery_points(fixture.disk, "/data/logs");
  REQUIRE(points.ok());
  REQUIRE(points->size() == 1);
  CHECK(points->front().point.offset == Offset(5));
}

TEST_CASE(
    "log dir: checkpoints are Kafka's files and the sidecar, written after the flush that they describe") {
  Fixture fixture;
  auto log_dir = fixture.open();
  auto log = create(*log_dir);
  append(*log, 10);
  REQUIRE(log->flush().ok());
  append(*log, 5);
  LogDir::CheckpointEntry entry = entry_of(*log);
  REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
  CHECK(fixture.file("recovery-point-offset-checkpoint") == "0\n1\norders 3 10\n");
  CHECK(fixture.file("replication-offset-checkpoint") == "0\n1\norders 3 15\n");
  CHECK(fixture.file("log-start-offset-checkpoint").empty());
  const auto points = read_recovery_points(fixture.disk, "/data/logs");
  REQUIRE(points->size() == 1);
  CHECK(points->front().point.offset == Offset(10));
  REQUIRE(log->set_log_start(Offset(4)).ok());
  REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
  CHECK(fixture.file("log-start-offset-checkpoint") == "0\n1\norders 3 4\n");
  log_dir.reset();
  fixture.disk.crash(1, CrashMode::lose_all);
  log_dir = fixture.open();
  RecoveryReport report;
  CHECK(open_log(*log_dir, report)->log_start() == Offset(4));
}

TEST_CASE("log dir: checkpoints without anything new are not written") {
  Fixture fixture;
  auto log_dir = fixture.open();
  auto log = create(*log_dir);
  append(*log, 10);
  REQUIRE(log->flush().ok());
  const LogDir::CheckpointEntry entry = entry_of(*log);
  REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
  const auto before = fixture.disk.calls();
  REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
  CHECK(fixture.disk.calls().writes == before.writes);
  CHECK(fixture.disk.calls().syncs == before.syncs);
}

TEST_CASE("log dir: a checkpoint that could not be written is written the next time") {
  Fixture fixture;
  tests::FaultFileSystem faulty(fixture.disk);
  auto log_dir = LogDir::open(fixture.options(faulty));
  REQUIRE(log_dir.ok());
  auto log = create(**log_dir);
  append(*log, 10);
  REQUIRE(log->flush().ok());
  const LogDir::CheckpointEntry entry = entry_of(*log);
  faulty.fail({tests::FileCall::rename, "recovery-point"}, Errc::no_space);
  CHECK(!(*log_dir)->write_checkpoints({&entry, 1}).ok());
  REQUIRE((*log_dir)->write_checkpoints({&entry, 1}).ok());
  CHECK(fixture.file("recovery-point-offset-checkpoint") == "0\n1\norders 3 10\n");
  CHECK(fixture.file("replication-offset-checkpoint") == "0\n1\norders 3 10\n");
}

TEST_CASE("log dir: a malformed checkpoint counts as absent, with a warning") {
  Fixture fixture;
  {
    auto log_dir = fixture.open();
    auto log = create(*log_dir);
    append(*log, 10);
    REQUIRE(log->flush().ok());
    REQUIRE(log->set_log_start(Offset(4)).ok());
    const LogDir::CheckpointEntry entry = entry_of(*log);
    REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
  }
  const auto [name, start] =
      GENERATE(table<std::string, std::int64_t>({{"sillok-recovery-points", 4},
                                                 {"log-start-offset-checkpoint", 0},
                                                 {"replication-offset-checkpoint", 4}}));
  fixture.put(name, "garbage");
  auto log_dir = fixture.open();
  REQUIRE(log_dir->warnings().size() == 1);
  CHECK(log_dir->warnings().front().find(name) != std::string::npos);
  RecoveryReport report;
  auto log = open_log(*log_dir, report);
  CHECK(log->log_end().offset == Offset(10));
  CHECK(log->log_start() == Offset(start));
}

TEST_CASE("log dir: a deleted partition is gone at once and durably, its files when their delay is over") {
  Fixture fixture;
  auto log_dir = fixture.open();
  append(*create(*log_dir), 10);
  REQUIRE(log_dir->delete_log(kOrders).ok());
  CHECK(log_dir->find_partitions()->empty());
  const auto folders = [&] {
    int count = 0;
    const auto entries = fixture.disk.list_directory("/data/logs");
    for (const DirectoryEntry& entry : *entries) count += is_deleted_folder(entry.name) ? 1 : 0;
    return count;
  };
  CHECK(folders() == 1);
  REQUIRE(log_dir->remove_deleted_partitions(fixture.clock.steady(), 1000).ok());
  CHECK(folders() == 1);
  SECTION("by the clock") {
    fixture.clock.advance(std::chrono::milliseconds(1000));
    REQUIRE(log_dir->remove_deleted_partitions(fixture.clock.steady(), 1000).ok());
  }
  SECTION("after a power cut, when nobody reads them any more") {
    log_dir.reset();
    fixture.disk.crash(1, CrashMode::lose_all);
    log_dir = fixture.open();
    CHECK(log_dir->find_partitions()->empty());
    CHECK(folders() == 1);
    REQUIRE(log_dir->remove_deleted_partitions(fixture.clock.steady(), 1000).ok());
  }
  CHECK(folders() == 0);
}

TEST_CASE("log dir: a new partition knows nothing of a deleted one of its name, whenever the power goes") {
  Fixture fixture;
  auto log_dir = fixture.open();
  {
    auto log = create(*log_dir);
    append(*log, 50);
    REQUIRE(log->flush().ok());
    REQUIRE(log->set_log_start(Offset(20)).ok());
    const LogDir::CheckpointEntry entry = entry_of(*log);
    REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
    REQUIRE(log_dir->delete_log(kOrders).ok());
    // One that was collected before the deletion comes too late.
    REQUIRE(log_dir->write_checkpoints({&entry, 1}).ok());
    CHECK(fixture.file("recovery-point-offset-checkpoint") == "0\n0\n");
  }
  auto log = create(*log_dir);
  append(*log, 3);
  REQUIRE(log->flush().ok());
  log_dir.reset();
  fixture.disk.crash(1, CrashMode::lose_all);
  log_dir = fixture.open();
  RecoveryReport report;
  log = open_log(*log_dir, report);
  CHECK(log->log_start() == Offset(0));
  CHECK(log->log_end().offset == Offset(3));
  CHECK(log->health() == LogHealth::healthy);
}

TEST_CASE("log dir: a checkpoint of a deleted log says nothing about a new one of its name") {
  Fixture fixture;
  auto log_dir = fixture.open();
  const auto old = create(*log_dir);
  append(*old, 50);
  REQUIRE(old->flush().ok());
  REQUIRE(old->set_log_start(Offset(20)).ok());
  old->retire();
  REQUIRE(log_dir->delete_log(kOrders).ok());
  const auto log = create(*log_dir);
  append(*log, 3);
  const LogDir::CheckpointEntry entries[] = {entry_of(*log), entry_of(*old)};
  REQUIRE(log_dir->write_checkpoints(entries).ok());
  CHECK(fixture.file("recovery-point-offset-checkpoint") == "0\n1\norders 3 0\n");
  CHECK(fixture.file("log-start-offset-checkpoint") == "0\n0\n");
}

TEST_CASE("log dir: lines of partitions whose folder is gone are gone before a new one of that name is") {
  Fixture fixture;
  {
    auto log_dir = fixture.open();
    auto log = create(*log_dir);
    append(*log, 50);
    REQUIRE(log->set_log_start(Offset(20)).ok());
    REQUIRE(close_clean(*log_dir, *log).ok());
  }
  REQUIRE(fixture.disk.remove_directory_tree("/data/logs/orders-3").ok());
  REQUIRE(fixture.disk.sync_directory("/data/logs").ok());
  {
    auto log_dir = fixture.open();
    append(*create(*log_dir), 3);
  }
  fixture.disk.crash(1, CrashMode::keep_all);
  auto log_dir = fixture.open();
  RecoveryReport report;
  auto log = open_log(*log_dir, report);
  CHECK(log->log_start() == Offset(0));
  CHECK(log->log_end().offset == Offset(3));
}

TEST_CASE("log dir: opening one with 10,000 partitions touches none of their folders") {
  constexpr int kPartitionCount = 10'000;
  Fixture fixture;
  fixture.open()->close_clean({}).value();
  std::vector<PartitionRecoveryPoint> points;
  std::vector<PartitionOffset> offsets;
  for (int i = 0; i < kPartitionCount; ++i) {
    const std::string folder = "/data/logs/orders-" + std::to_string(i);
    REQUIRE(fixture.disk.make_directory(folder).ok());
    RecoveryPoint point;
    point.offset = Offset(i);
    points.push_back({"orders", PartitionIndex(i), kTopicId, point});
    offsets.push_back({"orders", PartitionIndex(i), Offset(i)});
  }
  REQUIRE(write_recovery_points(fixture.disk, "/data/logs", points).ok());
  for (const auto name :
       {kRecoveryPointCheckpointName, kLogStartCheckpointName, kHighWatermarkCheckpointName}) {
    REQUIRE(write_offset_checkpoint(fixture.disk, join_path("/data/logs", name), offsets).ok());
  }
  const auto reads = fixture.disk.calls().reads;
  auto log_dir = fixture.open();
  // Not the time, which tests do not measure, but what it is made of: no partition costs a call before it is
  // asked for.
  CHECK(fixture.disk.calls().reads - reads < 50);
  CHECK(log_dir->warnings().empty());
  CHECK(log_dir->find_partitions()->size() == kPartitionCount);
}

}  // namespace
}  // namespace sillok::storage
