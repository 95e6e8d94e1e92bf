// The files of a commit journal on a disk whose power can be cut; and what stands in for a partition.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/journal.h"
#include "tests/support/batches.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

inline constexpr const char* kJournalDirectory = "/data";

inline storage::JournalKey journal_key(std::int32_t partition) {
  return {TopicId{{7}}, PartitionIndex(partition)};
}

// Each frame has one entry, whose partition is the number of the frame: so what a replay knows is what frames
// came back.
class JournalFilesFixture {
 public:
  explicit JournalFilesFixture(ByteCount block_count = 16, std::size_t count_max = 4) {
    options.file_system = &faults;
    options.directory = kJournalDirectory;
    options.file_size = block_count * storage::kJournalBlockSize;
    options.count_max = count_max;
    REQUIRE(disk.make_directories(kJournalDirectory).ok());
    REQUIRE(disk.sync_directory("/").ok());
    open();
  }

  Result<void> try_open() {
    files.reset();
    replay = std::make_unique<storage::JournalReplay>();
    warnings.clear();
    files = TRY(storage::JournalFiles::open(options, *replay, warnings));
    return {};
  }
  void open() {
    const auto opened = try_open();
    INFO((opened.ok() ? std::string() : opened.error().describe()));
    REQUIRE(opened.ok());
  }
  // What failed until now fails no more.
  void crash(std::uint64_t seed, CrashMode mode) {
    files.reset();
    replay.reset();
    faults.clear();
    if (mode != CrashMode::keep_all) disk.crash(seed, mode);
  }
  void reopen(CrashMode mode = CrashMode::lose_all, std::uint64_t seed = 1) {
    crash(seed, mode);
    open();
  }
  void add_files(int count) {
    for (int i = 0; i < count; ++i) {
      const auto added = files->add_file();
      INFO((added.ok() ? std::string() : added.error().describe()));
      REQUIRE(added.ok());
      REQUIRE(*added);
    }
  }

  // Its batch, of which whatever is read back must be the bytes.
  static Bytes batch_of(std::int32_t number, std::size_t size) {
    return batch().record(std::to_string(number), std::string(size, static_cast<char>('a' + number % 26)));
  }
  Result<void> try_write(std::int32_t number, std::uint64_t needed_from, std::size_t size = 10) {
    const Bytes bytes = batch_of(number, size);
    storage::JournalEntry entry;
    entry.key = journal_key(number);
    entry.next_offset = Offset(1);
    entry.size = static_cast<ByteCount>(bytes.size());
    storage::JournalFrame frame;
    const MutableByteView place = frame.add(entry);
    std::copy(bytes.begin(), bytes.end(), place.begin());
    written[number] = bytes;
    return files->write(frame, needed_from);
  }
  void write(std::int32_t number, std::uint64_t needed_from, std::size_t size = 10) {
    const auto outcome = try_write(number, needed_from, size);
    INFO((outcome.ok() ? std::string() : outcome.error().describe()));
    REQUIRE(outcome.ok());
  }

  // The numbers of the frames that came back, in order.
  std::vector<std::int32_t> found() const {
    std::vector<std::int32_t> numbers;
    for (const auto& known : replay->all()) {
      const std::int32_t number = known.key.partition.value;
      numbers.push_back(number);
      const auto bytes = replay->read_from(known.key, {});
      INFO("frame " << number);
      REQUIRE(bytes.ok());
      REQUIRE(*bytes == written.at(number));
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    const auto entries = disk.list_directory(kJournalDirectory);
    REQUIRE(entries.ok());
    for (const auto& entry : *entries) all.push_back(entry.name);
    return all;
  }
  std::string path(std::size_t index) { return std::string(kJournalDirectory) + "/" + names().at(index); }
  void put(const std::string& name, const Bytes& bytes) {
    const auto file =
        disk.open(std::string(kJournalDirectory) + "/" + name, storage::OpenMode::open_or_create);
    REQUIRE(file.ok());
    const ByteView part = bytes;
    REQUIRE((*file)->write_at(FilePosition(0), {&part, 1}).ok());
    REQUIRE((*file)->sync_data().ok());
    REQUIRE(disk.sync_directory(kJournalDirectory).ok());
  }

  MemFileSystem disk;
  FaultFileSystem faults{disk};
  storage::JournalFilesOptions options;
  std::unique_ptr<storage::JournalReplay> replay;
  std::unique_ptr<storage::JournalFiles> files;
  std::vector<std::string> warnings;
  std::map<std::int32_t, Bytes> written;
};

// A partition as the journal sees it. `contribution` is its answer, with `size` bytes where it is `added`; a
// shut gate holds it inside contribute().
class FakeJournalTarget final : public storage::JournalTarget {
 public:
  explicit FakeJournalTarget(std::int32_t partition, std::size_t size = 100)
      : key_(tests::journal_key(partition)), size_(size) {}

  storage::JournalKey journal_key() const override { return key_; }
  Contribution contribute(storage::JournalFrame& frame) override {
    std::unique_lock lock(mutex_);
    ++counts_.contributed;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    if (contribution_ != Contribution::added) return contribution_;
    if (!frame.has_room_for(static_cast<ByteCount>(size_)))
      return frame.is_empty() ? Contribution::unfit : Contribution::no_room;
    storage::JournalEntry entry;
    entry.key = key_;
    entry.next_offset = Offset(1);
    entry.size = static_cast<ByteCount>(size_);
    const MutableByteView place = frame.add(entry);
    std::fill(place.begin(), place.end(), std::byte{1});
    return Contribution::added;
  }
  void committed() override { count(&Counts::committed); }
  void not_committed() override { count(&Counts::not_committed); }
  void flush() override {
    if (journal != nullptr) journal->sync_begins(key_);
    if (journal != nullptr) journal->sync_succeeded(key_);
    count(&Counts::flushed);
  }

  struct Counts {
    int contributed = 0;
    int committed = 0;
    int not_committed = 0;
    int flushed = 0;
  };
  Counts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  // Aborts the test after half a minute.
  void wait_for(int Counts::* which, int count) const {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return counts_.*which >= count; });
    if (!came) std::abort();
  }
  void answer(Contribution contribution) {
    const std::lock_guard lock(mutex_);
    contribution_ = contribution;
  }
  void shut() { set_open(false); }
  void open() { set_open(true); }

  storage::Journal* journal = nullptr;  // told of flushes

 private:
  void count(int Counts::* which) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*which);
    changed_.notify_all();
  }
  void set_open(bool is_open) {
    const std::lock_guard lock(mutex_);
    is_open_ = is_open;
    changed_.notify_all();
  }

  const storage::JournalKey key_;
  const std::size_t size_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Counts counts_;
  Contribution contribution_ = Contribution::added;
  bool is_open_ = true;
};

}  // namespace sillok::tests
