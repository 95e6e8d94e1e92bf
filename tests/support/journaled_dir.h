// Partitions of a log directory with a commit journal, and what each of them has promised.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/log_dir.h"
#include "tests/support/batches.h"
#include "tests/support/create_log.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/journaled_log.h"
#include "tests/support/log_fixture.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

// Calls that a test expects to work are checked; those of the try_ kind say whether they did, and a log that
// failed is to be left alone.
class JournaledDir {
 public:
  // One partition, and its records: no two have the same value.
  struct Partition {
    storage::TopicPartition name;
    TopicId topic;
    std::unique_ptr<storage::Log> log;
    storage::LogPosition journaled;     // as far as its log is in the journal
    std::vector<std::string> appended;  // the values that the log was given, or may have been
    std::size_t committed = 0;          // so many of them must be there after any crash
    storage::RecoveryReport report;
    storage::JournalKey key() const { return {topic, name.partition}; }
  };

  JournaledDir() {
    options.file_system = &faults;
    options.clock = &clock;
    options.path = "/data";
    options.journal_file_size = 16 * storage::kJournalBlockSize;
    options.journal_size_max = 4 * options.journal_file_size;
    config.segment_bytes = 4096;
    config.index_interval_bytes = 1;
    config.retention_ms = -1;
  }

  Result<void> try_open() {
    partitions.clear();
    dir.reset();
    dir = TRY(storage::LogDir::open(options));
    return {};
  }
  Result<void> try_create(const std::string& topic, const TopicId& id) {
    Partition made;
    made.name = {topic, PartitionIndex(0)};
    made.topic = id;
    made.log = TRY(create_log(*dir, made.name, id, config));
    partitions[topic] = std::move(made);
    return {};
  }
  Result<void> try_add_files(int count) {
    for (int i = 0; i < count; ++i) TRY(dir->journal().add_file_now());
    return {};
  }
  // One batch of `count` records.
  Result<void> try_append(Partition& partition, int count = 1, std::int32_t epoch = 0) {
    BatchMaker maker = batch();
    for (int i = 0; i < count; ++i) {
      partition.appended.push_back(partition.name.topic + "-" + std::to_string(next_value_++));
      maker.record("k", partition.appended.back() + std::string(60, '.'), clock.wall_ms());
    }
    return try_append(partition, maker, epoch);
  }
  Result<void> try_append(Partition& partition, const BatchMaker& maker, std::int32_t epoch) {
    Bytes bytes = maker.bytes();
    storage::AppendEntry entry = entry_of(bytes);
    return partition.log->append_as_leader({&entry, 1}, LeaderEpoch(epoch));
  }
  // A round of one partition: all that it has is durable if true.
  bool try_commit(Partition& partition) {
    const auto from = std::max(partition.journaled, partition.log->synced_end());
    const auto to = partition.log->log_end();
    const auto target = std::make_shared<JournaledLog>(*partition.log, partition.key(), from);
    (void)dir->journal().commit_now(target);
    if (!target->is_committed) return from >= to;
    partition.journaled = to;
    partition.committed = partition.appended.size();
    return true;
  }
  Result<void> try_flush(Partition& partition) {
    dir->journal().sync_begins(partition.key());
    TRY(partition.log->flush());
    dir->journal().sync_succeeded(partition.key());
    partition.committed = partition.appended.size();
    return {};
  }
  Result<void> try_checkpoint() {
    std::vector<storage::LogDir::CheckpointEntry> entries;
    for (const auto& [topic, partition] : partitions)
      entries.push_back({partition.name, partition.log.get(), partition.log->log_end().offset});
    return dir->write_checkpoints(entries);
  }
  Result<void> try_close() {
    std::vector<storage::LogDir::CheckpointEntry> entries;
    for (const auto& [topic, partition] : partitions) {
      TRY(partition.log->close());
      entries.push_back({partition.name, partition.log.get(), partition.log->log_end().offset});
    }
    return dir->close_clean(entries);
  }

  template <class R>
  static void require(const R& result) {
    INFO((result.ok() ? std::string() : result.error().describe()));
    REQUIRE(result.ok());
  }
  // Two files of the journal, so that rounds can be written.
  void start(const std::vector<std::string>& topics) {
    require(try_open());
    require(dir->find_partitions());
    std::uint8_t id = 1;
    for (const std::string& topic : topics) require(try_create(topic, TopicId{{id++}}));
    require(try_add_files(2));
  }
  Partition& operator[](const std::string& topic) { return partitions.at(topic); }
  void append(const std::string& topic, int count = 1, std::int32_t epoch = 0) {
    require(try_append(partitions.at(topic), count, epoch));
  }
  void append_until_roll(const std::string& topic) {
    storage::Log& log = *partitions.at(topic).log;
    const std::size_t before = log.segment_count();
    while (log.segment_count() == before) append(topic);
  }
  void commit(const std::string& topic) { REQUIRE(try_commit(partitions.at(topic))); }
  void flush(const std::string& topic) { require(try_flush(partitions.at(topic))); }

