#include "broker/metadata/local_store.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "broker/metadata/metadata_records.h"
#include "broker/producer_ids.h"
#include "protocol/record_batch_view.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/seed.h"

namespace sillok::tests {
namespace {

using broker::LocalStore;
using Values = std::map<std::string, std::string>;

const std::string kPath = "/data/sillok-metadata.log";

struct Disk {
  ManualClock clock;
  std::unique_ptr<MemFileSystem> memory = std::make_unique<MemFileSystem>();
  std::unique_ptr<FaultFileSystem> files = std::make_unique<FaultFileSystem>(*memory);
  std::vector<std::string> notes;
  ByteCount rewrite_size_min = LocalStore::kRewriteSizeMin;
  ByteCount size_max = LocalStore::kSizeMax;
  ByteCount reserve_size = LocalStore::kReserveSize;

  Disk() {
    REQUIRE(memory->make_directories("/data").ok());
    REQUIRE(memory->sync_directory("/").ok());
  }
  Result<std::unique_ptr<LocalStore>> try_open() {
    notes.clear();
    return LocalStore::open(
        {files.get(), &clock, "/data", rewrite_size_min, LeaderEpoch(0), size_max, reserve_size}, notes);
  }
  std::unique_ptr<LocalStore> open() {
    auto store = try_open();
    INFO((store.ok() ? std::string() : store.error().describe()));
    REQUIRE(store.ok());
    return std::move(store).value();
  }
  void crash(std::uint64_t seed, CrashMode mode) {
    memory = memory->after_crash(seed, mode);
    files = std::make_unique<FaultFileSystem>(*memory);
  }
  std::int64_t file_size() { return memory->open(kPath, storage::OpenMode::read).value()->size()->value; }
};

void put(LocalStore& store, const std::string& key, const std::string& value) {
  REQUIRE(store.txn({{}, {{key, value}}, {}}).value());
}

Values values(LocalStore& store, std::string_view prefix = "") {
  Values all;
  auto pairs = store.range(prefix).value();
  for (broker::KeyValue& pair : pairs) {
    // The store itself moves the counter on where it cuts.
    if (pair.key != broker::kProducerIdsKey) all[pair.key] = pair.value;
  }
  return all;
}

TEST_CASE("local store: what a transaction put is there after a restart") {
  Disk disk;
  {
    auto store = disk.open();
    put(*store, "topic/a", "1");
    put(*store, "topic/b", "2");
    put(*store, "other", "");
    REQUIRE(store->txn({{}, {{"topic/a", "3"}}, {"topic/b"}}).value());
  }
  auto store = disk.open();
  CHECK(values(*store) == Values{{"topic/a", "3"}, {"other", ""}});
  CHECK(disk.notes.empty());
}

TEST_CASE("local store: range() gives the keys with the prefix, by key") {
  Disk disk;
  auto store = disk.open();
  for (const char* key : {"b/2", "a/1", "b/1", "b", "c/1"}) put(*store, key, key);
  const auto pairs = store->range("b/").value();
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].key == "b/1");
  CHECK(pairs[1].key == "b/2");
}

TEST_CASE("local store: a transaction whose comparison does not hold changes nothing") {
  Disk disk;
  auto store = disk.open();
  put(*store, "a", "1");
  const auto syncs = disk.memory->calls().syncs;
  CHECK_FALSE(store->txn({{{"a", "2"}}, {{"a", "3"}}, {}}).value());
  CHECK_FALSE(store->txn({{{"a", std::nullopt}}, {{"a", "3"}}, {}}).value());
  CHECK_FALSE(store->txn({{{"b", ""}}, {{"a", "3"}}, {}}).value());
  CHECK_FALSE(store->txn({{{"a", "1"}, {"b", "1"}}, {{"a", "3"}}, {}}).value());
  CHECK(values(*store) == Values{{"a", "1"}});
  CHECK(disk.memory->calls().syncs == syncs);
  CHECK(store->txn({{{"a", "1"}, {"b", std::nullopt}}, {{"b", "2"}}, {"a"}}).value());
  CHECK(values(*store) == Values{{"b", "2"}});
}

