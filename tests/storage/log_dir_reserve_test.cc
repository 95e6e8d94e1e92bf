#include <catch2/catch.hpp>

#include "storage/log_dir.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/memory_log_dir.h"

namespace sillok::storage {
namespace {

constexpr const char* kPath = "/data/sillok-reserve";

struct Fixture {
  std::unique_ptr<LogDir> open() { return tests::open_log_dir(disk, clock); }
  bool is_there() { return *disk.exists(kPath); }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
};

TEST_CASE("log dir: a reserve is made where there is room, and given away where there is none") {
  Fixture f;
  const auto log_dir = f.open();
  CHECK_FALSE(f.is_there());
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK(f.is_there());
  f.disk.set_free_space(5 << 20);
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK(f.is_there());
  f.disk.set_free_space(3 << 20);
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK_FALSE(f.is_there());
  // What was given away is not taken back at once.
  f.disk.set_free_space(7 << 20);
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK_FALSE(f.is_there());
  f.disk.set_free_space(16 << 20);
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK(f.is_there());
}

TEST_CASE("log dir: a reserve that holds nothing is made anew") {
  Fixture f;
  const auto log_dir = f.open();
  REQUIRE(f.disk.open(kPath, OpenMode::create).ok());
  REQUIRE(log_dir->balance_reserve().ok());
  CHECK((*f.disk.open(kPath, OpenMode::read))->size().value() == FilePosition(4 << 20));
}

TEST_CASE("log dir: the start on a full disk gives the reserve away first") {
  Fixture f;
  REQUIRE(f.open()->balance_reserve().ok());
  CHECK(f.is_there());
  f.disk.set_free_space(0);
  const auto log_dir = f.open();
  CHECK_FALSE(f.is_there());
}

}  // namespace
}  // namespace sillok::storage
