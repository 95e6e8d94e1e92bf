// Sillok was killed with batches in its commit journal only, and before its next start Apache Kafka ran on
// the directory and gave the same offsets to other records.
#include "storage/checkpoint_file.h"
#include "storage/format.h"
#include "storage/text_file.h"
#include "tests/support/journaled_dir.h"

namespace sillok::storage {
namespace {

using tests::batch;
using tests::CrashMode;
using tests::JournaledDir;

const TopicPartition kName{"a", PartitionIndex(0)};

// Offsets 0 and 1 are in the segment, 2 and 3 in the journal, and Kafka wrote 2 anew, as long as it was.
struct Fixture {
  Fixture() {
    d.start({"a"});
    d.append("a");
    d.append("a");
    d.flush("a");
    JournaledDir::require(d.try_checkpoint());
    d.append("a");
    d.append("a");
    d.commit("a");
    d.crash(1, CrashMode::lose_all);
    sealed = read_file(d.disk, path(0), 1 << 20).value();
    Bytes bytes = batch().record("k", "kafka's" + std::string(59, '.'), d.clock.wall_ms()).bytes();
    bytes[7] = std::byte{2};
    kafkas.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    REQUIRE(kafkas.size() * 2 == sealed.size());
  }
  static std::string path(std::int64_t base) {
    return "/data/a-0/" + offset_file_name(Offset(base), kLogSuffix);
  }
  void put(std::int64_t base, const std::string& content) {
    JournaledDir::require(replace_file(d.disk, path(base), content));
  }
  std::unique_ptr<Log> open_log() {
    RecoveryReport report;
    auto log = d.dir->open_log(kName, d.config, report);
    JournaledDir::require(log);
    return std::move(*log);
  }
  void open() {
    JournaledDir::require(d.try_open());
    JournaledDir::require(d.dir->find_partitions());
  }
  void check_kafkas(std::unique_ptr<Log> log) {
    CHECK(log->health() == LogHealth::healthy);
    REQUIRE(log->log_end().offset == Offset(3));
    const auto slice =
        log->read(Offset(2), log->log_end(), 1, Log::FirstBatch::whole, IoMode::may_block).value();
    Bytes bytes(static_cast<std::size_t>(slice.size));
    REQUIRE(slice.file->read_at(slice.position, bytes).ok());
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == kafkas);
  }
  std::vector<std::string> kept() {
    std::vector<std::string> names;
    const auto entries = d.disk.list_directory("/data/a-0").value();
    for (const DirectoryEntry& entry : entries) {
      if (entry.name.find(kJournaledInfix) != std::string::npos) names.push_back(entry.name);
    }
    return names;
  }

  JournaledDir d;
  std::string sealed;
  std::string kafkas;
};

TEST_CASE("journal: what Kafka has written since is not overwritten, nor continued, and is kept aside") {
  Fixture f;
  // In the same place, so that the journal would go on behind it; or behind a roll.
  const bool has_rolled = GENERATE(false, true);
  if (has_rolled) f.put(2, f.kafkas);
  if (!has_rolled) f.put(0, f.sealed + f.kafkas);
  const bool is_told = GENERATE(false, true);
  f.open();
  std::vector<std::string> notes;
  if (is_told) REQUIRE(f.d.dir->note_kafka_ran(notes));
  f.check_kafkas(f.open_log());
  REQUIRE(f.kept().size() == 1);
  const std::string kept = read_file(f.d.disk, "/data/a-0/" + f.kept().front(), 1 << 20).value();
  CHECK(kept.size() >= 2 * f.kafkas.size());
  // And the journal has none of it for any later start.
  f.d.crash(1, CrashMode::keep_all);
  f.open();
  CHECK(f.d.dir->journal().replay().all().empty());
  f.check_kafkas(f.open_log());
  CHECK(f.kept().size() == 1);
}

TEST_CASE("journal: what Kafka has written since stays where it wrote more than the journal has") {
  Fixture f;
  std::string more;
  for (int i = 0; i < 3; ++i) {
    std::string one = f.kafkas;
    one[7] = static_cast<char>(2 + i);
    more += one;
  }
  f.put(0, f.sealed + more);
  f.open();
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::healthy);
  CHECK(log->log_end().offset == Offset(5));
  CHECK(log->synced_end() == log->log_end());
  CHECK(log->journaled_end() == log->log_end());
  CHECK(f.kept().size() == 1);
}

TEST_CASE("journal: damage below the recovery point is no sign that others wrote there") {
  JournaledDir d;
  d.start({"a"});
  d.append("a");
  d.append("a");
  d.commit("a");
  JournaledDir::require(d["a"].log->flush());
  JournaledDir::require(d.try_checkpoint());
  d.append("a");
  d.commit("a");
  d.crash(1, CrashMode::lose_all);
  // In the first batch; the start reads from the last entry of the index on, which is the second one's.
  std::string rotten = read_file(d.disk, Fixture::path(0), 1 << 20).value();
  rotten[rotten.size() / 4] ^= 1;
  const auto file = d.disk.open(Fixture::path(0), OpenMode::open_or_create).value();
  const ByteView parts[] = {as_bytes(rotten)};
  JournaledDir::require(file->write_at(FilePosition(0), parts));
  JournaledDir::require(d.try_open());
  JournaledDir::require(d.dir->find_partitions());
  RecoveryReport report;
  const auto log = d.dir->open_log(kName, d.config, report).value();
  CHECK(!report.is_journal_void);
  CHECK(report.restored_bytes > 0);
  CHECK(log->log_end().offset == Offset(3));
}

TEST_CASE("journal: where Kafka ran and wrote nothing, its batches come back") {
  Fixture f;
  f.open();
  std::vector<std::string> notes;
  REQUIRE(f.d.dir->note_kafka_ran(notes));
  CHECK(f.open_log()->log_end().offset == Offset(4));
  CHECK(f.kept().empty());
}

TEST_CASE("journal: a log that others have written to does not open where the journal cannot be kept aside") {
  Fixture f;
  f.put(0, f.sealed + f.kafkas);
  f.open();
  f.d.faults.fail({tests::FileCall::sync, std::string(kJournaledInfix)}, Errc::no_space);
  RecoveryReport report;
  CHECK(!f.d.dir->open_log(kName, f.d.config, report).ok());
  CHECK(f.kept().empty());
  f.open();
  f.check_kafkas(f.open_log());
  CHECK(f.kept().size() == 1);
}

}  // namespace
}  // namespace sillok::storage
