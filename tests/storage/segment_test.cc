#include "storage/segment.h"

#include <catch2/catch.hpp>

#include "storage/file_cache.h"
#include "storage/segment_recovery.h"
#include "tests/support/batches.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;

struct SegmentFixture {
  SegmentFixture() {
    REQUIRE(disk.make_directories("/d").ok());
    segment = *Segment::create(&files, Offset(100));
    REQUIRE(segment->prepare_appends(0).ok());
  }
  AppendedBatch batch_of(ByteCount size, TimestampMs time, std::int64_t last = 100) const {
    return {Offset(last), Offset(last), time, segment->end(), size};
  }
  void append(std::int64_t offset, TimestampMs time) {
    const Bytes bytes = batch().at(offset).record("k", "v", time).bytes();
    const ByteView parts[] = {bytes};
    const AppendedBatch appended = batch_of(static_cast<ByteCount>(bytes.size()), time, offset);
    REQUIRE(segment->append(parts, {&appended, 1}, config).ok());
  }

  MemFileSystem disk;
  FileCache cache{disk, 4};
  LogFiles files{&disk, &cache, "/d"};
  LogConfig config;
  std::shared_ptr<Segment> segment;
};

TEST_CASE("segment: its files must not be there when it is created") {
  SegmentFixture f;
  const auto again = Segment::create(&f.files, Offset(100));
  REQUIRE(!again.ok());
  CHECK(again.error().code == Errc::already_exists);
}

// A start has very many, of which few are read or written soon.
TEST_CASE("segment: what there is costs a start no open file") {
  SegmentFixture f;
  f.append(100, 5000);
  f.disk.set_modified("/d/00000000000000000100.log", 7000);
  const auto opens = f.disk.calls().opens;
  const auto opened = Segment::open(&f.files, Offset(100)).value();
  CHECK(opened->end() == f.segment->end());
  CHECK(opened->last_changed(9000) == 7000);
  CHECK(f.disk.calls().opens == opens);
  CHECK(Segment::open(&f.files, Offset(101)).error().code == Errc::not_found);
  FaultFileSystem faults(f.disk);
  const LogFiles failing{&faults, &f.cache, "/d"};
  faults.fail({FileCall::size, "100.log"}, Errc::io_error);
  CHECK(Segment::open(&failing, Offset(100)).error().code == Errc::io_error);
}

TEST_CASE("segment: an empty one takes any batch but one too far from its base") {
  SegmentFixture f;
  f.config.segment_bytes = 10;
  CHECK(!f.segment->should_roll(f.config, f.batch_of(1000, 0), 0));
  CHECK(!f.segment->should_roll(f.config, f.batch_of(1000, 0, 100 + kRelativeOffsetMax), 0));
  CHECK(f.segment->should_roll(f.config, f.batch_of(1000, 0, 101 + kRelativeOffsetMax), 0));
}

TEST_CASE("segment: records without time roll by the clock") {
  SegmentFixture f;
  f.config.segment_ms = 1000;
  f.append(100, -1);
  CHECK(!f.segment->should_roll(f.config, f.batch_of(10, -1, 101), 1000));
  CHECK(f.segment->should_roll(f.config, f.batch_of(10, -1, 101), 1001));
}

TEST_CASE("segment: jitter makes segment.ms shorter, by less than itself, and the same each time") {
  SegmentFixture f;
  f.config.segment_ms = 1000;
  f.config.segment_jitter_ms = 400;
  f.append(100, 5000);
  std::int64_t first = 0;
  while (!f.segment->should_roll(f.config, f.batch_of(10, 5000 + first, 101), 0)) ++first;
  CHECK(first > 600);
  CHECK(first <= 1001);
  CHECK(f.segment->should_roll(f.config, f.batch_of(10, 5000 + first, 101), 0));
}

TEST_CASE("segment: a scan tells what is whole, where it stopped and why") {
  SegmentFixture f;
  f.append(100, 1);
  f.append(105, 2);
  const FilePosition whole = f.segment->end();
  f.append(106, 3);
  const auto file = f.segment->file(IoMode::may_block);
  REQUIRE(file.ok());
  std::vector<std::int64_t> seen;
  const auto visit = [&](const BatchPlace& place) -> Result<void> {
    seen.push_back(place.header.base_offset.value);
    return {};
  };
  const auto scan = scan_segment(**file, Offset(100), {FilePosition(0), Offset(100), FilePosition(0)},
                                 f.segment->end() - 1, visit);
  REQUIRE(scan.ok());
  CHECK(seen == std::vector<std::int64_t>{100, 105});
  CHECK(scan->end == whole);
  CHECK(scan->next_offset == Offset(106));
  CHECK(!scan->problem.empty());
  CHECK(scan->met_durable_end);
}

TEST_CASE("segment: damage is a hole for readers, and what is on both sides stays readable") {
  SegmentFixture f;
  f.append(100, 1);
  const FilePosition begin = f.segment->end();
  f.append(101, 1);
  const FilePosition end = f.segment->end();
  f.append(102, 1);
  f.segment->set_damage({{begin, end, Offset(101), Offset(102)}});
  f.segment->check_invariants();
  CHECK(f.segment->readable_end(FilePosition(0)) == begin);
  CHECK(f.segment->damage_end(begin) == end);
  CHECK(f.segment->readable_end(end) == f.segment->end());
}

}  // namespace
}  // namespace sillok::tests
