#include <random>

#include "storage/format.h"
#include "tests/support/log_fixture.h"
#include "tests/support/seed.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

constexpr const char* kFirstLog = "00000000000000000000.log";

LogConfig one_segment() {
  LogConfig config = LogFixture::small_config();
  config.segment_bytes = 1 << 20;
  return config;
}

TEST_CASE("recovery: everything is there after a clean stop, and nothing is scanned") {
  LogFixture f;
  f.create();
  f.append_many(100);
  const Bytes before = f.read_all();
  f.reopen(Stop::clean);
  CHECK(f.report.scanned_bytes == 0);
  CHECK(f.report.notes == std::vector<std::string>{});
  CHECK(f.read_all() == before);
  CHECK(f.end() == 100);
  CHECK(f.log->synced_end() == f.log->log_end());
  CHECK(f.log->unflushed_size() == 0);
  f.append_many(100);
  CHECK(f.offsets().size() == 200);
}

TEST_CASE("recovery: everything that was written is there after kill -9, and waits for a flush") {
  LogFixture f;
  f.create();
  f.append_many(100);
  const Bytes before = f.read_all();
  const ByteCount size = f.log->size();
  f.reopen(Stop::killed);
  CHECK(f.read_all() == before);
  CHECK(f.report.scanned_bytes == size);
  CHECK(f.log->size() == size);
  CHECK(f.log->unflushed_size() == size);
  CHECK(f.log->synced_end().offset == Offset(0));
  REQUIRE(f.log->flush().ok());
  CHECK(f.log->unflushed_size() == 0);
  CHECK(f.log->synced_end().offset == Offset(100));
  f.reopen(Stop::power_cut);
  CHECK(f.read_all() == before);
}

TEST_CASE("recovery: what was flushed survives a power cut, and the log ends there") {
  LogFixture f;
  f.create();
  f.append_many(70);
  REQUIRE(f.log->flush().ok());
  const Bytes before = f.read_all();
  f.append_many(70);
  f.reopen(Stop::power_cut);
  CHECK(f.end() == 70);
  CHECK(f.read_all() == before);
  f.append_many(5);
  CHECK(f.end() == 75);
}

TEST_CASE(
    "recovery: of power cuts that keep and tear at random, what was flushed survives and the rest is a "
    "prefix") {
  const std::uint64_t first_seed = seed();
  INFO("seed " << first_seed);
  for (std::uint64_t i = 0; i < 40; ++i) {
    LogFixture f;
    f.create();
    f.append_many(30 + static_cast<int>(i));
    REQUIRE(f.log->flush().ok());
    const std::int64_t flushed = f.end();
    f.append_many(60);
    const Bytes before = f.read_all();
    f.kill();
    f.disk.crash(first_seed + i, i % 2 == 0 ? CrashMode::random : CrashMode::random_names);
    f.open(false);
    CHECK(f.end() >= flushed);
    const Bytes after = f.read_all();
    REQUIRE(after.size() <= before.size());
    CHECK(std::equal(after.begin(), after.end(), before.begin()));
  }
}

// Reliability rule A7.
TEST_CASE(
    "recovery: a last batch that is cut, zeroed or garbage from any byte on is cut off, and the log ends "
    "before it") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(3);
  f.append(batch().records(3));
  const LogPosition end = f.log->log_end();
  f.append(batch().records(2));
  f.kill();
  const Bytes whole = f.content(kFirstLog);
  std::mt19937 random(7);
  for (std::size_t at = static_cast<std::size_t>(end.position.value); at < whole.size(); ++at) {
    for (const char* how : {"cut", "zeros", "garbage"}) {
      INFO(how << " at " << at);
      Bytes damaged(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at));
      if (how[0] != 'c') damaged.resize(whole.size());
      if (how[0] == 'g') {
        for (std::size_t i = at; i < damaged.size(); ++i) damaged[i] = static_cast<std::byte>(random());
      }
      if (damaged == whole) continue;  // the batch ended with such bytes
      f.put(kFirstLog, damaged);
      f.open(false);
      REQUIRE(f.end() == end.offset.value);
      REQUIRE(f.log->size() == end.position.value);
      REQUIRE(f.log->health() == LogHealth::healthy);
      f.kill();
    }
  }
}