TEST_CASE(
    "local store: an acknowledged transaction survives a power cut, an interrupted one is there whole or not "
    "at all") {
  const std::uint64_t first_seed = seed();
  for (std::uint64_t round = 0; round < 300; ++round) {
    const std::uint64_t own_seed = first_seed + round;
    INFO("seed " << own_seed);
    std::mt19937_64 random(own_seed);
    Disk disk;
    disk.rewrite_size_min = 2000;
    Values acknowledged;
    Values interrupted;
    for (int life = 0; life < 3; ++life) {
      auto store = disk.open();
      const Values found = values(*store);
      REQUIRE((found == acknowledged || found == interrupted));
      acknowledged = found;
      const auto count = static_cast<int>(random() % 40);
      const auto fails_at = static_cast<int>(random() % 60);
      for (int i = 0; i < count; ++i) {
        LocalStore::Transaction transaction;
        Values next = acknowledged;
        for (std::uint64_t change = random() % 4 + 1; change > 0; --change) {
          const std::string key = "key" + std::to_string(random() % 20);
          if (next.contains(key) && random() % 3 == 0) {
            transaction.deletes.push_back(key);
            next.erase(key);
          }
        }
        for (std::uint64_t change = random() % 4 + 1; change > 0; --change) {
          const std::string key = "put" + std::to_string(change) + std::to_string(random() % 10);
          const std::string value(random() % 200, 'v');
          transaction.puts.push_back({key, value});
          next[key] = value;
        }
        if (i == fails_at) disk.files->fail({FileCall::sync}, Errc::io_error);
        if (!store->txn(transaction).ok()) {
          REQUIRE(values(*store) == acknowledged);
          interrupted = next;
          break;
        }
        acknowledged = interrupted = next;
      }
      disk.crash(random(), life == 0 ? CrashMode::lose_all : CrashMode::random);
    }
  }
}

TEST_CASE(
    "local store: a torn last transaction is cut, with a note, and the next one follows the good ones") {
  for (const std::int64_t cut : {1, 10, 60, 65}) {
    INFO("bytes lost " << cut);
    Disk disk;
    {
      auto store = disk.open();
      put(*store, "a", "1");
      put(*store, "b", "2");
    }
    auto file = disk.memory->open(kPath, storage::OpenMode::read_write).value();
    REQUIRE(file->truncate(FilePosition(disk.file_size() - cut)).ok());
    {
      auto store = disk.open();
      CHECK(values(*store) == Values{{"a", "1"}});
      REQUIRE(disk.notes.size() == 1);
      CHECK(disk.notes[0].find(kPath + ".torn-1") != std::string::npos);
      put(*store, "c", "3");
    }
    auto store = disk.open();
    CHECK(values(*store) == Values{{"a", "1"}, {"c", "3"}});
    CHECK(disk.notes.empty());
  }
}

TEST_CASE("local store: a tail of zeros is cut") {
  Disk disk;
  {
    auto store = disk.open();
    put(*store, "a", "1");
  }
  auto file = disk.memory->open(kPath, storage::OpenMode::read_write).value();
  const std::int64_t size = disk.file_size();
  REQUIRE(file->truncate(FilePosition(size + 4096)).ok());
  CHECK(values(*disk.open()) == Values{{"a", "1"}});
  CHECK(disk.file_size() < size + 4096);
  CHECK(values(*disk.open()) == Values{{"a", "1"}});
  CHECK(disk.notes.empty());
}

