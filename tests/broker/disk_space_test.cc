#include "broker/disk_space.h"

#include <catch2/catch.hpp>

using namespace sillok;
using broker::DiskSpace;

namespace {

constexpr ByteCount kGigabyte = 1 << 30;

struct FakeDisk {
  storage::SpaceUse use{20 * kGigabyte, 40 * kGigabyte};
  bool answers = true;
  int asked = 0;

  DiskSpace::Measure measure() {
    return [this]() -> Result<storage::SpaceUse> {
      ++asked;
      if (!answers) return Error{Errc::io_error, "statvfs"};
      return use;
    };
  }
};

}  // namespace

TEST_CASE("disk space: there is room unless less than what is kept is free") {
  FakeDisk disk;
  DiskSpace space;
  CHECK_FALSE(space.is_short());
  space.watch("/data", 1000, disk.measure());
  disk.use.free = 1000;
  space.measure();
  CHECK_FALSE(space.is_short());
  disk.use.free = 999;
  space.measure();
  CHECK(space.is_short());
  disk.use.free = 1124;
  space.measure();
  CHECK(space.is_short());  // not to and fro
  disk.use.free = 1125;
  space.measure();
  CHECK_FALSE(space.is_short());
}

TEST_CASE("disk space: by default 5 % are kept, and never more than a gigabyte") {
  FakeDisk disk;
  DiskSpace space;
  disk.use = {.free = 5 * kGigabyte / 100, .total = kGigabyte};
  space.watch("/data", -1, disk.measure());
  CHECK_FALSE(space.is_short());
  --disk.use.free;
  space.measure();
  CHECK(space.is_short());
  disk.use = {.free = kGigabyte + kGigabyte / 8, .total = 4000 * kGigabyte};
  space.measure();
  CHECK_FALSE(space.is_short());
}

TEST_CASE("disk space: it is asked again after some of what is kept was written, not at each append") {
  FakeDisk disk;
  DiskSpace space;
  space.watch("/data", 8 << 20, disk.measure());
  const int asked = disk.asked;
  for (int i = 0; i < 16; ++i) space.note_written(64 << 10);
  CHECK(disk.asked == asked);
  disk.use.free = 0;
  space.note_written(64 << 10);
  CHECK(disk.asked == asked + 1);
  CHECK(space.is_short());
}

TEST_CASE("disk space: a file system that does not answer refuses nothing") {
  FakeDisk disk;
  DiskSpace space;
  disk.use.free = 0;
  space.watch("/data", 1000, disk.measure());
  CHECK(space.is_short());
  disk.answers = false;
  space.measure();
  CHECK_FALSE(space.is_short());
}

TEST_CASE("disk space: 0 turns it off") {
  FakeDisk disk;
  disk.use.free = 0;
  DiskSpace space;
  space.watch("/data", 0, disk.measure());
  space.note_written(kGigabyte);
  CHECK_FALSE(space.is_short());
  CHECK(disk.asked == 0);
}
