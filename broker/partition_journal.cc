// How a partition has its appends made durable by the commit journal: it copies what is appended and not
// durable, all of it up to one batch, into the frame of the round.
#include <utility>

#include "broker/durability_round.h"
#include "broker/partition.h"
#include "storage/journal_source.h"

namespace sillok::broker {

using storage::LogPosition;

// A damaged log has lost what its entries may still have.
bool Partition::is_journaled() const {
  return log_->health() == storage::LogHealth::healthy && !topic_id().is_zero();
}

void Partition::request_durability() {
  std::shared_ptr<storage::JournalTarget> self = shared_from_this();
  if (DurabilityRound* const round = DurabilityRound::current()) return round->add(device_, std::move(self));
  device_.request_durability(std::span(&self, 1));
}

Partition::Contribution Partition::contribute(storage::JournalFrame& frame) {
  if (is_stopped() || storage_failed_.load(std::memory_order_relaxed)) return Contribution::nothing;
  if (!is_journaled()) return Contribution::unfit;
  LogPosition from;
  LogPosition to;
  {
    const std::lock_guard lock(state_mutex_);
    from = durable_end_.load();
    to = accounted_end_;
  }
  if (from >= to) {
    // A flush was quicker than the append's own account of itself.
    complete_up_to(from);
    return Contribution::nothing;
  }
  switch (storage::copy_to_frame(*log_, journal_key(), from, to, frame)) {
    case storage::FrameCopy::no_room:
      return Contribution::no_room;
    case storage::FrameCopy::unfit:
      return Contribution::unfit;
    case storage::FrameCopy::copied:
      break;
  }
  committing_end_ = to;
  const std::lock_guard lock(state_mutex_);
  committing_bytes_ = std::exchange(unflushed_bytes_, 0);
  unflushed_records_ = 0;
  return Contribution::added;
}

void Partition::committed() {
  // Deleted meanwhile: nothing will ever be synced that would release the frame.
  if (is_stopped()) device_.journal()->release(journal_key());
  device_.remove_unflushed(committing_bytes_, this);
  complete_up_to(committing_end_);
}

void Partition::not_committed() {
  const std::lock_guard lock(state_mutex_);
  unflushed_bytes_ += committing_bytes_;
}

void Partition::complete_up_to(const LogPosition& durable) {
  Notices notices;
  {
    const std::lock_guard lock(state_mutex_);
    advance_durable_end(durable, notices);
    advance_high_watermark(notices);
  }
  tell(notices);
}

}  // namespace sillok::broker
