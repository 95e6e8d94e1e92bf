// A partition over an in-memory disk whose flushes a test can hold.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/device.h"
#include "broker/executor.h"
#include "broker/partition.h"
#include "storage/file_cache.h"
#include "storage/flusher.h"
#include "storage/log.h"
#include "tests/support/batches.h"
#include "tests/support/fake_reactor.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

// Runs nothing until the test says so.
class HeldExecutor final : public broker::Executor {
 public:
  bool post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    return true;
  }
  std::size_t run_all() {
    std::size_t count = 0;
    while (run_one()) ++count;
    return count;
  }
  void drop_all() {
    const std::lock_guard lock(mutex_);
    queue_.clear();
  }
  // False where nothing waits.
  bool run_one() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      work = std::move(queue_.front());
      queue_.erase(queue_.begin());
    }
    work();
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> queue_;
};

// A device without a journal, which is full with more than 100 bytes.
struct OneDevice {
  ManualClock clock;
  storage::Flusher flusher{1, clock};
  HeldExecutor writer;
  broker::Device device{clock, flusher, writer, 100};
};

// Remembers what it was told, and can be waited for.
class RecordingSink final : public broker::AppendSink {
 public:
  void appended(std::size_t index, const broker::AppendResult& result) override {
    const std::lock_guard lock(mutex_);
    results_.push_back({index, result});
    changed_.notify_all();
  }
  struct Told {
    std::size_t index;
    broker::AppendResult result;
  };
  std::vector<Told> told() const {
    const std::lock_guard lock(mutex_);
    return results_;
  }
  // Aborts the test after half a minute.
  void wait_for(std::size_t count) const {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return results_.size() >= count; });
    if (!came) std::abort();
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Told> results_;
};

struct PartitionFixture {
  explicit PartitionFixture(const storage::LogConfig& config = {}, ByteCount unflushed_max = 1 << 30)
      : faults(disk), cache(faults, 16), device(clock, flusher, writer, unflushed_max) {
    if (!disk.make_directories("/data").ok()) std::abort();
    auto log = storage::Log::create(log_options(config), TopicId{{1}});
    if (!log.ok()) std::abort();
    partition = std::make_shared<broker::Partition>("orders", PartitionIndex(0), std::move(log).value(),
                                                    device, config);
    if (!partition->lead(LeaderEpoch(0)).ok()) std::abort();
  }
  ~PartitionFixture() { flusher.stop(); }

  storage::LogOptions log_options(const storage::LogConfig& config) {
    storage::LogOptions options;
    options.file_system = &faults;
    options.file_cache = &cache;
    options.clock = &clock;
    options.directory = "/data/orders-0";
    options.config = config;
    return options;
  }

  // Appends a batch; gives the sink that hears of it.
  std::shared_ptr<RecordingSink> append(Bytes bytes, broker::Acks acks) {
    auto sink = std::make_shared<RecordingSink>();
    append(std::move(bytes), acks, sink, 0);
    return sink;
  }
  void append(Bytes bytes, broker::Acks acks, std::shared_ptr<RecordingSink> sink, std::size_t index) {
    const auto header = header_of(bytes);
    partition->append({bytes, header, acks, std::move(sink), index});
  }

  MemFileSystem disk;
  FaultFileSystem faults;
  ManualClock clock;
  storage::FileCache cache;
  storage::Flusher flusher{2, clock};
  HeldExecutor writer;
  broker::Device device;
  std::shared_ptr<broker::Partition> partition;
};

}  // namespace sillok::tests
