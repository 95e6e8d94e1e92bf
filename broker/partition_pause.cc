// A partition that moves to another log: for a moment it takes no appends, and then another one has its
// place.
#include <utility>

#include "broker/partition.h"

namespace sillok::broker {

using protocol::ErrorCode;

Result<void> Partition::pause() {
  Ring<QueuedAppend> queued;
  {
    const std::lock_guard lock(queue_mutex_);
    if (!is_online()) return Error{Errc::offline, log_->directory() + ": is not served"};
    paused_.store(true, std::memory_order_release);
    queued = std::exchange(queue_, {});
  }
  refuse_queued(queued, ErrorCode::not_leader_or_follower);
  // The queue stays empty, so whoever writes now is the last.
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

void Partition::resume() { paused_.store(false, std::memory_order_release); }

}  // namespace sillok::broker
