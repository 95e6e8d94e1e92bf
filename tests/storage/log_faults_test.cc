// Reliability rules B1 and B3: the k-th write or sync fails.
#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

TEST_CASE("faults: after a failed sync nothing is synced or appended again, and reads go on") {
  for (std::int64_t nth = 1; nth <= 12; ++nth) {
    INFO("sync " << nth);
    LogFixture f;
    f.create();
    f.append_many(1);
    f.faults.fail({FileCall::sync, "", nth}, Errc::io_error);
    std::int64_t synced = 0;
    Result<LogPosition> flushed = LogPosition{};
    while (flushed.ok()) {
      synced = f.log->synced_end().offset.value;
      f.append_many(15);
      flushed = f.log->flush();
    }
    CHECK(f.log->health() == LogHealth::offline);
    CHECK(f.log->synced_end().offset == Offset(synced));
    const CallCounts before = f.disk.calls();
    const auto again = f.log->flush();
    REQUIRE(!again.ok());
    CHECK(again.error().code == Errc::segment_failed);
    const auto refused = f.try_append(batch().records(1));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Errc::segment_failed);
    CHECK(f.disk.calls().syncs == before.syncs);
    CHECK(f.disk.calls().writes == before.writes);
    CHECK(f.offsets().size() == static_cast<std::size_t>(f.end()));
    f.kill();
    f.faults.clear();
    f.disk.crash(1, CrashMode::lose_all);
    f.open(false);
    CHECK(f.end() >= synced);
  }
}

TEST_CASE("faults: of a batch whose write fails nothing can be read, now or after a restart") {
  for (std::int64_t nth = 1; nth <= 30; ++nth) {
    for (const ByteCount written : {0, 1, 61, 80}) {
      INFO("write " << nth << ", " << written << " bytes of it");
      LogFixture f;
      f.create();
      f.faults.write_short({FileCall::write, ".log", nth}, written, Errc::io_error);
      Result<AppendEntry> appended = AppendEntry{};
      while (appended.ok())
        appended = f.try_append(batch().record("key", "a value of some length, for tearing"));
      CHECK(f.end() == nth - 1);
      CHECK(f.log->health() == LogHealth::offline);
      CHECK(f.offsets().size() == static_cast<std::size_t>(nth - 1));
      f.faults.clear();
      f.reopen(Stop::killed);
      CHECK(f.end() == nth - 1);
      CHECK(f.report.cut_bytes == 0);
    }
  }
}

TEST_CASE("faults: a full disk refuses the batch, and the log goes on when there is room") {
  LogFixture f;
  f.create();
  f.append(batch().producer(1, 0, 0).records(1));
  f.faults.write_short({FileCall::write, ".log", 1}, 30, Errc::no_space);
  const auto refused = f.try_append(batch().producer(1, 0, 1).records(1));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Errc::no_space);
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.end() == 1);
  f.log->check_invariants();
  // What was refused is not taken for a duplicate.
  const AppendEntry again = f.append(batch().producer(1, 0, 1).records(1));
  CHECK(again.status == AppendStatus::appended);
  CHECK(again.base_offset == Offset(1));
  CHECK(f.offsets().size() == 2);
  f.reopen(Stop::killed);
  CHECK(f.offsets().size() == 2);
}

TEST_CASE("faults: a disk that fills up between the writes of a call keeps what was written, and only that") {
  const auto [call, suffix, code] =
      GENERATE(table<FileCall, std::string, Errc>({{FileCall::open, ".timeindex", Errc::no_space},
                                                   {FileCall::write, ".log", Errc::no_space},
                                                   {FileCall::open, "", Errc::too_many_files}}));
  INFO(suffix);
  LogFixture f;
  f.create();
  f.append(batch().producer(1, 0, 0).records(1));
  // The first fits into the segment, the second does not; the third repeats the second, the fourth is of an
  // epoch before that of the third.
  Bytes first = batch().producer(1, 0, 1).records(2);
  Bytes second = batch().producer(1, 1, 0).sized(4000);
  Bytes repeated = second;
  Bytes fenced = batch().producer(1, 0, 3).records(1);
  std::vector<AppendEntry> entries = {entry_of(first), entry_of(second), entry_of(repeated),
                                      entry_of(fenced)};
  // However an entry was initialised, what it says is what became of it.
  for (AppendEntry& entry : entries) entry.base_offset = entry.last_offset = Offset(0);
  f.faults.fail({call, suffix, call == FileCall::open ? 1 : 2, kEveryCall}, code);
  REQUIRE(f.log->append_as_leader(entries, LeaderEpoch(0)).ok());
  CHECK(entries[0].status == AppendStatus::appended);
  CHECK(entries[0].base_offset == Offset(1));
  CHECK(entries[1].status == AppendStatus::not_written);
  CHECK(entries[1].base_offset == Offset(-1));
  CHECK(entries[2].status == AppendStatus::not_written);
  CHECK(entries[3].status == AppendStatus::not_written);
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.end() == 3);
  f.log->check_invariants();
  f.faults.clear();
  CHECK(f.append(batch().producer(1, 0, 1).records(2)).status == AppendStatus::duplicate);
  CHECK(f.append(batch().producer(1, 1, 0).sized(4000)).base_offset == Offset(3));
  REQUIRE(f.log->flush().ok());
  f.reopen(Stop::power_cut);
  CHECK(f.end() == 4);
}

