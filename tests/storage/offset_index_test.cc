#include "storage/offset_index.h"

#include <catch2/catch.hpp>

#include "storage/file_cache.h"
#include "storage/time_index.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;

struct IndexFixture {
  IndexFixture() {
    REQUIRE(disk.make_directories("/d").ok());
    REQUIRE(index.create().ok());
  }
  void append(std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) {
      const auto next = static_cast<std::int32_t>(index.entry_count()) + 1;
      index.append({next * 10, next * 100});
      if (index.is_pending_full()) REQUIRE(index.write_pending().ok());
    }
  }
  std::int32_t floor(std::int32_t offset, IoMode mode = IoMode::may_block) {
    const auto found = index.floor(offset, mode);
    INFO((found.ok() ? "" : found.error().describe()));
    REQUIRE(found.ok());
    return *found ? (*found)->relative_offset : -1;
  }

  MemFileSystem disk;
  FileCache cache{disk, 4};
  LogFiles files{&disk, &cache, "/d"};
  OffsetIndex index{&files, Offset(0)};
};

TEST_CASE("offset index: the greatest entry not past an offset, in memory and in every block of the file") {
  IndexFixture f;
  const std::int32_t count = GENERATE(0, 1, 511, 512, 513, 1024, 1500);
  f.append(count);
  if (GENERATE(false, true)) REQUIRE(f.index.write_pending().ok());
  CHECK(f.floor(0) == -1);
  CHECK(f.floor(9) == -1);
  for (std::int32_t i = 1; i <= count; ++i) {
    REQUIRE(f.floor(i * 10) == i * 10);
    REQUIRE(f.floor(i * 10 + 9) == i * 10);
  }
  CHECK(f.index.entry_count() == count);
}

TEST_CASE("offset index: an opened one answers as the one that wrote it, and goes on") {
  IndexFixture f;
  f.append(1300);
  REQUIRE(f.index.write_pending().ok());
  OffsetIndex reopened(&f.files, Offset(0));
  REQUIRE(reopened.open(IoMode::may_block).ok());
  CHECK(reopened.entry_count() == 1300);
  CHECK(reopened.last() == OffsetIndexEntry{13'000, 130'000});
  reopened.append({13'010, 130'100});
  CHECK((*reopened.floor(13'020, IoMode::may_block))->relative_offset == 13'010);
  CHECK((*reopened.floor(77, IoMode::may_block))->relative_offset == 70);
  REQUIRE(reopened.write_pending().ok());
  CHECK(reopened.written_prefix()->entry_count == 1301);
}

TEST_CASE(
    "offset index: the prefix of a recovery point is kept if its checksum fits, and what follows is cut") {
  IndexFixture f;
  f.append(700);
  REQUIRE(f.index.write_pending().ok());
  const IndexPrefix prefix = *f.index.written_prefix();
  f.append(100);
  REQUIRE(f.index.write_pending().ok());
  OffsetIndex reopened(&f.files, Offset(0));
  SECTION("right") {
    REQUIRE(reopened.open_prefix(prefix).ok());
    CHECK(reopened.entry_count() == 700);
    CHECK(*reopened.written_prefix() == prefix);
    CHECK(reopened.entries()->size() == 700);
  }
  SECTION("with another checksum") { CHECK(!reopened.open_prefix({700, prefix.crc ^ 1}).ok()); }
  SECTION("longer than the file") { CHECK(!reopened.open_prefix({801, prefix.crc}).ok()); }
  SECTION("with a negative count") { CHECK(!reopened.open_prefix({-1, 0}).ok()); }
}

TEST_CASE("offset index: a block that was read is not read again, until its entries are others") {
  IndexFixture f;
  f.append(1300);
  REQUIRE(f.index.write_pending().ok());
  CHECK(f.floor(60) == 60);
  CHECK(f.floor(6000) == 6000);
  const auto reads = [&] { return f.disk.calls().reads; };
  const auto before = reads();
  CHECK(f.floor(77) == 70);
  CHECK(f.floor(6007) == 6000);
  CHECK(reads() == before);
  SECTION("more of them in the last block") {
    CHECK(f.floor(13'000) == 13'000);
    f.append(10);
    REQUIRE(f.index.write_pending().ok());
    CHECK(f.floor(13'050) == 13'050);
  }
  SECTION("a new index in the place of the old") {
    const OffsetIndexEntry entries[] = {{5, 100}, {70, 200}};
    REQUIRE(f.index.replace(entries).ok());
    CHECK(f.floor(60) == 5);
  }
  SECTION("the file of another segment") {
    OffsetIndex other(&f.files, Offset(20));
    REQUIRE(other.create().ok());
    other.append({3, 100});
    REQUIRE(other.write_pending().ok());
    CHECK((*other.floor(77, IoMode::may_block))->relative_offset == 3);
  }
}

TEST_CASE("offset index: a block that is not in memory is not taken for one that was read") {
  IndexFixture f;
  f.append(600);
  REQUIRE(f.index.write_pending().ok());
  f.disk.evict_pages();
  CHECK(f.index.floor(60, IoMode::resident_only).error().code == Errc::would_block);
  CHECK(f.index.floor(60, IoMode::resident_only).error().code == Errc::would_block);
  CHECK(f.floor(60) == 60);
}

TEST_CASE("offset index: a file that is none is malformed, not a crash") {
  IndexFixture f;
  f.append(5);
  REQUIRE(f.index.write_pending().ok());
  const auto file = f.disk.open("/d/00000000000000000000.index", OpenMode::read_write);
  REQUIRE(file.ok());
  SECTION("cut inside an entry") { REQUIRE((*file)->truncate(FilePosition(37)).ok()); }
  SECTION("entries out of order") {
    const Bytes zeros(8);
    const ByteView parts[] = {zeros};
    REQUIRE((*file)->write_at(FilePosition(16), parts).ok());
  }
  OffsetIndex reopened(&f.files, Offset(0));
  const auto found = reopened.floor(30, IoMode::may_block);
  REQUIRE(!found.ok());
  CHECK(found.error().code == Errc::malformed);
}

TEST_CASE("offset index: entries are big-endian, last offset and position") {
  std::byte bytes[8];
  OffsetIndexEntry{9, 5300}.encode(bytes);
  const Bytes expected = {std::byte{0}, std::byte{0}, std::byte{0},    std::byte{9},
                          std::byte{0}, std::byte{0}, std::byte{0x14}, std::byte{0xb4}};
  CHECK(Bytes(bytes, bytes + 8) == expected);
  CHECK(OffsetIndexEntry::decode(bytes) == OffsetIndexEntry{9, 5300});
}

TEST_CASE("time index: timestamps rise, offsets do not fall") {
  const TimeIndexEntry entry{1000, 5};
  CHECK(entry.can_follow(std::nullopt));
  CHECK(entry.can_follow(TimeIndexEntry{999, 5}));
  CHECK(!entry.can_follow(TimeIndexEntry{1000, 4}));
  CHECK(!entry.can_follow(TimeIndexEntry{999, 6}));
  CHECK(!TimeIndexEntry{-1, 0}.can_follow(std::nullopt));
  std::byte bytes[12];
  entry.encode(bytes);
  CHECK(bytes[6] == std::byte{0x03});
  CHECK(bytes[7] == std::byte{0xe8});
  CHECK(TimeIndexEntry::decode(bytes) == entry);
}

}  // namespace
}  // namespace sillok::tests
