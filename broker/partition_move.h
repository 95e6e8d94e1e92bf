// One partition that is copied to another log directory while it is served, as Kafka's future replicas are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "broker/partition.h"
#include "protocol/base/bytes.h"
#include "storage/log.h"
#include "storage/log_dir.h"

namespace sillok::broker {

// Read and written at once, unless a single batch is larger.
inline constexpr std::size_t kMoveStepBytes = 1 << 20;
// Copied bytes of one partition that are not flushed yet.
inline constexpr ByteCount kMoveUnflushedMax = 8 << 20;

// How often a partition may be too busy to be swapped.
inline constexpr int kSwapTriesMax = 10;

// Threading: step() on one thread at a time, cancel() and the finish from another; what it tells of itself,
// from any. Failure: after an error the copy is of no use; the partition is untouched.
class PartitionMove {
 public:
  // `copy` is empty, and on `target`, the device of the directory with the index `to`.
  PartitionMove(std::shared_ptr<Partition> source, std::size_t to, Device& target,
                std::shared_ptr<storage::Log> copy);

  enum class Progress {
    more,       // is left
    caught_up,  // with what consumers see
    cancelled,
  };
  // Copies some batches, through `buffer`. May block.
  Result<Progress> step(Bytes& buffer);
  // Copies the rest, and all that belongs to it, and closes the copy. Requires: the partition is paused.
  Result<void> finish(Bytes& buffer);
  // No step runs when it returns, nor later, and nothing is written to the copy.
  void cancel();

  // Bytes since the last call.
  ByteCount take_copied() { return copied_.exchange(0); }

  // At the end of the process, which leaves the copy to the next start. Requires: no step runs.
  void abandon() { (void)copy_->close().ok(); }

  // Whether the swap, which found the partition too busy, is to be tried once more. On one thread.
  bool may_try_again() { return ++tries_ < kSwapTriesMax; }

  const std::shared_ptr<Partition>& source() const { return source_; }
  storage::TopicPartition name() const { return {source_->topic(), source_->index()}; }
  std::size_t to() const { return to_; }
  const storage::Log& copy() const { return *copy_; }
  void set_config(const storage::LogConfig& config) { copy_->set_config(config); }
  std::int64_t offset_lag() const;

 private:
  // Copies batches below `end`; returns whether there are more.
  Result<bool> copy_below(const storage::LogPosition& end, Bytes& buffer);
  // Views `buffer`. Never empty.
  Result<ByteView> read_batches(const storage::LogPosition& end, Bytes& buffer) const;
  Result<void> append(ByteView batches);

  const std::shared_ptr<Partition> source_;
  const std::size_t to_;
  Device& target_;
  const std::shared_ptr<storage::Log> copy_;
  std::atomic<bool> is_cancelled_{false};
  std::atomic<ByteCount> copied_ = 0;
  int tries_ = 0;
  std::mutex mutex_;  // held across a step
};

}  // namespace sillok::broker
