#include <thread>

#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

TEST_CASE("flush: one fdatasync makes all durable that was appended before it") {
  LogFixture f;
  f.create();
  f.append_many(10);
  CHECK(f.log->unflushed_size() == f.log->size());
  const CallCounts before = f.disk.calls();
  const auto end = f.log->flush();
  REQUIRE(end.ok());
  CHECK(f.disk.calls().syncs == before.syncs + 1);
  CHECK(f.disk.calls().directory_syncs == before.directory_syncs);
  CHECK(*end == f.log->log_end());
  CHECK(f.log->synced_end() == *end);
  CHECK(f.log->unflushed_size() == 0);
}

TEST_CASE("flush: where nothing is new, nothing is synced") {
  LogFixture f;
  f.create();
  f.append_many(10);
  REQUIRE(f.log->flush().ok());
  const CallCounts before = f.disk.calls();
  REQUIRE(f.log->flush().ok());
  CHECK(f.disk.calls().syncs == before.syncs);
}

TEST_CASE(
    "flush: a roll syncs nothing; the next flush syncs old log, its indexes, the directory, then the new "
    "log") {
  LogFixture f;
  f.create();
  f.append_many(5);
  const CallCounts before = f.disk.calls();
  REQUIRE(f.log->roll().ok());
  f.append_many(1);
  CHECK(f.disk.calls().syncs == before.syncs);
  CHECK(f.disk.calls().directory_syncs == before.directory_syncs);

  // Each step that fails leaves the synced end where it was, and nothing after the step is done.
  struct Step {
    FileCall call;
    std::string path_part;
  };
  const Step steps[] = {{FileCall::sync, f.file_name(0, ".log")},
                        {FileCall::sync, f.file_name(0, ".index")},
                        {FileCall::sync, f.file_name(0, ".timeindex")},
                        {FileCall::sync_directory, kLogDirectory},
                        {FileCall::sync, f.file_name(5, ".log")}};
  const std::size_t failing = GENERATE(0U, 1U, 2U, 3U, 4U);
  const auto stall_after = failing + 1 < std::size(steps)
                               ? f.faults.stall({steps[failing + 1].call, steps[failing + 1].path_part})
                               : nullptr;
  f.faults.fail({steps[failing].call, steps[failing].path_part}, Errc::io_error);
  CHECK(!f.log->flush().ok());  // a later step would wait for ever
  CHECK(f.log->synced_end().offset == Offset(0));
  CHECK(f.log->health() == LogHealth::offline);
}

TEST_CASE("flush: the producers' state at a roll is durable with it") {
  LogFixture f;
  f.create();
  f.append(batch().producer(7, 0, 0).records(2));
  REQUIRE(f.log->roll().ok());
  CHECK(!f.has(f.file_name(2, ".snapshot")));
  f.append_many(1);
  REQUIRE(f.log->flush().ok());
  CHECK(f.has(f.file_name(2, ".snapshot")));
  f.reopen(Stop::power_cut);
  CHECK(f.has(f.file_name(2, ".snapshot")));
  CHECK(f.append(batch().producer(7, 0, 0).records(2)).status == AppendStatus::duplicate);
}

TEST_CASE("log: a file stays open while batches come, and for two looks of housekeeping after the last") {
  LogFixture f;
  f.create();
  f.append_many(3);
  const auto slice = f.log->read(Offset(0), f.log->log_end(), 100, Log::FirstBatch::whole, IoMode::may_block);
  REQUIRE(slice.ok());
  CHECK(slice->file.use_count() >= 3);  // ours, the segment's, the cache's
  const bool by_clean_up = GENERATE(true, false);
  const auto look = [&] {
    if (by_clean_up) {
      REQUIRE(f.log->clean_up(f.clock.wall_ms(), f.log->log_end().offset).ok());
    } else {
      (void)f.log->recovery_point();
    }
    f.cache->forget(f.path(f.file_name(0, ".log")));
  };
  REQUIRE(f.log->flush().ok());
  look();
  CHECK(slice->file.use_count() == 2);
  f.append_many(1);
  look();
  look();
  CHECK(slice->file.use_count() == 2);  // not on disk yet
  REQUIRE(f.log->flush().ok());
  look();
  CHECK(slice->file.use_count() == 1);
  f.append_many(1);
  CHECK(f.offsets().size() == 5);
}

TEST_CASE("flush: appends go on while a sync takes long, and wait for the next one") {
  LogFixture f;
  f.create();
  f.append_many(2);
  const auto stall = f.faults.stall({FileCall::sync, ".log"});
  Result<LogPosition> flushed = LogPosition{};
  std::thread flusher([&] { flushed = f.log->flush(); });
  stall->wait_until_reached();
  f.append_many(3);
  CHECK(f.offsets().size() == 5);
  CHECK(f.log->synced_end().offset == Offset(0));
  stall->release();
  flusher.join();
  REQUIRE(flushed.ok());
  CHECK(flushed->offset == Offset(2));
  CHECK(f.log->synced_end().offset == Offset(2));
  CHECK(f.log->unflushed_size() > 0);
  REQUIRE(f.log->flush().ok());
  CHECK(f.log->synced_end().offset == Offset(5));
  CHECK(f.log->unflushed_size() == 0);
}

TEST_CASE("recovery point: it is where the log is synced, not where it ends") {
  LogFixture f;
  f.create();
  f.append_many(5);
  REQUIRE(f.log->flush().ok());
  f.append_many(5);
  const RecoveryPoint point = f.log->recovery_point();
  CHECK(point.offset == Offset(5));
  CHECK(point.segment_base == Offset(0));
  CHECK(point.position == f.log->synced_end().position);
  CHECK(point.leader_epoch == LeaderEpoch(0));
}

TEST_CASE("close: the files are as Kafka leaves them, exact in size, with final time entry and snapshot") {
  LogConfig config = LogFixture::small_config();
  config.preallocate = true;
  LogFixture f(config);
  f.create();
  f.append_many(50);
  const ByteCount size = f.log->size();
  REQUIRE(f.log->close().ok());
  ByteCount in_files = 0;
  for (const std::string& name : f.names()) {
    const auto bytes = static_cast<ByteCount>(f.content(name).size());
    if (name.ends_with(".log")) in_files += bytes;
    if (name.ends_with(".index")) CHECK(bytes % 8 == 0);
    if (name.ends_with(".timeindex")) CHECK((bytes % 12 == 0 && bytes > 0));
  }
  CHECK(in_files == size);
  CHECK(f.has(f.file_name(50, ".snapshot")));
}

}  // namespace
}  // namespace sillok::tests
