#include "broker/cold_reads.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <utility>

#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

using namespace sillok;
using namespace sillok::tests;
using broker::ColdReads;
using broker::ReadWidth;

namespace {

constexpr ByteCount kStep = 64 << 10;

struct ColdFile {
  ColdFile() {
    file = files.open("/file", storage::OpenMode::create).value();
    const Bytes content(10 * kStep);
    const ByteView part = content;
    REQUIRE(file->write_at(FilePosition(0), {&part, 1}).ok());
    REQUIRE(file->sync_data().ok());
    files.evict_pages();
  }
  storage::FileSlice step(int number) const { return {file, FilePosition(number * kStep), kStep}; }
  bool has(int number) const { return file->is_resident(FilePosition(number * kStep), kStep); }

  MemFileSystem files;
  std::shared_ptr<storage::File> file;
};

}  // namespace

TEST_CASE("cold reads: the oldest that was brought in is given back, the newest stays") {
  ColdFile cold;
  ColdReads reads(2 * kStep);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(reads.bring_in(cold.step(i), ReadWidth::all).ok());
    for (int earlier = 0; earlier <= i; ++earlier) CHECK(cold.has(earlier) == (earlier > i - 2));
  }
  CHECK_FALSE(cold.has(5));
}

TEST_CASE("cold reads: what was brought in just now stays, however little may") {
  ColdFile cold;
  ColdReads reads(0);
  REQUIRE(reads.bring_in(cold.step(0), ReadWidth::all).ok());
  CHECK(cold.has(0));
  REQUIRE(reads.bring_in(cold.step(1), ReadWidth::all).ok());
  CHECK_FALSE(cold.has(0));
  CHECK(cold.has(1));
}

TEST_CASE("cold reads: nothing is given back where that is not wanted") {
  ColdFile cold;
  ColdReads reads(-1);
  for (int i = 0; i < 10; ++i) REQUIRE(reads.bring_in(cold.step(i), ReadWidth::all).ok());
  for (int i = 0; i < 10; ++i) CHECK(cold.has(i));
}

TEST_CASE("cold reads: what two bring in counts once, and from the later one on") {
  ColdFile cold;
  ColdReads reads(2 * kStep);
  for (const int number : {0, 1, 0, 0, 2}) REQUIRE(reads.bring_in(cold.step(number), ReadWidth::all).ok());
  CHECK(cold.has(0));
  CHECK_FALSE(cold.has(1));
  CHECK(cold.has(2));
}

TEST_CASE("cold reads: a file that was closed meanwhile is not held open") {
  ColdFile cold;
  ColdReads reads(kStep);
  REQUIRE(reads.bring_in(cold.step(0), ReadWidth::all).ok());
  const std::weak_ptr<storage::File> weak = cold.file;
  cold.file.reset();
  CHECK(weak.expired());
  cold.file = cold.files.open("/file", storage::OpenMode::read).value();
  REQUIRE(reads.bring_in(cold.step(1), ReadWidth::all).ok());
  REQUIRE(reads.bring_in(cold.step(2), ReadWidth::all).ok());
  CHECK_FALSE(cold.has(1));
}

TEST_CASE("cold reads: while a flush is waited for, one read is under way at the disk, otherwise all are") {
  for (const auto& [width, most] : {std::pair(ReadWidth::one_at_a_time, 1), std::pair(ReadWidth::all, 3)}) {
    ColdFile cold;
    FaultFileSystem faulty(cold.files);
    cold.file = faulty.open("/file", storage::OpenMode::read).value();
    const auto stall = faulty.stall({.call = FileCall::make_resident, .count = kEveryCall});
    ColdReads reads(-1);
    std::atomic<int> begun{0};
    std::atomic<int> failed{0};
    std::array<std::thread, 3> readers;
    for (std::size_t i = 0; i < readers.size(); ++i) {
      readers[i] = std::thread([&, i, w = width] {
        ++begun;
        if (!reads.bring_in(cold.step(static_cast<int>(i)), w).ok()) ++failed;
      });
    }
    stall->wait_until_reached();
    while (begun < 3 || stall->waiting_count() < most) std::this_thread::yield();
    CHECK(stall->waiting_count() == most);
    stall->release();
    for (std::thread& reader : readers) reader.join();
    CHECK(failed == 0);
  }
}
