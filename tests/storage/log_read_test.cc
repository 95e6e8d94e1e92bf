#include <atomic>
#include <thread>

#include "storage/format.h"
#include "storage/posix_file_system.h"
#include "tests/support/log_fixture.h"
#include "tests/support/temp_dir.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

TEST_CASE("read: from inside a batch, the whole batch comes") {
  LogFixture f;
  f.create();
  f.append(batch().records(5));
  f.append(batch().records(5));
  for (std::int64_t from = 5; from < 10; ++from) {
    const auto bytes = f.read(from, 1);
    REQUIRE(bytes.ok());
    CHECK(header_of(*bytes).base_offset == Offset(5));
    CHECK(bytes->size() == header_of(*bytes).size());
  }
}

TEST_CASE(
    "read: every offset is found, with any distance between index entries, before and after a restart") {
  LogConfig config = LogFixture::small_config();
  config.index_interval_bytes = GENERATE(0, 300, 4096, 100'000);
  config.segment_bytes = 20'000;
  LogFixture f(config);
  f.create();
  for (int i = 0; i < 300; ++i) REQUIRE(f.try_append(batch().records(1 + i % 3)).ok());
  const Stop stop = GENERATE(Stop::killed, Stop::clean);
  f.reopen(stop);
  for (std::int64_t from = 0; from < f.end(); ++from) {
    const auto bytes = f.read(from, 1);
    REQUIRE(bytes.ok());
    const auto header = header_of(*bytes);
    REQUIRE((header.base_offset <= Offset(from) && Offset(from) <= header.last_offset()));
  }
}

TEST_CASE("read: a slice has at most `limit` bytes, but for a first batch that must be whole") {
  LogFixture f;
  f.create();
  f.append(batch().sized(500));
  f.append(batch().sized(500));
  const auto size = [&](ByteCount limit, Log::FirstBatch first) {
    return f.log->read(Offset(0), f.log->log_end(), limit, first, IoMode::may_block)->size;
  };
  CHECK(size(10, Log::FirstBatch::whole) == 500);
  CHECK(size(10, Log::FirstBatch::within_limit) == 0);
  CHECK(size(700, Log::FirstBatch::whole) == 500);
  CHECK(size(5000, Log::FirstBatch::whole) == 1000);
  CHECK(size(0, Log::FirstBatch::within_limit) == 0);
}

TEST_CASE("read: a slice ends with a whole batch, and says how much of the next one it had room for") {
  LogConfig config = LogFixture::small_config();
  config.index_interval_bytes = GENERATE(0, 300, 4096, 100'000);
  config.segment_bytes = 20'000;
  LogFixture f(config);
  f.create();
  for (int i = 0; i < 200; ++i)
    REQUIRE(f.try_append(batch().sized(static_cast<std::size_t>(90 + i % 7 * 40))).ok());
  const Stop stop = GENERATE(Stop::killed, Stop::clean);
  f.reopen(stop);
  const ByteCount limit = GENERATE(1, 100, 1000, 4000);
  Offset from{0};
  while (from < Offset(f.end())) {
    const auto slice = f.log->read(from, f.log->log_end(), limit, Log::FirstBatch::whole, IoMode::may_block);
    REQUIRE(slice.ok());
    Bytes bytes(static_cast<std::size_t>(slice->size));
    REQUIRE(slice->file->read_at(slice->position, bytes).ok());
    std::size_t end = 0;
    while (end < bytes.size()) {
      const auto header = header_of(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end()));
      REQUIRE(header.base_offset == from);  // sequential reads find each batch once
      from = header.next_offset();
      end += header.size();
    }
    REQUIRE(end == bytes.size());
    REQUIRE((slice->left_out == 0 || slice->size + slice->left_out == limit));
  }
}

TEST_CASE("read: nothing at or past the upper bound is served, whichever segment it is in") {
  LogFixture f;
  f.create();
  std::vector<LogPosition> ends;
  for (int i = 0; i < 120; ++i) ends.push_back(f.append(batch().record("k", "v")).end);
  REQUIRE(f.log->segment_count() > 1);
  for (const LogPosition& bound : ends) {
    for (std::int64_t from = 0; from <= bound.offset.value; from += 13) {
      const auto slice = f.log->read(Offset(from), bound, 1 << 20, Log::FirstBatch::whole, IoMode::may_block);
      REQUIRE(slice.ok());
      Bytes bytes(static_cast<std::size_t>(slice->size));
      if (slice->size > 0) REQUIRE(slice->file->read_at(slice->position, bytes).ok());
      const auto records = read_records(bytes);
      REQUIRE(records.empty() == (from == bound.offset.value));
      if (!records.empty()) REQUIRE(records.back().offset < bound.offset.value);
    }
  }
}

TEST_CASE("read: outside the log is out of range, at its end is empty") {
  LogFixture f;
  f.create();
  f.append_many(3);
  CHECK(f.read(3, 100)->empty());
  const auto past = f.read(4, 100);
  REQUIRE(!past.ok());
  CHECK(past.error().code == Errc::offset_out_of_range);
  CHECK(f.read(-1, 100).error().code == Errc::offset_out_of_range);
}

TEST_CASE("read: in a gap that a follower copied, the next batch comes") {
  LogFixture f;
  f.create();
  REQUIRE(f.log->append_as_follower(join({batch().at(0).records(1), batch().at(50).records(1)})).ok());
  REQUIRE(f.log->roll().ok());
  REQUIRE(f.log->append_as_follower(batch().at(90).records(1).bytes()).ok());
  CHECK(header_of(*f.read(20, 100)).base_offset == Offset(50));
  CHECK(header_of(*f.read(60, 100)).base_offset == Offset(90));
}

TEST_CASE("read: resident_only never waits for the disk, and answers once the pages are there") {
  LogFixture f;
  f.create();
  for (int i = 0; i < 400; ++i) REQUIRE(f.try_append(batch().record("k", "v")).ok());
  REQUIRE(f.log->flush().ok());
  f.reopen(Stop::clean);
  f.disk.evict_pages();
  const auto cold = f.read(70, 100, IoMode::resident_only);
  REQUIRE(!cold.ok());
  CHECK(cold.error().code == Errc::would_block);
  REQUIRE(f.read(70, 100, IoMode::may_block).ok());
  const auto warm = f.read(70, 100, IoMode::resident_only);
  INFO((warm.ok() ? "" : warm.error().describe()));
  REQUIRE(warm.ok());
  CHECK(header_of(*warm).base_offset == Offset(70));
}

TEST_CASE("read: at the tail of the log no index and no header is read") {
  LogFixture f;
  f.create();
  f.append_many(20);
  if (GENERATE(false, true)) REQUIRE(f.log->flush().ok());
  const CallCounts before = f.disk.calls();
  const auto slice =
      f.log->read(Offset(19), f.log->log_end(), 100, Log::FirstBatch::whole, IoMode::resident_only);
  REQUIRE(slice.ok());
  CHECK(slice->size > 0);
  CHECK(f.disk.calls().reads == before.reads);
}

TEST_CASE("read: readers run beside appends, flushes, rolls and retention, and see whole batches in order") {
  LogConfig config = LogFixture::small_config();
  config.retention_bytes = 40'000;
  config.retention_ms = -1;
  LogFixture f(config);
  f.create();
  f.append_many(1);
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> mistakes{0};
  std::atomic<std::int64_t> read_count{0};
  const auto reader = [&] {
    std::int64_t from = 0;
    while (!stop.load()) {
      const LogPosition bound = f.log->log_end();
      const auto slice = f.log->read(Offset(from), bound, 3000, Log::FirstBatch::whole, IoMode::may_block);
      if (!slice.ok()) {
        if (slice.error().code != Errc::offset_out_of_range) ++mistakes;
        from = f.log->log_start().value;
        continue;
      }
      if (slice->size == 0) continue;
      Bytes bytes(static_cast<std::size_t>(slice->size));
      if (!slice->file->read_at(slice->position, bytes).ok()) ++mistakes;
      for (ByteView left = bytes; left.size() >= protocol::kRecordBatchHeaderSize;) {
        const auto header = header_of(left);
        if (header.size() > left.size()) break;
        if (header.base_offset > Offset(from) || header.last_offset() < Offset(from)) ++mistakes;
        from = header.next_offset().value;
        left = left.subspan(header.size());
        ++read_count;
      }
    }
  };
  std::thread readers[] = {std::thread(reader), std::thread(reader)};
  std::thread flusher([&] {
    while (!stop.load()) {
      if (!f.log->flush().ok()) ++mistakes;
      (void)f.log->recovery_point();
      if (!f.log->clean_up(f.clock.wall_ms(), f.log->log_end().offset).ok()) ++mistakes;
    }
  });
  for (int i = 0; i < 3000; ++i) {
    if (!f.try_append(batch().record("key", "value")).ok()) ++mistakes;
  }
  stop.store(true);
  for (std::thread& thread : readers) thread.join();
  flusher.join();
  CHECK(mistakes.load() == 0);
  f.log->check_invariants();
  REQUIRE(f.log->close().ok());
}

TEST_CASE("log: idle logs hold no descriptors, on a real file system") {
  TempDir directory;
  const auto file_system = make_posix_file_system();
  FileCache cache(*file_system, 4);
  ManualClock clock;
  const auto descriptors = [&] { return make_posix_file_system()->list_directory("/proc/self/fd")->size(); };
  LogOptions options;
  options.file_system = file_system.get();
  options.file_cache = &cache;
  options.clock = &clock;
  std::vector<std::unique_ptr<Log>> logs;
  const std::size_t before = descriptors();
  for (int i = 0; i < 50; ++i) {
    options.directory = directory.path("topic-" + std::to_string(i));
    auto log = Log::create(options, TopicId{{1}});
    REQUIRE(log.ok());
    Bytes bytes = batch().records(3).bytes();
    AppendEntry entry = entry_of(bytes);
    REQUIRE((*log)->append_as_leader({&entry, 1}, LeaderEpoch(0)).ok());
    REQUIRE((*log)->flush().ok());
    for (int pass = 0; pass < 2; ++pass) (void)(*log)->recovery_point();
    if (i % 2 == 0) {
      REQUIRE((*log)->close().ok());
      options.clean = true;
      RecoveryReport report;
      log->reset();
      log = Log::open(options, report);
      REQUIRE(log.ok());
      CHECK((*log)->log_end().offset == Offset(3));
    }
    logs.push_back(std::move(*log));
  }
  CHECK(descriptors() <= before + 4);
}

}  // namespace
}  // namespace sillok::tests
