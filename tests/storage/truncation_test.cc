#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

TEST_CASE("truncate_to: cuts the log at any batch, and what is appended then follows") {
  for (std::int64_t to = 0; to <= 100; to += 7) {
    INFO("to " << to);
    LogFixture f;
    f.create();
    f.append_many(100);
    if (to % 2 == 0) REQUIRE(f.log->flush().ok());
    const Bytes before = f.read_all();
    REQUIRE(f.log->truncate_to(Offset(to)).ok());
    f.log->check_invariants();
    CHECK(f.end() == to);
    const Bytes kept = f.read_all();
    CHECK(std::equal(kept.begin(), kept.end(), before.begin()));
    CHECK(f.offsets().size() == static_cast<std::size_t>(to));
    CHECK(f.log->synced_end().offset <= Offset(to));
    f.append(batch().record("new", "new"), 3);
    REQUIRE(f.log->flush().ok());
    CHECK(f.log->unflushed_size() == 0);
    f.reopen(to % 3 == 0 ? Stop::clean : Stop::power_cut);
    CHECK(f.end() == to + 1);
    CHECK(f.offsets().size() == static_cast<std::size_t>(to + 1));
    CHECK(f.log->leader_epoch_at(Offset(to)) == LeaderEpoch(3));
  }
}

TEST_CASE("truncate_to: inside a batch, the whole batch goes") {
  LogFixture f;
  f.create();
  f.append(batch().records(3));
  f.append(batch().records(3));
  REQUIRE(f.log->truncate_to(Offset(4)).ok());
  CHECK(f.end() == 3);
  CHECK(f.offsets() == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("truncate_to: bytes that were visible stay as they were for whoever still sends them") {
  LogFixture f;
  f.create();
  f.append_many(10);
  const auto slice =
      f.log->read(Offset(0), f.log->log_end(), 1 << 20, Log::FirstBatch::whole, IoMode::may_block);
  REQUIRE(slice.ok());
  const Bytes before = f.read_all();
  REQUIRE(f.log->truncate_to(Offset(5)).ok());
  f.append(batch().record("other", "record of another length than those before"));
  Bytes after(static_cast<std::size_t>(slice->size));
  REQUIRE(slice->file->read_at(slice->position, after).ok());
  CHECK(after == before);
}

TEST_CASE("truncate_to: producers and epochs of what was cut are forgotten") {
  LogFixture f;
  f.create();
  f.append(batch().producer(1, 0, 0).records(1), 0);
  f.append(batch().producer(1, 0, 1).records(1), 4);
  REQUIRE(f.log->truncate_to(Offset(1)).ok());
  CHECK(f.log->latest_leader_epoch() == LeaderEpoch(0));
  CHECK(f.append(batch().producer(1, 0, 0).records(1), 5).status == AppendStatus::duplicate);
  CHECK(f.append(batch().producer(1, 0, 1).records(1), 5).status == AppendStatus::appended);
}

TEST_CASE(
    "truncate_to: a snapshot of what was cut does not come back with a crash, though the log grew past it "
    "again") {
  LogFixture f;
  f.create();
  for (int i = 0; i < 3; ++i) f.append(batch().producer(1, 0, i).records(1));
  f.reopen(Stop::clean);
  REQUIRE(f.has(LogFixture::file_name(3, ".snapshot")));
  const bool fully = GENERATE(false, true);
  if (fully) {
    REQUIRE(f.log->truncate_fully_and_start_at(Offset(3)).ok());
  } else {
    REQUIRE(f.log->truncate_to(Offset(1)).ok());
  }
  f.append(batch().producer(1, 0, 1).records(5));
  REQUIRE(f.log->flush().ok());
  f.reopen(Stop::power_cut);
  CHECK(f.append(batch().producer(1, 0, 1).records(5)).status == AppendStatus::duplicate);
}

TEST_CASE("truncate_to: below the log start empties the log and starts it there") {
  LogFixture f;
  f.create();
  f.append_many(10);
  REQUIRE(f.log->set_log_start(Offset(5)).ok());
  REQUIRE(f.log->truncate_to(Offset(3)).ok());
  CHECK(f.log->log_start() == Offset(3));
  CHECK(f.end() == 3);
}

TEST_CASE("truncate_to: at or past the end changes nothing") {
  LogFixture f;
  f.create();
  f.append_many(10);
  REQUIRE(f.log->truncate_to(Offset(10)).ok());
  REQUIRE(f.log->truncate_to(Offset(11)).ok());
  CHECK(f.end() == 10);
}

TEST_CASE("truncate_to: a crash in its middle leaves the log as it was, or as it was to be") {
  for (std::int64_t nth = 1; nth <= 20; ++nth) {
    for (const FileCall call :
         {FileCall::rename, FileCall::sync, FileCall::write, FileCall::sync_directory}) {
      LogFixture f;
      f.create();
      f.append_many(100);
      REQUIRE(f.log->flush().ok());
      f.faults.fail({call, "", nth}, Errc::io_error);
      const bool done = f.log->truncate_to(Offset(30)).ok();
      f.kill();
      f.faults.clear();
      f.disk.crash(static_cast<std::uint64_t>(nth), CrashMode::random);
      f.open(false);
      CHECK(f.offsets().size() == static_cast<std::size_t>(f.end()));
      CHECK(f.end() >= 30);
      if (done) CHECK(f.end() == 30);
      f.append_many(3);
    }
  }
}

TEST_CASE("truncate_fully_and_start_at: an empty log that starts anywhere") {
  LogFixture f;
  f.create();
  f.append_many(100);
  REQUIRE(f.log->truncate_fully_and_start_at(Offset(5000)).ok());
  f.log->check_invariants();
  CHECK(f.log->log_start() == Offset(5000));
  CHECK(f.end() == 5000);
  CHECK(f.log->size() == 0);
  CHECK(f.log->latest_leader_epoch() == kNoLeaderEpoch);
  f.append_many(2);
  CHECK(f.offsets(5000) == std::vector<std::int64_t>{5000, 5001});
  REQUIRE(f.log->truncate_fully_and_start_at(Offset(0)).ok());
  f.append_many(2);
  f.reopen(Stop::clean);
  CHECK(f.offsets() == std::vector<std::int64_t>{0, 1});
}

}  // namespace
}  // namespace sillok::tests