TEST_CASE("recovery: a torn tail is kept aside under the incarnation's number") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(3);
  const LogPosition end = f.log->log_end();
  f.append_many(1);
  f.kill();
  Bytes torn = f.content(kFirstLog);
  torn.pop_back();
  f.put(kFirstLog, torn);
  f.open(false);
  CHECK(f.end() == 3);
  CHECK(f.report.cut_bytes == static_cast<ByteCount>(torn.size()) - end.position.value);
  const std::string aside = std::string(kFirstLog) + ".torn-" + std::to_string(f.options.incarnation);
  CHECK(f.content(aside) == Bytes(torn.begin() + end.position.value, torn.end()));
  CHECK(f.content(kFirstLog) == Bytes(torn.begin(), torn.begin() + end.position.value));
  SECTION("which no later start reads") {
    f.append_many(1);
    f.reopen(Stop::killed);
    CHECK(f.end() == 4);
  }
}

TEST_CASE("recovery: zeros behind the last batch are cut and not kept") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(3);
  f.kill();
  Bytes bytes = f.content(kFirstLog);
  bytes.resize(bytes.size() + 5000);
  f.put(kFirstLog, bytes);
  f.open(false);
  CHECK(f.end() == 3);
  CHECK(f.report.cut_bytes == 5000);
  for (const std::string& name : f.names()) CHECK(name.find(".torn-") == std::string::npos);
}

TEST_CASE("recovery: segments behind a hole are set aside and never read again") {
  LogFixture f;
  f.create();
  for (int i = 0; i < 3; ++i) f.append_until_roll();
  f.kill();
  std::vector<std::string> logs;
  for (const std::string& name : f.names()) {
    if (name.ends_with(".log")) logs.push_back(name);
  }
  REQUIRE(logs.size() == 4);
  SECTION("where the segment before is torn") {
    Bytes bytes = f.content(logs[1]);
    bytes.resize(bytes.size() - 10);
    f.put(logs[1], bytes);
  }
  SECTION("where the segment before ends a batch too early") {
    Bytes bytes = f.content(logs[1]);
    std::size_t last = 0;
    for (std::size_t at = 0; at < bytes.size(); at += header_of(ByteView(bytes).subspan(at)).size())
      last = at;
    bytes.resize(last);
    f.put(logs[1], bytes);
  }
  SECTION("where a segment is missing") { f.remove(logs[1]); }
  const bool missing = !f.has(logs[1]);
  f.open(false);
  CHECK(f.log->segment_count() == (missing ? 1 : 2));
  const std::string aside = ".torn-" + std::to_string(f.options.incarnation);
  CHECK(f.has(logs[2] + aside));
  CHECK(f.has(logs[3] + aside));
  CHECK(!f.has(logs[2]));
  const std::int64_t end = f.end();
  CHECK(f.offsets().back() == end - 1);
  f.append_many(200);
  f.reopen(Stop::killed);
  CHECK(f.end() == end + 200);
  CHECK(f.offsets().size() == static_cast<std::size_t>(f.end()));
}

TEST_CASE("recovery: only what lies past the recovery point is scanned") {
  LogFixture f;
  f.create();
  f.append_many(200);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  CHECK(point.offset == Offset(200));
  f.append_many(3);
  const Bytes before = f.read_all();
  f.kill();
  f.reopen_from(point);
  CHECK(f.report.rebuilt_index_count == 0);
  CHECK(f.report.scanned_bytes < 1000);
  CHECK(f.report.notes == std::vector<std::string>{});
  CHECK(f.read_all() == before);
  CHECK(f.log->synced_end().offset == Offset(200));
  f.append_many(100);
  CHECK(f.offsets().size() == 303);
  const auto last = f.log->find_max_timestamp(Offset(303));
  REQUIRE(last.ok());
  CHECK((*last)->offset == Offset(302));
}

TEST_CASE("recovery: a batch that was appended after the recovery point may be torn") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(20);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  f.append_many(2);
  f.kill();
  Bytes bytes = f.content(kFirstLog);
  bytes.back() ^= std::byte{0xff};
  f.put(kFirstLog, bytes);
  f.reopen_from(point);
  CHECK(f.end() == 21);
  CHECK(f.log->health() == LogHealth::healthy);
}

