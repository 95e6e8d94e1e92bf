// Partitions of a broker on the real file system, for benchmarks: no threads of their own, but for the
// flusher.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/partitions.h"
#include "storage/flusher.h"
#include "storage/posix_file_system.h"

namespace sillok::bench {

// Work that would wait for a calm device: there is none that matters here.
class DirectExecutor final : public broker::Executor {
 public:
  bool post(std::function<void()> work) override {
    work();
    return true;
  }
};

// Under $TMPDIR or /tmp, removed at the end.
class BenchPartitions {
 public:
  BenchPartitions()
      : path_(std::filesystem::temp_directory_path() / ("sillok-bench-dir-" + std::to_string(getpid()))),
        file_system_(storage::make_posix_file_system()) {
    std::filesystem::remove_all(path_);
    storage::LogDirOptions options;
    options.file_system = file_system_.get();
    options.clock = &storage::system_clock();
    options.path = path_;
    options.journal_size_max = 512 << 20;
    log_dir_ = storage::LogDir::open(options).value();
    partitions_ = std::make_unique<broker::Partitions>(*log_dir_, device_, 1);
  }
  ~BenchPartitions() {
    flusher_.stop();
    partitions_.reset();
    log_dir_.reset();
    std::filesystem::remove_all(path_);
  }
  BenchPartitions(const BenchPartitions&) = delete;
  BenchPartitions& operator=(const BenchPartitions&) = delete;

  void create(const std::string& topic, const TopicId& id, std::int32_t count) {
    std::vector<broker::PartitionHost::Opening> all;
    for (std::int32_t i = 0; i < count; ++i) all.push_back({topic, PartitionIndex(i), id, {}});
    if (!partitions_->create(all).ok()) std::abort();
  }
  void remove(const std::string& topic, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) {
      if (!partitions_->remove(topic, PartitionIndex(i)).ok()) std::abort();
    }
    if (!log_dir_->remove_deleted_partitions(storage::SteadyTime::max(), 0).ok()) std::abort();
  }
  broker::Partitions& all() { return *partitions_; }
  broker::Partition& one(const std::string& topic, std::int32_t index) {
    return *partitions_->find(topic, PartitionIndex(index)).partition;
  }
  storage::Journal& journal() { return log_dir_->journal(); }

 private:
  std::filesystem::path path_;
  std::unique_ptr<storage::FileSystem> file_system_;
  storage::Flusher flusher_{1, storage::system_clock()};
  DirectExecutor writer_;
  broker::Device device_{storage::system_clock(), flusher_, writer_, ByteCount{1} << 40};
  std::unique_ptr<storage::LogDir> log_dir_;
  std::unique_ptr<broker::Partitions> partitions_;
};

}  // namespace sillok::bench
