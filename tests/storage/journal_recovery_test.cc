// What the commit journal is for: records that were committed are there after any crash, though no segment
// was synced; and nothing else comes back.
#include "storage/format.h"
#include "tests/support/journaled_dir.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

using tests::batch;
using tests::CrashMode;
using tests::FileCall;
using tests::JournaledDir;

constexpr CrashMode kModes[] = {CrashMode::keep_all, CrashMode::lose_all, CrashMode::random,
                                CrashMode::random_names};

TEST_CASE("journal recovery: what was committed is there after a power cut, though no segment was synced") {
  for (const CrashMode mode : kModes) {
    JournaledDir d;
    d.start({"a", "b"});
    for (int i = 0; i < 3; ++i) d.append("a", 2);
    d.append("b");
    d.commit("a");
    d.commit("b");
    const auto syncs = d.disk.calls().syncs;
    d.append("a");
    d.commit("a");
    CHECK(d.disk.calls().syncs == syncs + 1);
    d.reopen(mode);
    CHECK(d["a"].committed == 7);
    CHECK(d["b"].committed == 1);
    CHECK(d["a"].log->journaled_end().offset == Offset(7));
    CHECK((d["a"].report.restored_bytes > 0) ==
          (mode == CrashMode::lose_all || d["a"].report.restored_bytes > 0));
    if (mode == CrashMode::lose_all) CHECK(d["a"].log->synced_end().offset == Offset(0));
    // Nothing was synced, and the frames are needed still.
    d.reopen(mode, 2);
    d.append("a");
    d.commit("a");
    d.reopen(mode, 3);
    CHECK(d["a"].committed == 8);
  }
}

TEST_CASE("journal recovery: what was committed over several rolls is there, though the new names are lost") {
  for (const CrashMode mode : {CrashMode::lose_all, CrashMode::random, CrashMode::random_names}) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      INFO("crash seed " << seed);
      JournaledDir d;
      d.start({"a"});
      for (int i = 0; i < 3; ++i) {
        d.append_until_roll("a");
        if (i % 2 == 0) d.commit("a");
      }
      d.append("a");
      d.commit("a");
      CHECK(d["a"].log->segment_count() == 4);
      d.reopen(mode, seed);
      CHECK(d["a"].committed == d["a"].appended.size());
      CHECK(d["a"].log->segment_count() == 4);
      d.append_until_roll("a");
      d.commit("a");
      d.reopen(mode, seed + 1);
      CHECK(d["a"].log->segment_count() == 5);
    }
  }
}

TEST_CASE("journal recovery: a segment that begins with a roll alone is made again where it has records") {
  JournaledDir d;
  d.start({"a"});
  d.append("a");
  JournaledDir::require(d["a"].log->roll());
  d.append("a");
  JournaledDir::require(d["a"].log->roll());
  d.commit("a");
  d.reopen();
  CHECK(d["a"].committed == 2);
  CHECK(d["a"].log->segment_count() == 2);  // the last one was empty
}

TEST_CASE(
    "journal recovery: what came without a commit may go, but leaves no hole, and what is under one stays") {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("crash seed " << seed);
    JournaledDir d;
    d.start({"a"});
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 5; ++j) d.append("a", 1 + j % 2);
      d.commit("a");
    }
    const std::size_t committed = d["a"].committed;
    for (int j = 0; j < 8; ++j) d.append("a", 1 + j % 2);
    const std::size_t appended = d["a"].appended.size();
    d.reopen(CrashMode::random, seed);
    CHECK(d["a"].appended.size() >= committed);
    lost += d["a"].appended.size() < appended ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("journal recovery: segments that were synced in between are taken from where they end") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("crash seed " << seed);
    JournaledDir d;
    d.start({"a", "b"});
    std::mt19937_64 random(seed);
    for (int i = 0; i < 40; ++i) {
      const std::string topic = random() % 2 == 0 ? "a" : "b";
      switch (random() % 8) {
        case 0:
          d.flush(topic);
          break;
        case 1:
          JournaledDir::require(d.try_checkpoint());
          break;
        case 2:
          JournaledDir::require(d[topic].log->roll());
          break;
        case 3:
        case 4:
          if (!d.try_commit(d[topic])) d.flush(topic);
          break;
        default:
          d.append(topic, 1 + static_cast<int>(random() % 3));
      }
      if (random() % 20 == 0) d.reopen(kModes[random() % 4], random());
    }
    d.reopen(CrashMode::random, seed);
  }
}

