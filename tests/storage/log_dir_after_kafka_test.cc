// A log directory on which Apache Kafka ran since the last stop.
#include <vector>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown.h"
#include "storage/format.h"
#include "storage/log_dir.h"
#include "storage/partition_metadata.h"
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
    report = {};
    auto log = directory->open_log(kName, config, report);
    REQUIRE(log.ok());
    return std::move(*log);
  }
  void remove_mark() { REQUIRE(disk.remove("/data/.kafka_cleanshutdown").ok()); }
  void put_kafkas_mark() {
    REQUIRE(replace_file(disk, "/data/.kafka_cleanshutdown", R"({"version":0,"brokerEpoch":12})").ok());
  }
  // Of another topic, before this one's log is noted.
  void write_checkpoint() {
    const TopicPartition other{"other", PartitionIndex(0)};
    const auto log = tests::create_log(*directory, other, TopicId{{2}}, config).value();
    const LogDir::CheckpointEntry entry{other, log.get(), Offset(0)};
    REQUIRE(directory->write_checkpoints({&entry, 1}).ok());
    REQUIRE(directory->delete_log(other).ok());
  }
  std::string content(std::int64_t base) { return read_file(disk, path(base, kLogSuffix), 1 << 20).value(); }
  void put(std::int64_t base, const std::string& bytes) {
    REQUIRE(replace_file(disk, path(base, kLogSuffix), bytes).ok());
    for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix})
      (void)disk.remove(path(base, suffix)).ok();
  }
  void remove_segment(std::int64_t base) {
    for (const std::string_view suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix})
      REQUIRE(disk.remove(path(base, suffix)).ok());
  }
  void put_kafkas_point(Offset end) {
    const PartitionOffset line{kName.topic, kName.partition, end};
    REQUIRE(write_offset_checkpoint(disk, "/data/recovery-point-offset-checkpoint", {&line, 1}).ok());
  }
  static void append(Log& log) {
    Bytes bytes = batch().record("k", "v").bytes();
    AppendEntry entry = tests::entry_of(bytes);
    REQUIRE(log.append_as_leader({&entry, 1}, LeaderEpoch(0)).ok());
  }
  static std::string path(std::int64_t base, std::string_view suffix) {
    return "/data/orders-0/" + offset_file_name(Offset(base), suffix);
  }
  // The last one of the first segment, by whatever, before a stop that was not clean; and nothing says any
  // more that the topic was ever compacted.
  void lose_batch() {
    std::string first = content(0);
    first.resize(first.size() / kBatches * (kBatches - 1));
    put(0, first);
    remove_mark();
    config.cleanup_compact = false;
  }
  // What Kafka's file says of the log after it.
  Offset checkpoint(const Log& log) {
    const LogDir::CheckpointEntry entry{kName, &log, log.log_end().offset};
    REQUIRE(directory->write_checkpoints({&entry, 1}).ok());
    const auto lines = read_offset_checkpoint(disk, "/data/recovery-point-offset-checkpoint").value();
    REQUIRE(lines.size() == 1);
    return lines.front().offset;
  }
  // Kafka rolled at `end`, and cleaned both segments into one, without the second batch.
  void compact_as_kafka(Offset end) {
    const std::string first = content(0);
    const std::size_t batch_size = first.size() / kBatches;
    put(0, first.substr(0, batch_size) + first.substr(2 * batch_size) + content(kBatches));
    remove_segment(kBatches);
    put(end.value, "");
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  LogConfig config;
  std::unique_ptr<LogDir> directory;
  RecoveryReport report;
};

const Offset kEnd(2 * kBatches + 4);  // of what Kafka appended, the last of which has been cleaned away

void check_whole(const Log& log, Offset end) {
  CHECK(log.health() == LogHealth::healthy);
  CHECK(log.log_start() == Offset(0));
  CHECK(log.log_end().offset == end);
}

