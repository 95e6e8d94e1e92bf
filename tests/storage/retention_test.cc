#include "storage/retention.h"

#include <thread>

#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

std::size_t expired(std::vector<SegmentAge> segments, const LogConfig& config,
                    std::int64_t high_watermark = 1000, std::int64_t log_start = 0) {
  return expired_prefix(segments, config, {10'000, Offset(log_start), Offset(high_watermark)});
}

LogConfig keep(std::int64_t ms, ByteCount bytes) {
  LogConfig config;
  config.retention_ms = ms;
  config.retention_bytes = bytes;
  return config;
}

TEST_CASE(
    "retention: segments go whose last record is older than retention.ms, up to the first that is not") {
  const std::vector<SegmentAge> segments = {
      {10, Offset(1), 8'000}, {10, Offset(2), 8'999}, {10, Offset(3), 9'000}, {10, Offset(4), 1'000}};
  CHECK(expired(segments, keep(1000, -1)) == 2);
  CHECK(expired(segments, keep(-1, -1)) == 0);
  CHECK(expired(segments, keep(0, -1)) == 4);
}

TEST_CASE("retention: segments go as long as retention.bytes are left without them") {
  const std::vector<SegmentAge> segments = {{10, Offset(1), 0}, {10, Offset(2), 0}, {10, Offset(3), 0}};
  CHECK(expired(segments, keep(-1, 30)) == 0);
  CHECK(expired(segments, keep(-1, 29)) == 0);
  CHECK(expired(segments, keep(-1, 20)) == 1);
  CHECK(expired(segments, keep(-1, 0)) == 3);
}

TEST_CASE("retention: nothing goes that reaches past the high watermark, and never an empty active segment") {
  const std::vector<SegmentAge> segments = {{10, Offset(5), 0}, {10, Offset(9), 0}, {0, Offset(9), 0}};
  CHECK(expired(segments, keep(0, -1), 4) == 0);
  CHECK(expired(segments, keep(0, -1), 5) == 1);
  CHECK(expired(segments, keep(0, -1), 9) == 2);
}

TEST_CASE("retention: without cleanup.policy delete only what lies below the log start goes") {
  const std::vector<SegmentAge> segments = {{10, Offset(5), 0}, {10, Offset(9), 0}};
  LogConfig config = keep(0, 0);
  config.cleanup_delete = false;
  config.cleanup_compact = true;
  CHECK(expired(segments, config) == 0);
  CHECK(expired(segments, config, 1000, 5) == 1);
}

LogConfig small_with_retention() {
  LogConfig config = LogFixture::small_config();
  config.retention_ms = 1000;
  config.file_delete_delay_ms = 60'000;
  return config;
}

TEST_CASE("clean_up: old segments are renamed at once, and removed after file.delete.delay.ms") {
  LogFixture f(small_with_retention());
  f.create();
  f.append_until_roll();
  f.append_until_roll();
  REQUIRE(f.log->flush().ok());
  const std::string first = f.file_name(0, ".log");
  const auto slice = f.log->read(Offset(0), f.log->log_end(), 100, Log::FirstBatch::whole, IoMode::may_block);
  REQUIRE(slice.ok());
  // The first segment's last record is over, the second's not yet.
  const auto deleted = f.log->clean_up(kBatchTimestamp + f.end() + 900, Offset(f.end()));
  REQUIRE(deleted.ok());
  CHECK(*deleted == 0);
  REQUIRE(f.log->clean_up(kBatchTimestamp + f.end() + 980, Offset(f.end())).ok());
  f.log->check_invariants();
  CHECK(f.log->segment_count() == 2);
  CHECK(f.log->log_start() > Offset(0));
  CHECK(!f.has(first));
  CHECK(f.has(first + ".deleted"));
  CHECK(f.has(f.file_name(0, ".index.deleted")));
  const auto below = f.read(0, 100);
  REQUIRE(!below.ok());
  CHECK(below.error().code == Errc::offset_out_of_range);
  CHECK(f.offsets(f.log->log_start().value).back() == f.end() - 1);

  f.clock.advance(std::chrono::milliseconds(59'999));
  REQUIRE(f.log->remove_deleted_files(f.clock.steady()).ok());
  CHECK(f.has(first + ".deleted"));
  f.clock.advance(std::chrono::milliseconds(1));
  REQUIRE(f.log->remove_deleted_files(f.clock.steady()).ok());
  CHECK(!f.has(first + ".deleted"));
  Bytes bytes(static_cast<std::size_t>(slice->size));
  REQUIRE(slice->file->read_at(slice->position, bytes).ok());
  CHECK(header_of(bytes).base_offset == Offset(0));
}

TEST_CASE("clean_up: when all records are over, the active segment goes too, and offsets go on") {
  LogFixture f(small_with_retention());
  f.create();
  f.append_many(100);
  REQUIRE(f.log->flush().ok());
  REQUIRE(f.log->clean_up(kBatchTimestamp + 10'000'000, Offset(100)).ok());
  f.log->check_invariants();
  CHECK(f.log->segment_count() == 1);
  CHECK(f.log->log_start() == Offset(100));
  CHECK(f.log->size() == 0);
  f.append_many(1);
  CHECK(f.offsets(100) == std::vector<std::int64_t>{100});
  REQUIRE(f.log->flush().ok());
  const Stop stop = GENERATE(Stop::clean, Stop::killed, Stop::power_cut);
  f.reopen(stop);
  CHECK(f.end() == 101);
  CHECK(f.log->log_start() == Offset(100));
}

TEST_CASE("clean_up: the age of records without timestamps is that of their file, through restarts") {
  LogFixture f(small_with_retention());
  f.create();
  while (f.log->segment_count() < 2) f.append(batch().record("k", "v", kNoTimestamp));
  REQUIRE(f.log->flush().ok());
  const TimestampMs now = f.clock.wall_ms();
  f.disk.set_modified(f.path(LogFixture::file_name(0, ".log")), now - 10'000'000);
  f.reopen(Stop::clean);
  CHECK(*f.log->clean_up(now, Offset(f.end())) == 1);
}

TEST_CASE("clean_up: an append that was refused makes nothing younger") {
  LogFixture f(small_with_retention());
  f.create();
  f.append(batch().record("k", "v", kNoTimestamp));
  const TimestampMs first = f.clock.wall_ms();
  f.clock.advance(std::chrono::hours(1));
  f.faults.fail({FileCall::write, ".log"}, Errc::no_space);
  CHECK(!f.try_append(batch().record("k", "v", kNoTimestamp)).ok());
  CHECK(*f.log->clean_up(first + small_with_retention().retention_ms + 1, Offset(f.end())) == 1);
}

TEST_CASE("clean_up: records without timestamps are as old as the last of their segment") {
  LogFixture f(small_with_retention());
  f.create();
  f.append(batch().record("k", "v", kNoTimestamp));
  const TimestampMs first = f.clock.wall_ms();
  f.clock.advance(std::chrono::hours(1));
  f.append(batch().record("k", "v", kNoTimestamp));
  const std::int64_t retention_ms = small_with_retention().retention_ms;
  CHECK(*f.log->clean_up(first + std::chrono::milliseconds(std::chrono::hours(1)).count() + retention_ms,
                         Offset(f.end())) == 0);
  CHECK(*f.log->clean_up(first + std::chrono::milliseconds(std::chrono::hours(1)).count() + retention_ms + 1,
                         Offset(f.end())) == 1);
}

TEST_CASE(
    "clean_up: on a full disk segments go without a snapshot, and without a descriptor nothing happens") {
  LogFixture f(small_with_retention());
  f.create();
  f.append(batch().producer(1, 0, 0).records(1));
  f.append_until_roll();
  const TimestampMs late = kBatchTimestamp + 10'000'000;
  const bool has_more_later = GENERATE(true, false);
  REQUIRE(f.log->flush().ok());
  (void)f.log->recovery_point();
  f.faults.fail({FileCall::list_directory, "", 1}, Errc::too_many_files);
  CHECK(f.log->clean_up(late, Offset(f.end())).error().code == Errc::too_many_files);
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.log->segment_count() == 2);
  f.faults.fail({FileCall::open, ".snapshot", 1, kEveryCall}, Errc::no_space);
  f.faults.fail({FileCall::open, ".timeindex", 1, 1}, Errc::no_space);
  CHECK(*f.log->clean_up(late, Offset(f.end())) == 1);  // no room for a new active segment
  CHECK(*f.log->clean_up(late, Offset(f.end())) == 1);
  CHECK(f.log->health() == LogHealth::healthy);
  f.faults.clear();
  if (has_more_later) f.append_many(1);
  REQUIRE(f.log->flush().ok());
  // What was owed is written when there is room: the producer is known, though nothing of it is left.
  (void)f.log->recovery_point();
  f.reopen(Stop::power_cut);
  CHECK(f.offsets(f.log->log_start().value).size() == (has_more_later ? 1 : 0));
  CHECK(f.append(batch().producer(1, 0, 0).records(1)).status == AppendStatus::duplicate);
}

TEST_CASE("clean_up: what is not flushed may go, and the synced end follows the log start") {
  LogFixture f(small_with_retention());
  f.create();
  f.append_many(100);
  REQUIRE(f.log->clean_up(kBatchTimestamp + 10'000'000, Offset(100)).ok());
  CHECK(f.log->synced_end().offset >= f.log->log_start());
  CHECK(f.log->unflushed_size() == 0);
  f.append_many(2);
  REQUIRE(f.log->flush().ok());
  CHECK(f.log->synced_end().offset == Offset(102));
}

TEST_CASE("clean_up: the log start moves by records, and takes whole segments with it") {
  LogConfig config = LogFixture::small_config();
  config.retention_ms = -1;
  LogFixture f(config);
  f.create();
  f.append_until_roll();
  const std::int64_t second = f.log->log_end().segment_base.value;
  f.append_many(5);
  REQUIRE(f.log->set_log_start(Offset(second - 1)).ok());
  CHECK(*f.log->clean_up(0, Offset(f.end())) == 0);
  CHECK(f.offsets(second - 1).front() == second - 1);
  CHECK(!f.read(second - 2, 100).ok());
  REQUIRE(f.log->set_log_start(Offset(second + 1)).ok());
  CHECK(*f.log->clean_up(0, Offset(f.end())) == 1);
  CHECK(f.log->log_start() == Offset(second + 1));
  CHECK(!f.log->set_log_start(Offset(f.end() + 1)).ok());
}

TEST_CASE("clean_up: deletions that a crash interrupted are finished by the next start") {
  LogFixture f(small_with_retention());
  f.create();
  f.append_until_roll();
  REQUIRE(f.log->clean_up(kBatchTimestamp + 10'000'000, Offset(f.end())).ok());
  f.reopen(Stop::killed);
  for (const std::string& name : f.names()) CHECK(!name.ends_with(".deleted"));
}

TEST_CASE("clean_up: producers outlive their segments, whatever was flushed of them") {
  const Stop stop = GENERATE(Stop::killed, Stop::power_cut);
  LogFixture f(small_with_retention());
  f.options.config.producer_id_expiration_ms = 2'000'000'000;
  f.create();
  f.append(batch().producer(1, 0, 0).records(1));
  SECTION("a sealed one and the active one, never flushed") { REQUIRE(f.log->roll().ok()); }
  SECTION("the active one, flushed") { REQUIRE(f.log->flush().ok()); }
  SECTION("one that was scanned") {
    REQUIRE(f.log->roll().ok());
    f.reopen(Stop::killed);
    REQUIRE(f.log->flush().ok());
  }
  const std::int64_t end = f.end();
  REQUIRE(f.log->clean_up(kBatchTimestamp + 10'000'000, Offset(end)).ok());
  REQUIRE(f.log->size() == 0);
  f.reopen(stop);
  CHECK(f.end() == end);
  CHECK(f.append(batch().producer(1, 0, 0).records(1)).status == AppendStatus::duplicate);
}

TEST_CASE("clean_up: appends do not wait for the disk that takes segments away") {
  LogFixture f(small_with_retention());
  f.create();
  f.append_until_roll();
  REQUIRE(f.log->flush().ok());
  const auto stall = f.faults.stall({FileCall::sync_directory, ""});
  const Offset end(f.end());
  bool cleaned = false;
  std::thread retention([&] { cleaned = f.log->clean_up(kBatchTimestamp + 10'000'000, end).ok(); });
  stall->wait_until_reached();
  f.append_many(1);
  stall->release();
  retention.join();
  CHECK(cleaned);
  f.log->check_invariants();
}

TEST_CASE("clean_up: producers that were silent for their expiration are forgotten") {
  LogFixture f(small_with_retention());
  f.options.config.producer_id_expiration_ms = 5'000;
  f.create();
  f.append(batch().producer(1, 0, 7).records(1));
  f.clock.advance(std::chrono::milliseconds(5'001));
  REQUIRE(f.log->clean_up(f.clock.wall_ms(), Offset(0)).ok());
  CHECK(f.append(batch().producer(1, 0, 7).records(1)).status == AppendStatus::appended);
}

}  // namespace
}  // namespace sillok::tests