TEST_CASE("journal recovery: a topic that was made again under a name gets nothing of the one before") {
  for (const CrashMode mode : kModes) {
    JournaledDir d;
    d.start({"a", "b"});
    for (int i = 0; i < 5; ++i) d.append("a");
    d.commit("a");
    d.append("b");
    d.commit("b");
    d["a"].log->retire();
    d["a"].log.reset();
    JournaledDir::require(d.dir->delete_log(d["a"].name));
    d.forget_expectations("a");
    JournaledDir::require(d.try_create("a", TopicId{{99}}));
    const bool has_records = GENERATE(false, true);
    if (has_records) d.append("a");
    if (has_records) d.commit("a");
    d.append("a");
    d.append("a");
    d.reopen(mode);
    CHECK(d["a"].topic == TopicId{{99}});
    CHECK(d["b"].committed == 1);
  }
}

TEST_CASE("journal recovery: a partition that is gone holds no frames back") {
  JournaledDir d;
  d.options.journal_size_max = 2 * d.options.journal_file_size;
  d.start({"a", "b"});
  d.append("a");
  d.commit("a");
  d.append("b");
  d.commit("b");
  const bool before_the_crash = GENERATE(true, false);
  d["a"].log->retire();
  d["a"].log.reset();
  if (before_the_crash) {
    JournaledDir::require(d.dir->delete_log(d["a"].name));
    d.forget_expectations("a");
    d.flush("b");
  } else {
    const auto other = d["a"].name;
    d.reopen(CrashMode::keep_all);
    d["a"].log->retire();
    d["a"].log.reset();
    JournaledDir::require(d.dir->delete_log(other));
    d.forget_expectations("a");
    d.reopen(CrashMode::keep_all);
    d.flush("b");
  }
  for (int i = 0; i < 40; ++i) {
    d.append("b");
    if (i % 5 == 4) d.flush("b");
    d.commit("b");
  }
}

TEST_CASE("journal recovery: a partition that was synced before the stop holds no frames back after it") {
  JournaledDir d;
  d.options.journal_size_max = 2 * d.options.journal_file_size;
  d.start({"a", "b"});
  d.append("b");
  d.commit("b");  // b needs the frames from here on, those of a among them
  d.append("a");
  d.commit("a");
  d.flush("a");
  JournaledDir::require(d.try_checkpoint());
  d.append("b");
  d.commit("b");
  d.reopen(GENERATE(CrashMode::keep_all, CrashMode::lose_all));
  CHECK(d["a"].log->synced_end() == d["a"].log->log_end());  // so nobody will flush it
  for (int i = 0; i < 40; ++i) {
    d.append("b");
    if (i % 5 == 0) d.flush("b");
    d.commit("b");
  }
}

TEST_CASE("journal recovery: what was cut off a log does not come back") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("crash seed " << seed);
    JournaledDir d;
    d.start({"a", "b"});
    d.append("b");
    d.commit("b");  // which keeps all frames
    for (int i = 0; i < 10; ++i) {
      d.append("a");
      if (i % 2 == 1) d.commit("a");
    }
    d.flush("a");
    auto& a = d["a"];
    JournaledDir::require(d.dir->forget_recovery_point(a.name));
    JournaledDir::require(a.log->truncate_to(Offset(4)));
    a.appended.resize(4);
    a.committed = 4;
    a.journaled = {};
    // Other batches of the same sizes, so at the places of the old ones.
    d.append("a");
    d.append("a");
    if (seed % 4 == 1) d.flush("a");
    if (seed % 4 == 2) d.commit("a");
    d.append("a");
    d.reopen(kModes[seed % 3 + 1], seed);
    CHECK(d["a"].report.restored_bytes <= 3 * 200);
    d.append("a");
    d.commit("a");
    d.reopen(kModes[seed % 3 + 1], seed + 1);
  }
}

TEST_CASE(
    "journal recovery: after a clean stop there is no journal file, and after the next crash nothing old") {
  JournaledDir d;
  d.start({"a"});
  d.append("a");
  d.commit("a");
  d.append("a");
  CHECK(d.journal_names().size() == 2);
  JournaledDir::require(d.try_close());
  CHECK(d.journal_names().empty());
  d["a"].committed = 2;
  d.reopen();
  CHECK(d.dir->was_clean());
  CHECK(d.journal_names().empty());
  CHECK(d["a"].report.scanned_bytes == 0);
  JournaledDir::require(d.try_add_files(2));
  d.append("a");
  d.commit("a");
  d.reopen();
  CHECK(d["a"].committed == 3);
}

