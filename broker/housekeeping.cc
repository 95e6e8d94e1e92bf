#include "broker/housekeeping.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker/fine_retention.h"
#include "broker/thread_executor.h"

namespace sillok::broker {
namespace {

// How often it is looked whether so much was flushed that a checkpoint is due before its time: what lies
// above the last one is what a recovery must read.
// The free space is looked at as often, and topics with a finer retention than Kafka's are.
constexpr std::chrono::milliseconds kFlushedBytesInterval{500};

// Deleted files go at most this much later than file.delete.delay.ms says.
constexpr std::chrono::seconds kDeletionInterval{10};

}  // namespace

void Housekeeping::start() {
  clean_up_finely();  // what a crash brought back
  thread_ = std::thread([this] {
    name_this_thread("housekeeping");
    run();
  });
}

void Housekeeping::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::set_deletion_delay_ms(std::int64_t delay_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(deletion_delay_ms_, delay_ms) == delay_ms) return;
    deletion_delay_changed_ = true;
  }
  wake_.notify_all();
}

void Housekeeping::run() {
  const std::chrono::milliseconds checkpoint_interval(config_.flush_checkpoint_interval_ms);
  const std::chrono::milliseconds retention_interval(config_.retention_check_interval_ms);
  storage::SteadyTime now = clock_.steady();
  storage::SteadyTime next_checkpoint = now + checkpoint_interval;
  storage::SteadyTime next_clean_up = now + retention_interval;
  storage::SteadyTime next_deletion = now;  // what a crash interrupted
  ByteCount flushed_at_checkpoint = flushed();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const storage::SteadyTime next_look = clock_.steady() + kFlushedBytesInterval;
    wake_.wait_until(lock, std::min({next_look, next_checkpoint, next_clean_up, next_deletion}),
                     [this] { return stopping_ || deletion_delay_changed_; });
    if (stopping_) return;
    const bool has_other_delay = std::exchange(deletion_delay_changed_, false);
    lock.unlock();
    now = clock_.steady();
    look_at_space();
    clean_up_finely();
    if (now >= next_clean_up) {
      balance_reserve();
      clean_up();
      next_clean_up = now + retention_interval;
    }
    if (now >= next_checkpoint || flushed() - flushed_at_checkpoint >= config_.checkpoint_bytes_max) {
      flushed_at_checkpoint = flushed();
      write_checkpoints();
      next_checkpoint = now + checkpoint_interval;
    }
    if (now >= next_deletion || has_other_delay) {
      remove_deleted();
      balance_reserve();
      next_deletion = now + kDeletionInterval;
    }
    lock.lock();
  }
}

void Housekeeping::clean_up() {
  for (const std::shared_ptr<Partition>& partition : partitions_.all()) {
    if (!partition->is_online()) continue;
    const auto removed = partition->clean_up(clock_.wall_ms());
    if (!removed.ok()) {
      spdlog::warn("retention of {}-{}: {}", partition->topic(), partition->index().value,
                   removed.error().describe());
    } else if (*removed > 0) {
      spdlog::info("retention of {}-{}: {} segments deleted, the log starts at {}", partition->topic(),
                   partition->index().value, *removed, partition->log().log_start().value);
    }
  }
}

void Housekeeping::clean_up_finely() {
  if (partitions_.have_fine_retention()) apply_fine_retention(partitions_.all(), clock_.wall_ms());
}

void Housekeeping::write_checkpoints() {
  if (const Result<void> written = partitions_.write_checkpoints(); !written.ok()) {
    spdlog::warn("checkpoints: {}", written.error().describe());
  }
}

ByteCount Housekeeping::flushed() const {
  ByteCount sum = 0;
  for (const auto& directory : directories_) sum += directory->device().flushed();
  return sum;
}

// A log that gets no records gives no reserved blocks back by itself: together they may be what is missing.
void Housekeeping::look_at_space() {
  for (const auto& directory : directories_) {
    directory->device().space().measure();
    if (!directory->device().space().is_short()) continue;
    balance_reserve(directory->log_dir());
    for (const std::shared_ptr<Partition>& partition : partitions_.all()) {
      const bool is_there = &partition->device() == &directory->device();
      if (is_there && partition->is_online()) (void)partition->log().give_back_reserved();
    }
  }
}

void Housekeeping::balance_reserve() {
  for (const auto& directory : directories_) balance_reserve(directory->log_dir());
}

void Housekeeping::balance_reserve(storage::LogDir& log_dir) {
  if (const Result<void> balanced = log_dir.balance_reserve(); !balanced.ok()) {
    spdlog::warn("reserve of the log directory: {}", balanced.error().describe());
  }
}

void Housekeeping::remove_deleted() {
  const storage::SteadyTime now = clock_.steady();
  for (const std::shared_ptr<Partition>& partition : partitions_.all()) {
    if (const auto removed = partition->log().remove_deleted_files(now); !removed.ok()) {
      spdlog::warn("deleted files of {}-{}: {}", partition->topic(), partition->index().value,
                   removed.error().describe());
    }
  }
  const auto delay_ms = [this] {
    const std::lock_guard lock(mutex_);
    return deletion_delay_ms_;
  }();
  for (const auto& directory : directories_) {
    const auto removed = directory->log_dir().remove_deleted_partitions(now, delay_ms);
    if (!removed.ok()) spdlog::warn("deleted partitions: {}", removed.error().describe());
  }
}

}  // namespace sillok::broker
