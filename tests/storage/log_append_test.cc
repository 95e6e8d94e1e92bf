#include "storage/format.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

std::vector<std::int64_t> range(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> all;
  for (; from < to; ++from) all.push_back(from);
  return all;
}

TEST_CASE("log: a new log is empty and starts at 0") {
  LogFixture f;
  f.create();
  CHECK(f.log->log_start() == Offset(0));
  CHECK(f.log->log_end() == LogPosition{Offset(0), Offset(0), FilePosition(0)});
  CHECK(f.log->synced_end().offset == Offset(0));
  CHECK(f.log->health() == LogHealth::healthy);
  CHECK(f.log->segment_count() == 1);
  CHECK(f.names() == std::vector<std::string>{f.file_name(0, ".index"), f.file_name(0, ".log"),
                                              f.file_name(0, ".timeindex"), "partition.metadata"});
}

TEST_CASE("log: a batch is stored as it was sent, but for its offset and epoch") {
  LogFixture f;
  f.create();
  f.append(batch().records(3));
  const AppendEntry entry = f.append(batch().record("k", "v"), 5);
  CHECK(entry.base_offset == Offset(3));
  CHECK(entry.last_offset == Offset(3));
  CHECK(entry.begin.offset == Offset(3));
  CHECK(entry.end == f.log->log_end());
  CHECK(entry.end.position == f.log->log_end().position);
  Bytes expected = batch().record("k", "v").bytes();
  protocol::set_base_offset(expected, Offset(3));
  protocol::set_leader_epoch(expected, LeaderEpoch(5));
  CHECK(f.read_all(3) == expected);
  CHECK(f.log->latest_leader_epoch() == LeaderEpoch(5));
  CHECK(f.log->leader_epoch_at(Offset(2)) == LeaderEpoch(0));
}

TEST_CASE("log: the entries of one call follow each other in one write") {
  LogFixture f;
  f.create();
  f.append(batch().records(1));
  Bytes first = batch().records(2);
  Bytes second = batch().records(3);
  AppendEntry entries[2];
  entries[0] = entry_of(first);
  entries[1] = entry_of(second);
  const std::int64_t writes = f.disk.calls().writes;
  REQUIRE(f.log->append_as_leader(entries, LeaderEpoch(0)).ok());
  CHECK(f.disk.calls().writes == writes + 1);
  CHECK(entries[0].base_offset == Offset(1));
  CHECK(entries[1].base_offset == Offset(3));
  CHECK(entries[0].end == entries[1].begin);
  CHECK(f.offsets() == range(0, 6));
}

TEST_CASE("log: a batch past segment.bytes begins a new segment") {
  LogFixture f;
  f.create();
  f.append_until_roll();
  const std::int64_t base = f.end() - 1;
  CHECK(f.log->log_end().segment_base == Offset(base));
  CHECK(f.content(f.file_name(0, ".log")).size() <= 4096);
  f.append_many(100);
  CHECK(f.log->segment_count() > 2);
  CHECK(f.offsets() == range(0, f.end()));
  CHECK(f.offsets(base) == range(base, f.end()));
}

TEST_CASE("log: one call may fill several segments") {
  LogFixture f;
  f.create();
  std::vector<Bytes> batches(6, batch().sized(1500).bytes());
  std::vector<AppendEntry> entries(batches.size());
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = entry_of(batches[i]);
  REQUIRE(f.log->append_as_leader(entries, LeaderEpoch(0)).ok());
  f.log->check_invariants();
  CHECK(f.log->segment_count() == 3);
  CHECK(entries[5].begin.segment_base == Offset(4));
  CHECK(f.offsets() == range(0, 6));
}

TEST_CASE("log: a batch larger than segment.bytes is refused, and no other of the call with it") {
  LogFixture f;
  f.create();
  Bytes small = batch().records(1);
  Bytes large = batch().sized(4097);
  Bytes next = batch().records(1);
  AppendEntry entries[3] = {entry_of(small), entry_of(large), entry_of(next)};
  REQUIRE(f.log->append_as_leader(entries, LeaderEpoch(0)).ok());
  CHECK(entries[0].status == AppendStatus::appended);
  CHECK(entries[1].status == AppendStatus::too_large);
  CHECK(entries[1].base_offset == Offset(-1));
  CHECK(entries[2].base_offset == Offset(1));
  CHECK(f.offsets() == range(0, 2));
  CHECK(f.log->health() == LogHealth::healthy);
}