TEST_CASE("journal recovery: a stop that left files and a clean mark is believed, and the files go") {
  JournaledDir d;
  d.start({"a"});
  d.append("a");
  d.commit("a");
  // As if a program that knows no journal had stopped cleanly after a crash.
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& name : d.journal_names()) {
    const auto content = read_file(d.disk, "/data/" + name, 1 << 20);
    JournaledDir::require(content);
    files.emplace_back("/data/" + name, *content);
  }
  JournaledDir::require(d.try_close());
  for (const auto& [path, content] : files) JournaledDir::require(replace_file(d.disk, path, content));
  d.reopen(CrashMode::keep_all);
  CHECK(d.dir->was_clean());
  CHECK(d.journal_names().empty());
  CHECK(d["a"].report.restored_bytes == 0);
}

TEST_CASE(
    "journal recovery: a segment that does not sync after a commit takes the log offline, not the records") {
  for (const CrashMode mode : kModes) {
    JournaledDir d;
    d.start({"a", "b"});
    d.append("a");
    d.append("b");
    d.commit("a");
    d.commit("b");
    d.faults.fail({FileCall::sync, "/a-0/", 1, tests::kEveryCall}, Errc::io_error);
    CHECK_FALSE(d.try_flush(d["a"]).ok());
    CHECK(d["a"].log->health() == LogHealth::offline);
    // However long it goes on, the frame is kept.
    for (int i = 0; i < 80; ++i) {
      d.append("b");
      if (!d.try_commit(d["b"])) d.flush("b");
    }
    d.reopen(mode, 7);
    CHECK(d["a"].committed == 1);
    d.flush("a");
    d.flush("b");
    d.append("a");
    d.commit("a");
    d.reopen(mode, 8);
    CHECK(d["a"].committed == 2);
  }
}

TEST_CASE("journal recovery: without a journal from now on, that of the last run counts all the same") {
  JournaledDir d;
  d.start({"a"});
  d.append("a");
  d.commit("a");
  d.options.journal_size_max = 0;
  d.reopen();
  CHECK(d["a"].committed == 1);
  CHECK(d["a"].report.restored_bytes > 0);
  d.append("a");
  d.reopen();
  CHECK(d["a"].committed == 1);
  d.append("a");
  d.flush("a");
  JournaledDir::require(d.try_close());
  CHECK(d.journal_names().empty());
  d.reopen();
  CHECK(d["a"].committed == 2);
}

TEST_CASE("journal recovery: a producer's batch that was restored is known when it is sent again") {
  JournaledDir d;
  d.start({"a"});
  const auto made = [](std::int32_t sequence) {
    return batch().producer(5, 0, sequence).record("k", "a-" + std::to_string(sequence));
  };
  for (std::int32_t i = 0; i < 8; ++i) {
    JournaledDir::require(d.try_append(d["a"], made(i), 0));
    d["a"].appended.push_back("a-" + std::to_string(i));
  }
  d.commit("a");
  d.reopen();
  Bytes again = made(7).bytes();
  AppendEntry entry = tests::entry_of(again);
  JournaledDir::require(d["a"].log->append_as_leader({&entry, 1}, LeaderEpoch(0)));
  CHECK(entry.status == AppendStatus::duplicate);
  CHECK(entry.base_offset == Offset(7));
  Bytes gap = made(9).bytes();
  entry = tests::entry_of(gap);
  JournaledDir::require(d["a"].log->append_as_leader({&entry, 1}, LeaderEpoch(0)));
  CHECK(entry.status == AppendStatus::out_of_order_sequence);
}

TEST_CASE("journal recovery: the leader epochs of restored batches are known") {
  JournaledDir d;
  d.start({"a"});
  d.append("a", 2, 3);
  d.append("a", 3, 5);
  d.commit("a");
  const bool is_file_lost = GENERATE(false, true);
  d.crash(1, CrashMode::lose_all);
  if (is_file_lost) JournaledDir::require(d.disk.remove("/data/a-0/leader-epoch-checkpoint"));
  d.open();
  CHECK(d["a"].log->latest_leader_epoch() == LeaderEpoch(5));
  CHECK(d["a"].log->end_offset_for_epoch(LeaderEpoch(3)).end_offset == Offset(2));
  CHECK(d["a"].log->end_offset_for_epoch(LeaderEpoch(5)).end_offset == Offset(5));
  CHECK(d["a"].log->leader_epoch_at(Offset(4)) == LeaderEpoch(5));
}