TEST_CASE("recovery: files that do not fit the recovery point are damaged, and nothing of them is cut") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(20);
  REQUIRE(f.log->flush().ok());
  RecoveryPoint point = f.log->recovery_point();
  f.append_many(3);
  f.kill();
  Bytes bytes = f.content(kFirstLog);
  bytes.resize(bytes.size() + 100);
  f.put(kFirstLog, bytes);
  SECTION("where its position is inside a batch") { point.position += 3; }
  SECTION("where its position is past the end") { point.position += 100'000; }
  SECTION("where its offset is another") { point.offset += 1; }
  SECTION("where its segment is not there") { point.segment_base = Offset(500); }
  f.reopen_from(point);
  CHECK(f.end() == 23);
  CHECK(f.offsets().size() == 23);
  CHECK(f.log->health() == LogHealth::degraded);
  CHECK(f.content(kFirstLog) == bytes);
  CHECK(!f.report.notes.empty());
}

// The offset at which the file's last batch begins, and that batch cut off from it.
std::int64_t cut_last_batch(LogFixture& f, const std::string& name) {
  Bytes bytes = f.content(name);
  std::size_t last = 0;
  for (std::size_t at = 0; at < bytes.size(); at += header_of(ByteView(bytes).subspan(at)).size()) last = at;
  const std::int64_t offset = header_of(ByteView(bytes).subspan(last)).base_offset.value;
  bytes.resize(last);
  f.put(name, bytes);
  return offset;
}

void check_damaged_from(LogFixture& f, std::int64_t offset, std::int64_t end) {
  CHECK(f.log->health() == LogHealth::degraded);
  CHECK(!f.report.notes.empty());
  CHECK(f.end() == end);
  CHECK(f.report.cut_bytes == 0);
  CHECK(f.read(offset - 1, 100).ok());
  const auto inside = f.read(offset, 100);
  REQUIRE(!inside.ok());
  CHECK(inside.error().code == Errc::corrupt);
  CHECK(!f.try_append(batch().records(1)).ok());
  const auto flushed = f.log->flush();
  REQUIRE(flushed.ok());
  CHECK(flushed->offset == Offset(end));
  f.log->check_invariants();
}

TEST_CASE(
    "recovery: a file that ends before the recovery point has lost batches, and their offsets stay used") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(20);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  const bool clean = GENERATE(false, true);
  if (clean) REQUIRE(f.log->close().ok());
  f.kill();
  std::int64_t lost = 0;
  SECTION("at a batch's end") { lost = cut_last_batch(f, kFirstLog); }
  SECTION("in the middle of a batch") {
    Bytes bytes = f.content(kFirstLog);
    bytes.resize(bytes.size() - 10);
    f.put(kFirstLog, bytes);
    lost = 19;
  }
  const Bytes before = f.content(kFirstLog);
  f.open(clean, &point);
  check_damaged_from(f, lost, 20);
  CHECK(f.content(kFirstLog) == before);
  f.open(clean, &point);
  check_damaged_from(f, lost, 20);
}

TEST_CASE("recovery: segments behind lost durable batches are kept") {
  LogFixture f;
  f.create();
  for (int i = 0; i < 2; ++i) f.append_until_roll();
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  f.append_until_roll();
  const std::int64_t end = f.end();
  f.kill();
  std::vector<std::string> logs;
  for (const std::string& name : f.names()) {
    if (name.ends_with(".log")) logs.push_back(name);
  }
  REQUIRE(logs.size() == 4);
  const std::string holder = f.file_name(point.segment_base.value, ".log");
  REQUIRE(holder == logs[2]);
  const Bytes last = f.content(logs[3]);
  std::int64_t lost = point.segment_base.value;
  SECTION("where the segment of the recovery point is missing") { f.remove(holder); }
  SECTION("where the segment of the recovery point is empty") { f.put(holder, {}); }
  f.reopen_from(point);
  check_damaged_from(f, lost, end);
  CHECK(f.content(logs[3]) == last);
  CHECK(f.offsets(end - 1) == std::vector<std::int64_t>{end - 1});
}

TEST_CASE("recovery: a log that lost all its segments does not give out its offsets again") {
  LogFixture f;
  f.create();
  f.append_many(20);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  const bool clean = GENERATE(false, true);
  if (clean) REQUIRE(f.log->close().ok());
  f.kill();
  for (const char* suffix : {".log", ".index", ".timeindex"}) f.remove(f.file_name(0, suffix));
  f.open(clean, &point);
  CHECK(f.log->health() == LogHealth::degraded);
  CHECK(f.end() == 20);
}

