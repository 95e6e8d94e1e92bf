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

TEST_CASE(
    "journal: what Kafka has written since is not overwritten, nor continued, and the journal is kept "
    "aside") {
  Fixture f;
  // In the same place, where the journal would go on behind it; or behind a roll.
  const bool has_rolled = GENERATE(false, true);
  if (has_rolled) f.put(2, f.kafkas);
  if (!has_rolled) f.put(0, f.sealed + f.kafkas);
  const bool is_killed = GENERATE(false, true);
  if (!is_killed)
    JournaledDir::require(
        replace_file(f.d.disk, "/data/.kafka_cleanshutdown", R"({"version":0,"brokerEpoch":12})"));
  f.open();
  if (is_killed) {
    std::vector<std::string> notes;
    JournaledDir::require(f.d.dir->note_kafka_ran(notes));
    CHECK(notes.size() == 1);
  }
  CHECK(f.d.dir->has_kafka_run());
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::healthy);
  CHECK(log->log_end().offset == Offset(3));
  REQUIRE(f.kept().size() == 1);
  const std::string kept = read_file(f.d.disk, "/data/a-0/" + f.kept().front(), 1 << 20).value();
  CHECK(kept.size() == 2 * f.kafkas.size());
  f.d.crash(1, CrashMode::lose_all);
  f.open();
  CHECK(f.open_log()->log_end().offset == Offset(3));
  CHECK(f.kept().size() == 1);
}

TEST_CASE(
    "journal: an offset that begins the next segment is not written back, though nobody says that Kafka "
    "ran") {
  Fixture f;
  f.put(2, f.kafkas);
  f.open();
  const auto log = f.open_log();
  CHECK(log->health() == LogHealth::healthy);
  CHECK(read_file(f.d.disk, Fixture::path(0), 1 << 20).value() == f.sealed);
  CHECK(read_file(f.d.disk, Fixture::path(2), 1 << 20).value() == f.kafkas);
}

TEST_CASE("journal: what cannot be kept aside stops the start, and stays in the journal") {
  Fixture f;
  f.open();
  std::vector<std::string> notes;
  f.d.faults.fail({tests::FileCall::sync, std::string(kJournaledInfix)}, Errc::no_space);
  CHECK(!f.d.dir->note_kafka_ran(notes).ok());
  f.d.faults.clear();
  f.d.dir.reset();
  f.open();
  CHECK(f.open_log()->log_end().offset == Offset(4));
}

}  // namespace
}  // namespace sillok::storage