  // Ends the process, and cuts the power unless the mode is keep_all; faults are over.
  void crash(std::uint64_t seed, CrashMode mode) {
    remembered_.clear();
    for (auto& [topic, partition] : partitions) {
      partition.log.reset();
      remembered_.emplace(topic, std::move(partition));
    }
    partitions.clear();
    dir.reset();
    faults.clear();
    if (mode != CrashMode::keep_all) disk.crash(seed, mode);
  }
  // Opens everything that is there, and checks it: health, and that the records are a beginning of those that
  // were appended, with all that were committed. What is there then is what was appended.
  void open() {
    require(try_open());
    const auto found = dir->find_partitions();
    require(found);
    for (const auto& each : *found) {
      Partition& partition = partitions[each.name.topic];
      const auto before = remembered_.find(each.name.topic);
      if (before != remembered_.end()) partition = std::move(before->second);
      remembered_.erase(each.name.topic);
      partition.name = each.name;
      partition.topic = each.topic_id;
      partition.report = {};
      auto log = dir->open_log(each.name, config, partition.report);
      require(log);
      partition.log = std::move(log).value();
      partition.log->check_invariants();
      partition.journaled = partition.log->journaled_end();
      check(partition);
    }
    for (const auto& [topic, partition] : remembered_) {
      INFO(topic << " is gone");
      REQUIRE(partition.committed == 0);
    }
    remembered_.clear();
  }
  void reopen(CrashMode mode = CrashMode::lose_all, std::uint64_t seed = 1) {
    crash(seed, mode);
    open();
  }
  // The partition is deleted: nothing of it is expected any more.
  void forget_expectations(const std::string& topic) { partitions.erase(topic); }

  std::vector<std::string> values(const Partition& partition) const {
    std::vector<std::string> found;
    const storage::Log& log = *partition.log;
    for (Offset at = log.log_start(); at < log.log_end().offset;) {
      const auto slice =
          log.read(at, log.log_end(), 1, storage::Log::FirstBatch::whole, storage::IoMode::may_block);
      require(slice);
      Bytes bytes(static_cast<std::size_t>(slice->size));
      require(slice->file->read_at(slice->position, bytes));
      for (const OwnedRecord& record : read_records(bytes)) {
        REQUIRE(record.offset == at.value);
        at = at + 1;
        found.push_back(record.value->substr(0, record.value->find('.')));
      }
    }
    return found;
  }
  std::vector<std::string> journal_names() {
    std::vector<std::string> found;
    const auto entries = disk.list_directory(options.path);
    require(entries);
    for (const auto& entry : *entries) {
      if (entry.name.starts_with(storage::kJournalNamePrefix)) found.push_back(entry.name);
    }
    return found;
  }

  MemFileSystem disk;
  FaultFileSystem faults{disk};
  ManualClock clock;
  storage::LogDirOptions options;
  storage::LogConfig config;
  std::unique_ptr<storage::LogDir> dir;
  std::map<std::string, Partition> partitions;

 private:
  void check(Partition& partition) {
    std::string notes;
    for (const std::string& note : partition.report.notes) notes += note + "\n";
    INFO(partition.name.topic << ": " << partition.committed << " of " << partition.appended.size()
                              << " records are committed\n"
                              << notes);
    REQUIRE(partition.log->health() == storage::LogHealth::healthy);
    const auto found = values(partition);
    REQUIRE(found.size() >= partition.committed);
    REQUIRE(found.size() <= partition.appended.size());
    REQUIRE(std::equal(found.begin(), found.end(), partition.appended.begin()));
    partition.appended = found;
    // Whoever asks is told that this much is durable, and so it must be.
    const auto journaled = static_cast<std::size_t>(partition.log->journaled_end().offset.value);
    partition.committed = std::max(partition.committed, journaled);
  }

  std::map<std::string, Partition> remembered_;  // over a crash
  std::int64_t next_value_ = 1000;               // all of one length, so that batches are of one size
};

}  // namespace sillok::tests