TEST_CASE("recovery: a recovery point below what retention took away is no damage") {
  LogConfig config = LogFixture::small_config();
  config.retention_ms = 1000;
  LogFixture f(config);
  f.create();
  f.append_until_roll();
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  REQUIRE(f.log->clean_up(kBatchTimestamp + 10'000'000, Offset(f.end())).ok());
  f.append_many(3);
  const std::int64_t end = f.end();
  f.reopen_from(point);
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.end() == end);
}

TEST_CASE("recovery: a degraded log takes a new leader epoch as said, and keeps its own") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(10);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  f.kill();
  cut_last_batch(f, kFirstLog);
  f.reopen_from(point);
  REQUIRE(f.log->assign_leader_epoch(LeaderEpoch(7)).ok());
  CHECK(f.log->latest_leader_epoch() == LeaderEpoch(0));
  CHECK(f.log->close().ok());
}

TEST_CASE("recovery: damage below the recovery point is kept, and what lies around it is served") {
  LogFixture f(one_segment());
  f.create();
  std::vector<AppendEntry> entries;
  for (int i = 0; i < 10; ++i) entries.push_back(f.append(batch().records(2)));
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  f.append_many(2);
  f.kill();
  Bytes bytes = f.content(kFirstLog);
  std::int64_t place = entries[4].begin.position.value;
  SECTION("of its content") { place += 70; }
  SECTION("of its length") { place += protocol::kBatchLengthPosition + 1; }
  SECTION("of its magic") { place += protocol::kMagicPosition; }
  bytes[static_cast<std::size_t>(place)] ^= std::byte{0x55};
  f.put(kFirstLog, bytes);
  f.remove(f.file_name(0, ".index"));  // so that all of the segment is read
  f.reopen_from(point);
  CHECK(f.log->health() == LogHealth::degraded);
  CHECK(f.content(kFirstLog) == bytes);
  CHECK(f.end() == 22);
  REQUIRE(f.read(7, 1 << 20).ok());
  const auto before = f.read(0, 1 << 20);
  REQUIRE(before.ok());
  CHECK(read_records(*before).back().offset == 7);
  for (const std::int64_t inside : {8, 9}) {
    const auto read = f.read(inside, 1 << 20);
    REQUIRE(!read.ok());
    CHECK(read.error().code == Errc::corrupt);
  }
  CHECK(f.offsets(10).front() == 10);
  CHECK(f.offsets(10).size() == 12);
  const auto refused = f.try_append(batch().records(1));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Errc::corrupt);
}

TEST_CASE("recovery: damage at the end below the recovery point is not taken for a torn tail") {
  LogFixture f(one_segment());
  f.create();
  f.append_many(10);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  f.kill();
  Bytes bytes = f.content(kFirstLog);
  bytes.back() ^= std::byte{0x55};
  f.put(kFirstLog, bytes);
  f.reopen_from(point);
  CHECK(f.log->health() == LogHealth::degraded);
  CHECK(f.end() == 10);
  CHECK(f.content(kFirstLog) == bytes);
  CHECK(!f.read(9, 1000).ok());
  CHECK(f.read(8, 1000).ok());
}

TEST_CASE("recovery: a read error is no torn tail: the log does not open, and its files stay") {
  LogFixture f;
  f.create();
  f.append_many(50);
  f.kill();
  const Bytes before = f.content(kFirstLog);
  f.faults.fail({FileCall::read, ".log", 1, kEveryCall}, Errc::io_error);
  const auto opened = f.try_open(false);
  REQUIRE(!opened.ok());
  CHECK(opened.error().code == Errc::io_error);
  CHECK(f.content(kFirstLog) == before);
  f.faults.clear();
  f.open(false);
  CHECK(f.end() == 50);
}

TEST_CASE("recovery: a log that ends before its start begins there, empty") {
  LogFixture f;
  f.create();
  f.append_many(10);
  f.options.log_start_offset = Offset(50);
  f.reopen(Stop::killed);
  CHECK(f.log->log_start() == Offset(50));
  CHECK(f.end() == 50);
  f.append_many(1);
  CHECK(f.offsets(50) == std::vector<std::int64_t>{50});
}

TEST_CASE("recovery: a crash before the first segment was durable leaves an empty log") {
  LogFixture f;
  f.create();
  f.kill();
  for (const char* suffix : {".log", ".index", ".timeindex"}) f.remove(f.file_name(0, suffix));
  f.open(false);
  CHECK(f.end() == 0);
  f.append_many(3);
  f.reopen(Stop::clean);
  CHECK(f.end() == 3);
}

}  // namespace
}  // namespace sillok::tests
