// A partition that moves to another log: for a moment its appends wait, and then another one has its place.
#include <mutex>
#include <utility>

#include "broker/partition.h"

namespace sillok::broker {

Result<void> Partition::pause() {
  {
    const std::lock_guard lock(queue_mutex_);
    if (!is_online()) return Error{Errc::offline, log_->directory() + ": is not served"};
    paused_.store(true, std::memory_order_release);
  }
  if (!wait_until_idle()) {
    resume();
    return Error{Errc::would_block, log_->directory() + ": an append takes too long"};
  }
  // Not flush(), which is for one thread at a time; what it counts stays to be flushed.
  const Result<storage::LogPosition> synced = log_->flush();
  if (!synced.ok()) {
    resume();
    return synced.error();
  }
  complete_up_to(*synced);
  return {};
}

bool Partition::wait_until_idle() {
  std::unique_lock lock(queue_mutex_);
  return idle_.wait_for(lock, kPauseWaitMax, [this] { return !writing_; });
}

void Partition::resume() {
  {
    const std::lock_guard lock(queue_mutex_);
    paused_.store(false, std::memory_order_release);
    if (queue_.empty() || std::exchange(writing_, true)) return;
  }
  leave_to_writer();
}

void Partition::hand_over_to(const std::shared_ptr<Partition>& next) {
  ByteCount byte_count = 0;
  {
    const std::scoped_lock lock(queue_mutex_, next->queue_mutex_);
    CHECK(is_paused() && !writing_ && next->queue_.empty());
    for (std::size_t i = 0; i < queue_.size(); ++i)
      byte_count += static_cast<ByteCount>(queue_[i].batch.size());
    next->device_.add_queued(byte_count);
    next->queue_ = std::exchange(queue_, {});
    next->writing_ = !next->queue_.empty();
    // What is still prepared comes to this one, and before what is prepared for the next. Connections find
    // this one for a moment yet, and must see what they left to be prepared then.
    if (!strand_) strand_ = std::make_shared<Strand>(kPreparedBytesMax);
    preparing_.store(true, std::memory_order_release);
    next->strand_ = strand_;
    next->preparing_.store(true, std::memory_order_release);
    successor_ = next;
  }
  device_.remove_queued(byte_count);
  if (byte_count > 0) next->leave_to_writer();
}

}  // namespace sillok::broker