TEST_CASE("log dir: what Kafka compacted since is whole, though the recovery point's segment is gone") {
  Fixture f;
  f.compact_as_kafka(kEnd);
  f.put_kafkas_point(kEnd);
  f.remove_mark();
  if (GENERATE(false, true)) f.put_kafkas_mark();
  // Kafka may have altered the topic since it compacted it.
  f.config.cleanup_compact = GENERATE(false, true);
  f.open();
  // Nothing is forgotten before it is known anew: not by a checkpoint, not by an open that is tried again.
  f.write_checkpoint();
  if (GENERATE(false, true)) {
    f.directory.reset();
    f.open();
  }
  check_whole(*f.open_log(), kEnd);
  const auto log = f.open_log();
  check_whole(*log, kEnd);
  f.append(*log);
  CHECK(log->log_end().offset == kEnd + 1);
}

TEST_CASE("log dir: what Kafka compacted before it was killed is whole once it is told that Kafka ran") {
  Fixture f;
  f.compact_as_kafka(kEnd);
  f.remove_mark();
  f.open();
  SECTION("it is not told: a segment is missing") { CHECK(f.open_log()->health() == LogHealth::degraded); }
  SECTION("it is told, in this start or one before") {
    std::vector<std::string> notes;
    REQUIRE(f.directory->note_kafka_ran(notes));
    CHECK(f.directory->has_kafka_run());
    if (GENERATE(false, true)) {
      f.directory.reset();
      f.open();
    }
    check_whole(*f.open_log(), kEnd);
  }
}

TEST_CASE("log dir: what was on disk when Kafka stopped is damaged where it does not read, and stays") {
  const bool is_killed = GENERATE(false, true);
  Fixture f;
  Offset end(2 * kBatches + 1);
  std::int64_t base = 0;
  std::string rotten;
  const auto flip = [&](std::int64_t in) {
    base = in;
    rotten = f.content(in);
    rotten[rotten.size() / 2] ^= 1;
  };
  // One record more, in the active segment.
  const auto append_as_kafka = [&] {
    std::string one = f.content(kBatches);
    one.resize(one.size() / kBatches);
    one[7] = static_cast<char>(2 * kBatches);
    f.put(kBatches, f.content(kBatches) + one);
  };
  SECTION("in a segment that was compacted") {
    end = kEnd;
    f.compact_as_kafka(end);
    flip(0);
  }
  SECTION("in a segment before the active one") {
    append_as_kafka();
    flip(0);
  }
  SECTION("in the active segment") {
    append_as_kafka();
    flip(kBatches);
  }
  SECTION("behind the last batch of a segment") {
    append_as_kafka();
    rotten = f.content(0) + "rotten";
  }
  // No checksum covers it.
  const auto jump = [&](std::int64_t in, int batch) {
    base = in;
    rotten = f.content(in);
    rotten[rotten.size() / kBatches * static_cast<std::size_t>(batch) + 5] ^= 1;
  };
  SECTION("in the offset of a batch of the active segment") {
    jump(kBatches, 1);
    end = Offset(2 * kBatches);
  }
  SECTION("in the offset of the last batch before the active segment") {
    append_as_kafka();
    jump(0, kBatches - 1);
  }
  f.put(base, rotten);
  f.put_kafkas_point(end);
  REQUIRE(f.disk.remove("/data/sillok-recovery-points").ok());
  f.remove_mark();
  if (!is_killed) f.put_kafkas_mark();
  f.open();
  for (int start = 0; start < 2; ++start) {
    auto log = f.open_log();
    CHECK(log->health() == LogHealth::degraded);
    CHECK(log->log_end().offset >= end);
    CHECK(f.report.cut_bytes == 0);
    CHECK(f.content(base) == rotten);
    CHECK(f.checkpoint(*log) == end);
    log.reset();
    f.directory.reset();
    f.open();
  }
}

TEST_CASE("log dir: what Kafka had on disk is known until as much is known by a point of ours") {
  Fixture f;
  f.compact_as_kafka(kEnd);
  f.put_kafkas_point(kEnd);
  f.remove_mark();
  f.open();
  const auto log = f.open_log();
  CHECK(log->recovery_point().offset < kEnd);
  CHECK(f.checkpoint(*log) == kEnd);
  f.append(*log);
  REQUIRE(log->flush().ok());
  CHECK(f.checkpoint(*log) == kEnd + 1);
  CHECK(read_recovery_points(f.disk, "/data").value().front().point.offset == kEnd + 1);
}