TEST_CASE("log: a segment is rolled by the time of its records, not by the clock") {
  LogConfig config = LogFixture::small_config();
  config.segment_ms = 1000;
  LogFixture f(config);
  f.create();
  f.append(batch().record("a", "b", 5'000));
  f.clock.advance(std::chrono::hours(1));
  f.append(batch().record("a", "b", 6'000));
  CHECK(f.log->segment_count() == 1);
  f.append(batch().record("a", "b", 6'001));
  CHECK(f.log->segment_count() == 2);
  SECTION("and so after a restart") {
    f.reopen(Stop::clean);
    f.append(batch().record("a", "b", 7'001));
    CHECK(f.log->segment_count() == 2);
    f.append(batch().record("a", "b", 7'002));
    CHECK(f.log->segment_count() == 3);
  }
}

TEST_CASE("log: a full index rolls the segment") {
  LogConfig config = LogFixture::small_config();
  config.segment_index_bytes = 48;
  config.segment_bytes = 1 << 20;
  LogFixture f(config);
  f.create();
  SECTION("the one of offsets") {
    // The first batch has no entry; six more fit.
    for (int i = 0; i < 7; ++i) f.append(batch().record("k", "v", 100));
    CHECK(f.log->segment_count() == 1);
    f.append(batch().record("k", "v", 100));
  }
  SECTION("the one of times, which keeps a place for its final entry") {
    f.append_many(4);
    CHECK(f.log->segment_count() == 1);
    f.append_many(1);
  }
  CHECK(f.log->segment_count() == 2);
}

TEST_CASE("log: index entries name the last offset of a batch and where it begins") {
  LogConfig config = LogFixture::small_config();
  config.index_interval_bytes = 200;
  LogFixture f(config);
  f.create();
  std::vector<AppendEntry> entries;
  for (int i = 0; i < 6; ++i) entries.push_back(f.append(batch().records(3)));
  REQUIRE(f.log->close().ok());
  const Bytes index = f.content(f.file_name(0, ".index"));
  REQUIRE(index.size() % 8 == 0);
  REQUIRE(!index.empty());
  std::int64_t indexed = 0;
  std::size_t found = 0;
  for (const AppendEntry& entry : entries) {
    if (entry.begin.position.value - indexed <= 200) continue;
    indexed = entry.begin.position.value;
    REQUIRE(found * 8 < index.size());
    const auto at = OffsetIndexEntry::decode(index.data() + 8 * found++);
    CHECK(at.relative_offset == entry.last_offset.value);
    CHECK(at.position == entry.begin.position.value);
  }
  CHECK(found * 8 == index.size());
}

TEST_CASE(
    "log: the time index ends with the greatest timestamp of its segment, once that is sealed or closed") {
  LogFixture f;
  f.create();
  f.append(batch().record("a", "b", 100));
  f.append(batch().record("a", "b", 900));
  f.append(batch().record("a", "b", 300));
  REQUIRE(f.log->roll().ok());
  f.append(batch().record("a", "b", 1000));
  REQUIRE(f.log->flush().ok());
  const Bytes sealed = f.content(f.file_name(0, ".timeindex"));
  REQUIRE(sealed.size() >= 12);
  CHECK(TimeIndexEntry::decode(sealed.data() + sealed.size() - 12) == TimeIndexEntry{900, 1});
  REQUIRE(f.log->close().ok());
  const Bytes closed = f.content(f.file_name(3, ".timeindex"));
  REQUIRE(closed.size() == 12);
  CHECK(TimeIndexEntry::decode(closed.data()) == TimeIndexEntry{1000, 0});
}

TEST_CASE("log: a follower keeps the leader's offsets and epochs, gaps included") {
  LogFixture f;
  f.create();
  const Bytes copied =
      join({batch().at(0).leader_epoch(3).records(2), batch().at(10).leader_epoch(4).records(2)});
  REQUIRE(f.log->append_as_follower(copied).ok());
  f.log->check_invariants();
  CHECK(f.end() == 12);
  CHECK(f.read_all() == copied);
  CHECK(f.read_all(5) == batch().at(10).leader_epoch(4).records(2).bytes());
  CHECK(f.log->end_offset_for_epoch(LeaderEpoch(3)).end_offset == Offset(10));
  SECTION("offsets that the log has are refused") {
    const auto again = f.log->append_as_follower(batch().at(11).records(1).bytes());
    REQUIRE(!again.ok());
    CHECK(again.error().code == Errc::invalid_record);
    CHECK(f.end() == 12);
  }
  SECTION("a batch that is cut, or damaged, takes all of the call with it") {
    Bytes good = batch().at(12).records(1);
    Bytes damaged = batch().at(13).records(1);
    damaged.back() ^= std::byte{1};
    CHECK(!f.log->append_as_follower(join({good, damaged})).ok());
    Bytes cut = batch().at(13).records(1);
    cut.pop_back();
    CHECK(!f.log->append_as_follower(join({good, cut})).ok());
    CHECK(f.end() == 12);
  }
  SECTION("an offset too far from the base for the index begins a new segment") {
    REQUIRE(f.log->append_as_follower(batch().at(kRelativeOffsetMax + 1).records(1).bytes()).ok());
    CHECK(f.log->segment_count() == 2);
    CHECK(f.log->log_end().segment_base == Offset(kRelativeOffsetMax + 1));
    CHECK(f.offsets(12) == std::vector<std::int64_t>{kRelativeOffsetMax + 1});
  }
}

TEST_CASE("log: a leader epoch begins where the log ends when it is assigned") {
  LogFixture f;
  f.create();
  REQUIRE(f.log->assign_leader_epoch(LeaderEpoch(0)).ok());
  f.append_many(3);
  REQUIRE(f.log->assign_leader_epoch(LeaderEpoch(2)).ok());
  CHECK(f.log->latest_leader_epoch() == LeaderEpoch(2));
  CHECK(f.log->end_offset_for_epoch(LeaderEpoch(1)).epoch == LeaderEpoch(0));
  CHECK(f.log->end_offset_for_epoch(LeaderEpoch(1)).end_offset == Offset(3));
  CHECK(f.log->end_offset_for_epoch(LeaderEpoch(3)).epoch == kNoLeaderEpoch);
  SECTION("durably, even where its batches are lost") {
    REQUIRE(f.log->flush().ok());
    f.append_many(2);
    f.reopen(Stop::power_cut);
    CHECK(f.end() == 3);
    CHECK(f.log->latest_leader_epoch() == LeaderEpoch(2));
    CHECK(f.log->end_offset_for_epoch(LeaderEpoch(1)).end_offset == Offset(3));
  }
  SECTION("and is known after a clean stop") {
    f.append(batch().records(1), 2);
    f.reopen(Stop::clean);
    CHECK(f.log->latest_leader_epoch() == LeaderEpoch(2));
  }
}

}  // namespace
}  // namespace sillok::tests
