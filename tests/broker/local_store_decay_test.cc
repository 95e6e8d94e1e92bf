// What a bad last batch of the metadata file costs: nothing that was once on disk, and nothing for good.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "broker/producer_ids.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

using broker::LocalStore;
using broker::ProducerIds;

const std::string kPath = "/data/sillok-metadata.log";
const std::string kLengthPath = "/data/sillok-metadata.length";

struct Disk {
  ManualClock clock;
  MemFileSystem memory;
  FaultFileSystem files{memory};
  std::vector<std::string> notes;
  ByteCount rewrite_size_min = LocalStore::kRewriteSizeMin;

  Disk() { REQUIRE(memory.make_directories("/data").ok()); }
  Result<std::unique_ptr<LocalStore>> try_open() {
    notes.clear();
    return LocalStore::open({&files, &clock, "/data", rewrite_size_min}, notes);
  }
  std::unique_ptr<LocalStore> open() {
    auto store = try_open();
    INFO((store.ok() ? std::string() : store.error().describe()));
    REQUIRE(store.ok());
    return std::move(store).value();
  }
  std::string content(const std::string& path = kPath) {
    auto text = storage::read_file(memory, path, 1 << 20);
    return text.ok() ? *text : "nothing";
  }
  void flip(std::int64_t at) {
    const std::byte bad = static_cast<std::byte>(content()[static_cast<std::size_t>(at)]) ^ std::byte{4};
    REQUIRE(memory.corrupt(kPath, FilePosition(at), {&bad, 1}).ok());
  }
  std::int64_t size() { return static_cast<std::int64_t>(content().size()); }
  void truncate(std::int64_t to) {
    auto file = memory.open(kPath, storage::OpenMode::read_write).value();
    REQUIRE(file->truncate(FilePosition(to)).ok());
  }
};

void put(LocalStore& store, const std::string& key, const std::string& value) {
  REQUIRE(store.txn({{}, {{key, value}}, {}}).value());
}

// Two transactions and a clean stop; where the second one begins.
std::int64_t write_two(Disk& disk) {
  auto store = disk.open();
  put(*store, "a", "1");
  const std::int64_t second = disk.size();
  put(*store, "b", "2");
  REQUIRE(store->close().ok());
  return second;
}

TEST_CASE(
    "local store: a flipped bit in the last transaction before a clean stop is refused, and no file "
    "changes") {
  Disk disk;
  const std::int64_t last = write_two(disk);
  const std::string good = disk.content();
  for (const std::int64_t at : {last + 9, last + 20, last + 63, disk.size() - 1}) {
    INFO("byte " << at);
    disk.flip(at);
    const std::string bad = disk.content();
    const std::string length = disk.content(kLengthPath);
    const auto store = disk.try_open();
    REQUIRE_FALSE(store.ok());
    CHECK(store.error().code == Errc::corrupt);
    CHECK(store.error().detail.find(kPath) != std::string::npos);
    CHECK(store.error().detail.find("byte " + std::to_string(last)) != std::string::npos);
    CHECK(disk.content() == bad);
    CHECK(disk.content(kLengthPath) == length);
    CHECK(disk.memory.list_directory("/data")->size() == 2);
    disk.flip(at);
  }
  CHECK(disk.content() == good);
  CHECK(disk.open()->range("")->size() == 2);
}

TEST_CASE("local store: a file that is shorter than at its clean stop is refused") {
  Disk disk;
  const std::int64_t first = write_two(disk);
  disk.truncate(first);
  const auto store = disk.try_open();
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == Errc::corrupt);
}

TEST_CASE("local store: what an earlier start has read is not cut, and what came after it is") {
  Disk disk;
  put(*disk.open(), "a", "1");
  const std::int64_t first = disk.size();
  put(*disk.open(), "b", "2");
  disk.flip(first + 63);
  CHECK(disk.open()->range("a")->size() == 1);
  CHECK(disk.notes.size() == 1);
  disk.open();
  disk.flip(disk.size() - 1);
  CHECK_FALSE(disk.try_open().ok());
}

TEST_CASE("local store: the length is no lie after the file was written anew and shorter") {
  Disk disk;
  {
    auto store = disk.open();
    put(*store, "a", std::string(2000, 'x'));
    put(*store, "a", "1");
    REQUIRE(store->close().ok());
  }
  disk.rewrite_size_min = 100;
  put(*disk.open(), "b", "2");
  REQUIRE(disk.size() < 1000);
  disk.truncate(disk.size() - 1);
  CHECK(disk.open()->range("a")->size() == 1);
}

TEST_CASE("local store: a length file that says nothing is noted and written anew") {
  for (const std::string& text : {std::string(), std::string("1 9999 00000000\n"), std::string(1000, '1')}) {
    Disk disk;
    put(*disk.open(), "a", "1");
    disk.open();
    const std::string good = disk.content(kLengthPath);
    REQUIRE(storage::replace_file(disk.memory, kLengthPath, text).ok());
    CHECK(disk.open()->range("")->size() == 1);
    REQUIRE(disk.notes.size() == 1);
    CHECK(disk.notes[0].find(kLengthPath) != std::string::npos);
    CHECK(disk.content(kLengthPath) == good);
  }
}

TEST_CASE("local store: a missing file is begun anew with a note, and the old length does not count") {
  Disk disk;
  {
    auto store = disk.open();
    put(*store, "a", std::string(1000, 'x'));
    REQUIRE(store->close().ok());
  }
  REQUIRE(disk.memory.remove(kPath).ok());
  put(*disk.open(), "b", "1");
  CHECK(disk.notes.size() == 1);
  CHECK(disk.open()->range("")->size() == 1);
}

TEST_CASE("local store: what is cut is kept aside, each time in a file of its own") {
  Disk disk;
  std::vector<std::string> cut;
  for (int round = 1; round <= 3; ++round) {
    std::int64_t before = 0;
    {
      auto store = disk.open();
      put(*store, "a", "1");
      before = disk.size();
      put(*store, "b", std::to_string(round));
    }
    disk.flip(disk.size() - 1);
    cut.push_back(disk.content().substr(static_cast<std::size_t>(before)));
    disk.open();
    REQUIRE(disk.notes.size() == 1);
    CHECK(disk.notes[0].find(kPath + ".torn-" + std::to_string(round)) != std::string::npos);
    for (int i = 1; i <= round; ++i) {
      CHECK(disk.content(kPath + ".torn-" + std::to_string(i)) == cut[static_cast<std::size_t>(i - 1)]);
    }
  }
}

TEST_CASE("local store: nothing is cut that cannot be kept aside") {
  Disk disk;
  put(*disk.open(), "a", "1");
  disk.truncate(disk.size() + 100);
  const std::string before = disk.content();
  disk.files.fail({FileCall::write, "torn"}, Errc::no_space);
  CHECK_FALSE(disk.try_open().ok());
  CHECK(disk.content() == before);
  CHECK(disk.open()->range("a")->size() == 1);
}

TEST_CASE("local store: producer ids whose block was cut are not given out again") {
  for (const int blocks : {1, 3}) {
    Disk disk;
    std::int64_t largest = 0;
    {
      auto store = disk.open();
      put(*store, "a", "1");
      for (int i = 0; i < blocks; ++i) largest = ProducerIds(*store).next()->value;
    }
    disk.flip(disk.size() - 1);
    // The counter is right in the very step that cuts: a crash after it changes nothing.
    disk.open();
    auto store = disk.open();
    CHECK(disk.notes.empty());
    CHECK(ProducerIds(*store).next()->value >= largest + ProducerIds::kBlockSize);
  }
}

}  // namespace
}  // namespace sillok::tests
