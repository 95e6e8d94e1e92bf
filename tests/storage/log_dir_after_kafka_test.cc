// A log directory on which Apache Kafka ran since the last stop.
#include <vector>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown.h"
#include "storage/format.h"
#include "storage/log_dir.h"
#include "storage/text_file.h"
#include "tests/support/create_log.h"
#include "tests/support/log_fixture.h"

namespace sillok::storage {
namespace {

using tests::batch;

const TopicPartition kName{"orders", PartitionIndex(0)};
const TopicId kId{{1}};
constexpr int kBatches = 3;  // of one segment

struct Fixture {
  Fixture() {
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    open();
    auto log = tests::create_log(*directory, kName, kId, config).value();
    for (int segment = 0; segment < 2; ++segment) {
      if (segment > 0) REQUIRE(log->roll().ok());
      for (int i = 0; i < kBatches; ++i) append(*log);
    }
    REQUIRE(log->close().ok());
    const LogDir::CheckpointEntry entry{kName, log.get(), log->log_end().offset};
    REQUIRE(directory->close_clean({&entry, 1}).ok());
    directory.reset();
  }
  void open() {
    LogDirOptions options;
    options.file_system = &disk;
    options.clock = &clock;
    options.path = "/data";
    auto opened = LogDir::open(options);
    REQUIRE(opened.ok());
    directory = std::move(*opened);
    REQUIRE(directory->find_partitions().ok());
  }
  std::unique_ptr<Log> open_log() {
    RecoveryReport report;
    auto log = directory->open_log(kName, config, report);
    REQUIRE(log.ok());
    return std::move(*log);
  }
  static void append(Log& log) {
    Bytes bytes = batch().record("k", "v").bytes();
    AppendEntry entry = tests::entry_of(bytes);
    REQUIRE(log.append_as_leader({&entry, 1}, LeaderEpoch(0)).ok());
  }
  static std::string path(std::int64_t base, std::string_view suffix) {
    return "/data/orders-0/" + offset_file_name(Offset(base), suffix);
  }
  // Kafka rolled, cleaned both segments into one, and stopped; `end` is the recovery point that it wrote.
  void compact_as_kafka(Offset end) {
    std::string cleaned = read_file(disk, path(0, kLogSuffix), 1 << 20).value();
    cleaned += read_file(disk, path(kBatches, kLogSuffix), 1 << 20).value();
    REQUIRE(replace_file(disk, path(0, kLogSuffix), cleaned).ok());
    REQUIRE(replace_file(disk, path(end.value, kLogSuffix), "").ok());
    for (const std::int64_t base : {std::int64_t{0}, std::int64_t{kBatches}}) {
      for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix})
        REQUIRE(disk.remove(path(base, suffix)).ok());
    }
    REQUIRE(disk.remove(path(kBatches, kLogSuffix)).ok());
    const PartitionOffset line{kName.topic, kName.partition, end};
    REQUIRE(write_offset_checkpoint(disk, "/data/recovery-point-offset-checkpoint", {&line, 1}).ok());
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  LogConfig config;
  std::unique_ptr<LogDir> directory;
};

TEST_CASE("log dir: what Kafka compacted since is whole, though the recovery point's segment is gone") {
  Fixture f;
  const Offset end(2 * kBatches + 4);  // the last of what Kafka appended has been cleaned away
  f.compact_as_kafka(end);
  const bool is_killed = GENERATE(false, true);
  REQUIRE(f.disk.remove("/data/.kafka_cleanshutdown").ok());
  if (!is_killed) {
    REQUIRE(replace_file(f.disk, "/data/.kafka_cleanshutdown", R"({"version":0,"brokerEpoch":12})").ok());
  }
  f.open();
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::healthy);
  CHECK(log->log_end().offset == end);
  f.append(*log);
  CHECK(log->log_end().offset == end + 1);
}

TEST_CASE("log dir: a compacted log whose segment went without Kafka is damaged") {
  Fixture f;
  f.compact_as_kafka(Offset(2 * kBatches));
  REQUIRE(f.disk.remove("/data/.kafka_cleanshutdown").ok());
  f.open();
  CHECK(f.open_log()->health() == LogHealth::degraded);
}

}  // namespace
}  // namespace sillok::storage