TEST_CASE("faults: a snapshot that finds no room at a flush is done without") {
  LogFixture f;
  f.create();
  f.append(batch().producer(1, 0, 0).records(1));
  f.append_until_roll();
  f.faults.fail({FileCall::open, ".snapshot", 1, kEveryCall}, Errc::no_space);
  REQUIRE(f.log->flush().ok());
  CHECK(f.log->health() == LogHealth::healthy);
  const std::int64_t end = f.end();
  CHECK(f.log->synced_end().offset == Offset(end));
  f.faults.clear();
  f.reopen(Stop::power_cut);
  CHECK(f.end() == end);
  CHECK(f.append(batch().producer(1, 0, 0).records(1)).status == AppendStatus::duplicate);
}

TEST_CASE("faults: a full disk whose half batch cannot be cut takes the log offline") {
  LogFixture f;
  f.create();
  f.append_many(1);
  f.faults.write_short({FileCall::write, ".log", 1}, 30, Errc::no_space);
  f.faults.fail({FileCall::truncate, ".log"}, Errc::io_error);
  CHECK(!f.try_append(batch().records(1)).ok());
  CHECK(f.log->health() == LogHealth::offline);
  f.faults.clear();
  f.reopen(Stop::killed);
  CHECK(f.end() == 1);
}

TEST_CASE("faults: a segment that cannot be made for want of space leaves the log as it was") {
  LogFixture f;
  f.create();
  f.append_many(3);
  const char* suffix = GENERATE(".log", ".index", ".timeindex");
  f.faults.fail({FileCall::open, suffix}, Errc::no_space);
  const auto rolled = f.log->roll();
  REQUIRE(!rolled.ok());
  CHECK(f.log->health() == LogHealth::healthy);
  f.log->check_invariants();
  REQUIRE(f.log->roll().ok());
  f.append_many(1);
  CHECK(f.offsets().size() == 4);
}

TEST_CASE("faults: an append that gets no descriptor fails alone, whichever file it wanted to open") {
  int failed_runs = 0;
  for (std::int64_t nth = 1; nth <= 12; ++nth) {
    INFO("open " << nth);
    LogFixture f;
    f.create();
    f.append(batch().producer(1, 0, 0).records(1), 0);
    f.append_many(25);
    const std::int64_t before = f.end();
    f.reopen(Stop::clean);
    f.faults.fail({FileCall::open, "", nth, kEveryCall}, Errc::too_many_files);
    // Of a new epoch, and due for a new segment.
    Bytes bytes = batch().producer(1, 0, 1).sized(3000);
    AppendEntry entry = entry_of(bytes);
    const auto refused = f.log->append_as_leader({&entry, 1}, LeaderEpoch(1));
    if (refused.ok()) continue;
    ++failed_runs;
    CHECK(refused.error().code == Errc::too_many_files);
    CHECK(f.log->health() == LogHealth::healthy);
    CHECK(f.end() == before);
    f.log->check_invariants();
    f.faults.clear();
    CHECK(f.append(batch().producer(1, 0, 1).sized(3000), 1).status == AppendStatus::appended);
    REQUIRE(f.log->flush().ok());
    f.reopen(Stop::power_cut);
    CHECK(f.end() == before + 1);
  }
  CHECK(failed_runs > 4);
}

TEST_CASE("faults: a flush that gets no descriptor syncs it all when it is tried again") {
  int failed_runs = 0;
  for (std::int64_t nth = 1; nth <= 12; ++nth) {
    INFO("open " << nth);
    LogFixture f;
    f.create();
    f.append(batch().producer(1, 0, 0).records(1));
    for (int segment = 0; segment < 3; ++segment) f.append_until_roll();
    for (const char* suffix : {".log", ".index", ".timeindex"}) {
      for (const std::string& name : f.names()) {
        if (name.ends_with(suffix)) f.cache->forget(f.path(name));
      }
    }
    f.faults.fail({FileCall::open, "", nth, kEveryCall}, Errc::too_many_files);
    const auto flushed = f.log->flush();
    if (flushed.ok()) continue;
    ++failed_runs;
    CHECK(flushed.error().code == Errc::too_many_files);
    CHECK(f.log->health() == LogHealth::healthy);
    CHECK(f.log->synced_end().offset == Offset(0));
    f.log->check_invariants();
    f.faults.clear();
    const std::int64_t end = f.end();
    REQUIRE(f.log->flush().ok());
    CHECK(f.log->unflushed_size() == 0);
    f.reopen(Stop::power_cut);
    CHECK(f.end() == end);
    CHECK(f.report.cut_bytes == 0);
  }
  CHECK(failed_runs > 4);
}

TEST_CASE("faults: an index that cannot be written for want of space is only sparser") {
  LogConfig config = LogFixture::small_config();
  config.segment_bytes = 1 << 20;
  LogFixture f(config);
  f.create();
  f.faults.fail({FileCall::write, "index", 1, kEveryCall}, Errc::no_space);
  for (int i = 0; i < 1200; ++i) REQUIRE(f.try_append(batch().record("k", "v", 1000 + i)).ok());
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.offsets().size() == 1200);
  f.faults.clear();
  f.append_many(1);
  f.reopen(Stop::clean);
  CHECK(f.offsets().size() == 1201);
  CHECK(f.offsets(1111).front() == 1111);
}

TEST_CASE("faults: a read error fails that read, and nothing else") {
  LogFixture f;
  f.create();
  f.append_many(100);
  REQUIRE(f.log->flush().ok());
  f.reopen(Stop::clean);
  f.faults.fail({FileCall::read, f.file_name(0, ".log")}, Errc::io_error);
  const auto failed = f.read(2, 100);
  REQUIRE(!failed.ok());
  CHECK(failed.error().code == Errc::io_error);
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.read(2, 100).ok());
  f.append_many(1);
}

}  // namespace
}  // namespace sillok::tests