TEST_CASE("journal recovery: an entry whose batches are not what it says restores nothing") {
  tests::LogFixture f;
  f.create();
  const bool is_bad_inside = GENERATE(false, true);
  const std::int64_t at = is_bad_inside ? 0 : 5;
  Bytes bytes = batch().at(at).record("k", "v").bytes();
  if (is_bad_inside) bytes.back() ^= std::byte{1};
  f.put("batches", bytes);
  const auto file = f.disk.open(f.path("batches"), OpenMode::read);
  REQUIRE(file.ok());
  JournalReplay replay;
  JournalEntry entry;
  entry.key = {TopicId{{1, 2, 3}}, PartitionIndex(0)};
  entry.next_offset = Offset(at + 1);
  entry.size = static_cast<ByteCount>(bytes.size());
  replay.add(entry, 1, *file, FilePosition(0));
  f.options.journal = &replay;
  f.kill();
  f.open(false);
  CHECK(f.end() == 0);
  CHECK(f.log->segment_count() == 1);
  CHECK(f.report.restored_bytes == 0);
  f.append(batch().record("k", "v"));
  CHECK(f.end() == 1);
}

TEST_CASE("journal recovery: retention may take a segment that was committed and not synced") {
  for (const CrashMode mode : kModes) {
    JournaledDir d;
    d.start({"a"});
    d.append_until_roll("a");
    d.append_until_roll("a");
    d.append("a");
    d.commit("a");
    auto& a = d["a"];
    d.config.retention_bytes = 1000;
    a.log->set_config(d.config);
    const auto removed = a.log->clean_up(d.clock.wall_ms(), a.log->log_end().offset);
    JournaledDir::require(removed);
    REQUIRE(*removed > 0);
    d.config.retention_bytes = -1;
    JournaledDir::require(d.try_checkpoint());
    const Offset start = a.log->log_start();
    const Offset end = a.log->log_end().offset;
    d.crash(3, mode);
    JournaledDir::require(d.try_open());
    JournaledDir::require(d.dir->find_partitions());
    RecoveryReport report;
    const auto log = d.dir->open_log({"a", PartitionIndex(0)}, d.config, report);
    JournaledDir::require(log);
    CHECK((*log)->health() == LogHealth::healthy);
    CHECK((*log)->log_start() == start);
    CHECK((*log)->log_end().offset == end);
  }
}

TEST_CASE(
    "journal recovery: a log that is damaged below its recovery point gets nothing, and the batches are "
    "kept") {
  JournaledDir d;
  d.start({"a"});
  for (int i = 0; i < 5; ++i) d.append("a");
  d.flush("a");
  JournaledDir::require(d.try_checkpoint());
  const FilePosition synced = d["a"].log->synced_end().position;
  d.append("a");
  d.commit("a");
  const std::string path = "/data/a-0/" + tests::LogFixture::file_name(0, std::string(kLogSuffix));
  const auto written = d.disk.open(path, OpenMode::read).value();
  Bytes last(static_cast<std::size_t>(written->size().value() - synced));
  REQUIRE(written->read_at(synced, last).value() == last.size());
  d.crash(1, CrashMode::lose_all);
  const Bytes rot(4, std::byte{0x77});
  JournaledDir::require(d.disk.corrupt(path, synced + -20, rot));
  JournaledDir::require(d.try_open());
  JournaledDir::require(d.dir->find_partitions());
  RecoveryReport report;
  auto log = d.dir->open_log({"a", PartitionIndex(0)}, d.config, report);
  JournaledDir::require(log);
  CHECK((*log)->health() == LogHealth::degraded);
  CHECK(report.restored_bytes == 0);
  CHECK((*log)->log_end().offset == Offset(5));
  CHECK(report.unplaced_bytes == static_cast<ByteCount>(last.size()));
  // They are on disk, and the journal may go.
  (*log).reset();
  d.crash(2, CrashMode::lose_all);
  std::string kept;
  const std::vector<DirectoryEntry> entries = d.disk.list_directory("/data/a-0").value();
  for (const DirectoryEntry& entry : entries) {
    if (entry.name.find(kJournaledInfix) != std::string::npos) kept = entry.name;
  }
  REQUIRE(kept.substr(0, 20) == "00000000000000000005");
  const auto file = d.disk.open("/data/a-0/" + kept, OpenMode::read).value();
  Bytes found(last.size() + 1);
  found.resize(file->read_at(FilePosition(0), found).value());
  CHECK(found == last);
}

}  // namespace
}  // namespace sillok::storage
