// A log on the real file system, for benchmarks.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "protocol/record_batch_builder.h"
#include "storage/file_cache.h"
#include "storage/log.h"
#include "storage/posix_file_system.h"

namespace sillok::bench {

// One batch of exactly `size` bytes, if that is more than its headers take.
inline Bytes make_batch(std::size_t size) {
  protocol::RecordBatchBuilder builder;
  const std::size_t overhead = protocol::kRecordBatchHeaderSize + 12;
  const Bytes value(size > overhead ? size - overhead : 1, std::byte{'x'});
  builder.append(1'700'000'000'000, std::nullopt, value);
  return builder.build().value();
}

// Under $TMPDIR or /tmp, removed at the end.
class BenchLog {
 public:
  explicit BenchLog(const storage::LogConfig& config = {})
      : path_(std::filesystem::temp_directory_path() / ("sillok-bench-" + std::to_string(getpid()))),
        file_system_(storage::make_posix_file_system()),
        cache_(*file_system_, 64) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    options_.file_system = file_system_.get();
    options_.file_cache = &cache_;
    options_.clock = &storage::system_clock();
    options_.directory = path_ / "bench-0";
    options_.config = config;
    log_ = storage::Log::create(options_, TopicId{{1}}).value();
  }
  ~BenchLog() {
    log_.reset();
    std::filesystem::remove_all(path_);
  }
  BenchLog(const BenchLog&) = delete;
  BenchLog& operator=(const BenchLog&) = delete;

  storage::Log& log() { return *log_; }
  const storage::LogOptions& options() const { return options_; }
  void empty() {
    if (!log_->truncate_fully_and_start_at(log_->log_end().offset).ok()) std::abort();
    if (!log_->remove_deleted_files(storage::SteadyTime::max()).ok()) std::abort();
  }
  void append(Bytes& batch, const protocol::RecordBatchHeader& header) {
    storage::AppendEntry entry;
    entry.batch = batch;
    entry.header = header;
    if (!log_->append_as_leader({&entry, 1}, LeaderEpoch(0)).ok()) std::abort();
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<storage::FileSystem> file_system_;
  storage::FileCache cache_;
  storage::LogOptions options_;
  std::unique_ptr<storage::Log> log_;
};

}  // namespace sillok::bench