TEST_CASE("log dir: a log that ends before what was on disk when Kafka stopped is damaged") {
  Fixture f;
  f.put_kafkas_point(kEnd);
  f.remove_segment(kBatches);
  SECTION("Kafka ran in between") {
    f.remove_mark();
    if (GENERATE(false, true)) f.put_kafkas_mark();
  }
  SECTION("only Kafka ever ran, and stopped cleanly") {
    REQUIRE(f.disk.remove("/data/sillok-recovery-points").ok());
    REQUIRE(f.disk.remove("/data/sillok-incarnation").ok());
    f.put_kafkas_mark();
  }
  f.open();
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::degraded);
  CHECK(log->log_end().offset == kEnd);
}

TEST_CASE("log dir: a topic that Kafka made, and compacted before it was killed, keeps its gaps") {
  Fixture f;
  f.lose_batch();
  REQUIRE(f.disk.remove("/data/sillok-recovery-points").ok());
  SECTION("only Kafka ever ran, which writes its recovery points once a minute") {
    REQUIRE(f.disk.remove("/data/sillok-incarnation").ok());
    const bool is_before_first = GENERATE(false, true);
    if (is_before_first) REQUIRE(f.disk.remove("/data/recovery-point-offset-checkpoint").ok());
    if (!is_before_first) f.put_kafkas_point(Offset(0));
    f.open();
    check_whole(*f.open_log(), Offset(2 * kBatches));
  }
  SECTION("Sillok ran before: what Kafka had on disk") {
    const bool is_durable = GENERATE(false, true);
    f.put_kafkas_point(Offset(is_durable ? kBatches : 1));
    f.open();
    std::vector<std::string> notes;
    REQUIRE(f.directory->note_kafka_ran(notes));
    check_whole(*f.open_log(), Offset(is_durable ? 2 * kBatches : kBatches - 1));
  }
}

TEST_CASE(
    "log dir: a recovery point of another topic of the name says nothing, nor does the line beside it") {
  Fixture f;
  REQUIRE(f.disk.remove("/data/orders-0/partition.metadata").ok());
  REQUIRE(write_partition_metadata(f.disk, "/data/orders-0", TopicId{{9}}).ok());
  f.remove_segment(kBatches);
  f.remove_mark();
  f.open();
  const auto log = f.open_log();
  check_whole(*log, Offset(kBatches));
  f.append(*log);
  REQUIRE(log->flush().ok());
  CHECK(f.checkpoint(*log) == Offset(kBatches + 1));
}

TEST_CASE("log dir: where our own recovery points are lost, a gap is no compaction of Kafka's") {
  Fixture f;
  f.lose_batch();
  if (GENERATE(false, true)) {
    REQUIRE(f.disk.remove("/data/sillok-recovery-points").ok());
  } else {
    REQUIRE(replace_file(f.disk, "/data/sillok-recovery-points", "rotten").ok());
  }
  f.open();
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::degraded);
  CHECK(log->log_end().offset == Offset(2 * kBatches));
  CHECK(f.report.cut_bytes == 0);
}

TEST_CASE(
    "log dir: a point of ours that a fault kept from being forgotten in both files is no sign of Kafka") {
  Fixture f;
  f.lose_batch();
  REQUIRE(write_recovery_points(f.disk, "/data", {}).ok());
  f.put_kafkas_point(Offset(1));
  f.open();
  // The power cut took a batch, so what came behind it must not be seen.
  check_whole(*f.open_log(), Offset(kBatches - 1));
  CHECK(f.report.cut_bytes > 0);
}

TEST_CASE("log dir: where our own mark of a clean stop is there, Kafka has not run, whatever is told") {
  Fixture f;
  f.open();
  std::vector<std::string> notes;
  CHECK(f.directory->note_kafka_ran(notes));
  CHECK(!f.directory->has_kafka_run());
  check_whole(*f.open_log(), Offset(2 * kBatches));
  CHECK(f.report.scanned_bytes == 0);
}

}  // namespace
}  // namespace sillok::storage
