// The other end of a partition: its log start, which retention and DeleteRecords move.
#include "broker/partition.h"
#include "broker/take_out.h"

namespace sillok::broker {

Result<void> Partition::set_log_start(Offset offset) {
  const Offset before = log_->log_start();
  Result<void> moved = log_->set_log_start(offset);
  if (log_->log_start() != before) log_start_moved();
  return moved;
}

Result<std::int32_t> Partition::clean_up(TimestampMs now) {
  if (is_paused()) return 0;
  const Offset before = log_->log_start();
  Result<std::int32_t> removed = log_->clean_up(now, high_watermark().offset);
  if (log_->log_start() != before) log_start_moved();
  return removed;
}

// A fetch session tells it to its client; what others wait for may be gone.
void Partition::log_start_moved() {
  Notices notices;
  {
    const std::lock_guard lock(state_mutex_);
    const Offset start = log_->log_start();
    take_out(
        waiters_,
        [&](const Waiter& waiter) { return waiter.listener->wants_log_start() || waiter.offset < start; },
        [&](Waiter waiter) { notices.woken.push_back(std::move(waiter)); });
  }
  tell(notices);
}

}  // namespace sillok::broker