TEST_CASE("local store: a damaged transaction before good ones is refused, and the file is left as it is") {
  Disk disk;
  std::int64_t middle = 0;
  {
    auto store = disk.open();
    put(*store, "a", "1");
    middle = disk.file_size();
    put(*store, "b", "2");
    put(*store, "c", "3");
  }
  const std::int64_t size = disk.file_size();
  for (const std::int64_t at :
       {std::int64_t{0}, std::int64_t{8}, std::int64_t{20}, middle, middle + 30, middle + 62}) {
    INFO("damaged byte " << at);
    auto file = disk.memory->open(kPath, storage::OpenMode::read).value();
    std::byte good;
    REQUIRE(file->read_at(FilePosition(at), {&good, 1}).ok());
    const std::byte bad = good ^ std::byte{0x15};
    REQUIRE(disk.memory->corrupt(kPath, FilePosition(at), {&bad, 1}).ok());
    const auto store = disk.try_open();
    REQUIRE_FALSE(store.ok());
    CHECK(store.error().code == Errc::corrupt);
    CHECK(store.error().detail.find(kPath) != std::string::npos);
    CHECK(disk.file_size() == size);
    REQUIRE(disk.memory->corrupt(kPath, FilePosition(at), {&good, 1}).ok());
  }
  CHECK(values(*disk.open()).size() == 3);
}

TEST_CASE("local store: a last transaction that is torn inside its offset, which no CRC covers, is cut") {
  Disk disk;
  std::int64_t end = 0;
  {
    auto store = disk.open();
    for (int i = 0; i < 3; ++i) put(*store, "a", std::to_string(i));
    end = disk.file_size();
    put(*store, "b", "2");
  }
  const std::byte zeros[8] = {};
  REQUIRE(disk.memory->corrupt(kPath, FilePosition(end), zeros).ok());
  auto store = disk.open();
  CHECK(values(*store) == Values{{"a", "2"}});
  CHECK(disk.notes.size() == 1);
}

TEST_CASE("local store: a missing transaction in the middle is refused") {
  Disk disk;
  std::int64_t first_end = 0;
  std::int64_t second_end = 0;
  {
    auto store = disk.open();
    put(*store, "a", "1");
    first_end = disk.file_size();
    put(*store, "b", "2");
    second_end = disk.file_size();
    put(*store, "c", "3");
  }
  std::string content = storage::read_file(*disk.memory, kPath, 1 << 20).value();
  content.erase(static_cast<std::size_t>(first_end), static_cast<std::size_t>(second_end - first_end));
  REQUIRE(storage::replace_file(*disk.memory, kPath, content).ok());
  const auto store = disk.try_open();
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == Errc::corrupt);
}

TEST_CASE("local store: a file that cannot be read is no empty store") {
  Disk disk;
  put(*disk.open(), "a", "1");
  disk.files->fail({FileCall::read, "sillok-metadata"}, Errc::io_error);
  CHECK_FALSE(disk.try_open().ok());
  CHECK(values(*disk.open()) == Values{{"a", "1"}});
}

