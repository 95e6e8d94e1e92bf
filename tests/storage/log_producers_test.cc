#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

BatchMaker of_producer(std::int64_t id, std::int32_t sequence, int count = 1, std::int16_t epoch = 0) {
  return batch().producer(id, epoch, sequence).records(count);
}

TEST_CASE("producers: a batch that is sent again is not stored again, and has the offsets of the first") {
  LogFixture f;
  f.create();
  f.append_many(2);
  f.append(of_producer(1, 0, 3));
  const AppendEntry again = f.append(of_producer(1, 0, 3));
  CHECK(again.status == AppendStatus::duplicate);
  CHECK(again.base_offset == Offset(2));
  CHECK(again.last_offset == Offset(4));
  CHECK(f.end() == 5);
}

TEST_CASE("producers: a gap and an old epoch are refused") {
  LogFixture f;
  f.create();
  f.append(of_producer(1, 0, 1, 3));
  CHECK(f.append(of_producer(1, 5, 1, 3)).status == AppendStatus::out_of_order_sequence);
  CHECK(f.append(of_producer(1, 1, 1, 2)).status == AppendStatus::producer_fenced);
  CHECK(f.append(of_producer(1, 1, 1, 3)).status == AppendStatus::appended);
  CHECK(f.end() == 2);
}

TEST_CASE(
    "producers: two batches of one producer in one call follow each other, and a third may be the first "
    "again") {
  LogFixture f;
  f.create();
  Bytes bytes[] = {of_producer(1, 0, 2).bytes(), of_producer(1, 2, 2).bytes(), of_producer(1, 0, 2).bytes(),
                   of_producer(1, 9, 1).bytes(), of_producer(1, 4, 1).bytes()};
  std::vector<AppendEntry> entries;
  for (Bytes& each : bytes) entries.push_back(entry_of(each));
  const std::int64_t writes = f.disk.calls().writes;
  REQUIRE(f.log->append_as_leader(entries, LeaderEpoch(-1)).ok());
  CHECK(f.disk.calls().writes == writes + 1);
  CHECK(entries[0].status == AppendStatus::appended);
  CHECK(entries[1].status == AppendStatus::appended);
  CHECK(entries[1].base_offset == Offset(2));
  CHECK(entries[2].status == AppendStatus::duplicate);
  CHECK(entries[2].base_offset == Offset(0));
  CHECK(entries[3].status == AppendStatus::out_of_order_sequence);
  CHECK(entries[4].status == AppendStatus::appended);
  CHECK(entries[4].base_offset == Offset(4));
  CHECK(f.end() == 5);
}

TEST_CASE("producers: the last five batches of each are known after any restart") {
  LogFixture f;
  f.create();
  for (std::int32_t i = 0; i < 40; ++i) {
    f.append(of_producer(1, i));
    if (i < 8) f.append(of_producer(2, i));
    if (i == 6 || i == 37) REQUIRE(f.log->roll().ok());
  }
  REQUIRE(f.log->segment_count() > 1);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  SECTION("a clean one") { f.reopen(Stop::clean); }
  SECTION("kill -9") { f.reopen(Stop::killed); }
  SECTION("a power cut") { f.reopen(Stop::power_cut); }
  SECTION("one from a recovery point") { f.reopen_from(point); }
  SECTION("two") {
    f.reopen(Stop::clean);
    f.reopen(Stop::clean);
  }
  const std::int64_t end = f.end();
  for (std::int32_t i = 35; i < 40; ++i) {
    const AppendEntry again = f.append(of_producer(1, i));
    CHECK(again.status == AppendStatus::duplicate);
    CHECK(again.base_offset == Offset(i + 8));
  }
  for (std::int32_t i = 3; i < 8; ++i) {
    const AppendEntry again = f.append(of_producer(2, i));
    CHECK(again.status == AppendStatus::duplicate);
    CHECK(again.base_offset == Offset(2 * i + 1));
  }
  CHECK(f.end() == end);
  CHECK(f.append(of_producer(1, 40)).status == AppendStatus::appended);
  CHECK(f.append(of_producer(2, 8)).status == AppendStatus::appended);
}

TEST_CASE("producers: a follower learns them from what it copies") {
  LogFixture f;
  f.create();
  REQUIRE(f.log->append_as_follower(of_producer(1, 0).at(0).bytes()).ok());
  CHECK(f.append(of_producer(1, 0)).status == AppendStatus::duplicate);
}

TEST_CASE("producers: snapshots of deleted segments go with them, and those past the end are not believed") {
  LogFixture f;
  f.create();
  f.append(of_producer(1, 0));
  REQUIRE(f.log->roll().ok());
  f.append(of_producer(1, 1));
  REQUIRE(f.log->flush().ok());
  CHECK(f.has(f.file_name(1, ".snapshot")));
  f.append(of_producer(1, 2));
  REQUIRE(f.log->truncate_to(Offset(2)).ok());
  CHECK(f.append(of_producer(1, 2)).status == AppendStatus::appended);
  REQUIRE(f.log->set_log_start(Offset(1)).ok());
  REQUIRE(f.log->roll().ok());
  REQUIRE(f.log->flush().ok());
  REQUIRE(f.log->truncate_to(Offset(1)).ok());
  CHECK(!f.has(f.file_name(3, ".snapshot")));
}

TEST_CASE(
    "producers: a snapshot past the end is removed when the log is opened, for other batches may get there") {
  LogFixture f;
  f.create();
  f.append(of_producer(1, 0));
  REQUIRE(f.log->flush().ok());
  f.append(of_producer(1, 1));
  f.reopen(Stop::clean);
  const Bytes late = f.content(f.file_name(2, ".snapshot"));
  REQUIRE(f.log->truncate_to(Offset(1)).ok());
  f.kill();
  f.put(f.file_name(2, ".snapshot"), late);
  f.open(false);
  CHECK(!f.has(f.file_name(2, ".snapshot")));
  f.append(of_producer(2, 0));
  f.reopen(Stop::killed);
  CHECK(f.append(of_producer(1, 1)).status == AppendStatus::appended);
}

TEST_CASE(
    "producers: recovery points of a long segment bring a snapshot along, and only the last one stays") {
  LogConfig config;
  config.index_interval_bytes = 1 << 20;
  LogFixture f(config);
  f.create();
  std::int32_t sequence = 0;
  for (int i = 0; i < 3; ++i) {
    for (ByteCount size = 0; size < (64 << 20); size += 1 << 20) {
      REQUIRE(f.try_append(batch().producer(1, 0, sequence++).sized(1 << 20)).ok());
    }
    REQUIRE(f.log->flush().ok());
    (void)f.log->recovery_point();
  }
  std::int64_t snapshots = 0;
  for (const std::string& name : f.names()) snapshots += name.ends_with(".snapshot") ? 1 : 0;
  CHECK(snapshots == 1);
  CHECK(f.has(f.file_name(sequence, ".snapshot")));
}

}  // namespace
}  // namespace sillok::tests
