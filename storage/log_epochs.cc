#include "storage/log_impl.h"

namespace sillok::storage {

LeaderEpoch Log::Impl::latest_leader_epoch() const {
  const std::lock_guard lock(epochs_mutex_);
  const auto latest = epochs_.latest();
  return latest ? latest->epoch : kNoLeaderEpoch;
}

// Durable before the first batch of the epoch is in the log: a crash may cut the batch, and then the entry at
// the next open, but never leaves a batch whose epoch is unknown.
Result<void> Log::Impl::note_leader_epoch(LeaderEpoch epoch, Offset start) {
  LeaderEpochs changed;
  {
    const std::lock_guard lock(epochs_mutex_);
    const auto latest = epochs_.latest();
    if (epoch < LeaderEpoch(0) || (latest && epoch <= latest->epoch)) return {};
    changed = epochs_;
  }
  if (!changed.assign(epoch, start)) return {};
  TRY(changed.write(*files_.file_system, files_.directory));
  const std::lock_guard lock(epochs_mutex_);
  epochs_ = std::move(changed);
  return {};
}

Result<void> Log::Impl::assign_leader_epoch(LeaderEpoch epoch) {
  const std::lock_guard lock(append_mutex_);
  if (health() == LogHealth::degraded) return {};  // it gets no batches of that epoch
  TRY(require_writable());
  return note_leader_epoch(epoch, log_end_.offset());
}

Result<void> Log::Impl::take_history_of(const Impl& other) {
  LeaderEpochs epochs;
  {
    const std::lock_guard lock(other.epochs_mutex_);
    epochs = other.epochs_;
  }
  const std::vector<ProducerSnapshotEntry> producers = other.producers();
  const std::lock_guard no_flush(flush_mutex_);
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  TRY(epochs.write(*files_.file_system, files_.directory));
  producers_.load(producers, clock_->wall_ms());
  closed_end_.reset();  // the snapshot of the producers has to be written
  const std::lock_guard epochs_lock(epochs_mutex_);
  epochs_ = std::move(epochs);
  return {};
}

Log::EpochEnd Log::Impl::end_offset_for_epoch(LeaderEpoch requested) const {
  const Offset log_end = log_end_.offset();
  const std::lock_guard lock(epochs_mutex_);
  const LeaderEpochs::End end = epochs_.end_offset_for(requested, log_end);
  return {end.epoch, end.end_offset};
}

LeaderEpoch Log::Impl::leader_epoch_at(Offset offset) const {
  const std::lock_guard lock(epochs_mutex_);
  return epochs_.epoch_at(offset).value_or(kNoLeaderEpoch);
}

}  // namespace sillok::storage