TEST_CASE("local store: the file is rewritten when it has doubled over what it holds") {
  Disk disk;
  disk.rewrite_size_min = 10'000;
  auto store = disk.open();
  put(*store, "kept", std::string(1000, 'k'));
  std::int64_t largest = 0;
  for (int i = 0; i < 1000; ++i) {
    put(*store, "changing", std::to_string(i) + std::string(100, 'c'));
    largest = std::max(largest, disk.file_size());
  }
  CHECK(largest > 10'000);
  CHECK(largest < 11'000);
  const Values expected = values(*store);
  store.reset();
  disk.crash(1, CrashMode::lose_all);
  CHECK(values(*disk.open()) == expected);
}

TEST_CASE("local store: progress goes on by each change, and not back where the file is rewritten") {
  Disk disk;
  disk.rewrite_size_min = 10'000;
  auto store = disk.open();
  CHECK(store->progress().end == Offset(0));
  put(*store, "kept", "k");
  REQUIRE(store->txn({{}, {{"a", "1"}, {"b", "2"}}, {"kept"}}).value());
  CHECK(store->progress().end == Offset(4));
  REQUIRE_FALSE(store->txn({{{"a", "other"}}, {{"a", "3"}}, {}}).value());
  CHECK(store->progress().end == Offset(4));
  int rewrites = 0;
  std::int64_t size = disk.file_size();
  for (int i = 1; i <= 500; ++i) {
    put(*store, "changing", std::to_string(i) + std::string(100, 'c'));
    CHECK(store->progress().end == Offset(4 + i));
    rewrites += disk.file_size() < size ? 1 : 0;
    size = disk.file_size();
  }
  CHECK(rewrites > 1);
  // A rewrite and a change that fail are no progress.
  disk.files->fail({FileCall::sync, "sillok-metadata"}, Errc::io_error);
  CHECK_FALSE(store->txn({{}, {{"changing", "not"}}, {}}).ok());
  CHECK(store->progress().end == Offset(504));
  put(*store, "changing", "after");
  CHECK(store->progress().end == Offset(505));
  CHECK(store->progress().epoch == LeaderEpoch(0));
}

TEST_CASE("local store: many values are rewritten in several batches and come back") {
  Disk disk;
  disk.rewrite_size_min = 1000;
  Values expected;
  {
    auto store = disk.open();
    for (int round = 0; round < 3; ++round) {
      LocalStore::Transaction transaction;
      for (int i = 0; i < 3000; ++i) {
        transaction.puts.push_back(
            {"key" + std::to_string(i), std::string(1000, static_cast<char>('a' + round))});
        expected[transaction.puts.back().key] = transaction.puts.back().value;
      }
      REQUIRE(store->txn(transaction).value());
    }
    put(*store, "last", "");
    expected["last"] = "";
  }
  CHECK(disk.file_size() < 7'000'000);
  CHECK(values(*disk.open()) == expected);
}

TEST_CASE("local store: after a failed write or sync the next transaction goes to a new file") {
  for (const FileCall call : {FileCall::write, FileCall::sync}) {
    Disk disk;
    auto store = disk.open();
    put(*store, "a", "1");
    disk.files->fail({call, "sillok-metadata.log"}, Errc::io_error);
    CHECK_FALSE(store->txn({{}, {{"b", "2"}}, {}}).ok());
    CHECK(values(*store) == Values{{"a", "1"}});
    const auto renames = disk.memory->calls().renames;
    put(*store, "c", "3");
    CHECK(disk.memory->calls().renames == renames + 1);
    store.reset();
    disk.crash(7, CrashMode::lose_all);
    CHECK(values(*disk.open()) == Values{{"a", "1"}, {"c", "3"}});
  }
}

TEST_CASE("local store: a short write is not followed by anything in the same file") {
  Disk disk;
  auto store = disk.open();
  put(*store, "a", "1");
  disk.files->write_short({FileCall::write, "sillok-metadata.log"}, 30, Errc::no_space);
  CHECK_FALSE(store->txn({{}, {{"b", "2"}}, {}}).ok());
  put(*store, "c", "3");
  store.reset();
  CHECK(values(*disk.open()) == Values{{"a", "1"}, {"c", "3"}});
  CHECK(disk.notes.empty());
}

TEST_CASE("local store: a rewrite that fails leaves the store as it was, and is tried again") {
  Disk disk;
  disk.rewrite_size_min = 100;
  auto store = disk.open();
  put(*store, "a", std::string(200, '1'));
  put(*store, "a", "2");
  disk.files->fail({FileCall::rename, "", 1, kEveryCall}, Errc::no_space);
  CHECK_FALSE(store->txn({{}, {{"b", "3"}}, {}}).ok());
  disk.files->clear();
  CHECK(values(*store) == Values{{"a", "2"}});
  put(*store, "b", "4");
  store.reset();
  CHECK(values(*disk.open()) == Values{{"a", "2"}, {"b", "4"}});
}

TEST_CASE("local store: a transaction larger than the limit is refused and nothing is lost") {
  Disk disk;
  auto store = disk.open();
  put(*store, "a", "1");
  const auto result = store->txn({{}, {{"b", std::string(LocalStore::kTransactionSizeMax + 1, 'x')}}, {}});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::too_large);
  put(*store, "c", "2");
  CHECK(values(*store) == Values{{"a", "1"}, {"c", "2"}});
}

TEST_CASE("local store: one that is full still takes what does not make it larger, and has room again then") {
  Disk disk;
  disk.size_max = 64'000;
  disk.reserve_size = 16'000;
  auto store = disk.open();
  const auto error_of = [&](const LocalStore::Transaction& transaction) {
    const auto done = store->txn(transaction);
    CHECK(disk.file_size() <= disk.size_max + disk.reserve_size);
    return done.ok() ? std::nullopt : std::optional(done.error().code);
  };
  int count = 0;
  while (!error_of({{}, {{"key" + std::to_string(count), std::string(4000, 'k')}}, {}})) ++count;
  CHECK(count == 15);
  CHECK(error_of({{}, {{"new", std::string(4000, 'n')}}, {}}) == Errc::too_large);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(error_of({{}, {{"key0", std::to_string(1000 + i)}}, {}}));
  CHECK_FALSE(error_of({{}, {{"new", std::string(3500, 'n')}}, {}}));
  CHECK(error_of({{}, {{"key0", std::string(4000, 'k')}}, {}}) == Errc::too_large);
  // As the deletion of a topic begins.
  CHECK_FALSE(error_of({{}, {{"deleting", std::string(8010, 'd')}}, {"key1"}}));
  CHECK_FALSE(error_of({{}, {}, {"deleting"}}));
  CHECK_FALSE(error_of({{}, {{"key0", std::string(4000, 'k')}}, {}}));
  const Values expected = values(*store);
  store.reset();
  disk.size_max = 20'000;  // it may have been filled under another limit
  disk.reserve_size = 60'000;
  store = disk.open();
  CHECK(values(*store) == expected);
  CHECK(error_of({{}, {{"key0", std::string(4001, 'k')}}, {}}) == Errc::too_large);
  CHECK_FALSE(error_of({{}, {{"key0", std::string(3999, 'k')}}, {}}));
}

TEST_CASE("local store: keys of a session are gone after a restart, unless they were put to last since") {
  Disk disk;
  {
    auto store = disk.open();
    REQUIRE(store->put_for_session({"brokers/1", "here"}).ok());
    REQUIRE(store->put_for_session({"brokers/2", "there"}).ok());
    put(*store, "brokers/2", "stays");
    CHECK(values(*store) == Values{{"brokers/1", "here"}, {"brokers/2", "stays"}});
  }
  auto store = disk.open();
  CHECK(values(*store) == Values{{"brokers/2", "stays"}});
}

TEST_CASE("local store: watchers hear of the transactions that touch their prefix, in order") {
  Disk disk;
  auto store = disk.open();
  std::vector<std::string> heard;
  store->watch("topic/", [&](const LocalStore::Transaction& transaction) {
    heard.push_back(transaction.puts.empty() ? "deleted" : transaction.puts[0].value);
    CHECK(store->range("").ok());
  });
  put(*store, "topic/a", "1");
  put(*store, "other", "2");
  CHECK_FALSE(store->txn({{{"topic/a", "9"}}, {{"topic/a", "3"}}, {}}).value());
  put(*store, "topic/a", "4");
  REQUIRE(store->txn({{}, {}, {"topic/a"}}).value());
  CHECK(heard == std::vector<std::string>{"1", "4", "deleted"});
}

TEST_CASE("local store: what a killed process wrote and did not sync is synced before it counts") {
  Disk disk;
  {
    auto store = disk.open();
    put(*store, "a", "1");
    disk.files->fail({FileCall::sync}, Errc::io_error);
    CHECK_FALSE(store->txn({{}, {{"b", "2"}}, {}}).ok());
  }
  disk.crash(1, CrashMode::keep_all);
  const Values seen = values(*disk.open());
  disk.crash(2, CrashMode::lose_all);
  CHECK(values(*disk.open()) == seen);
}

}  // namespace
}  // namespace sillok::tests
