#include "broker/device.h"

#include <utility>

namespace sillok::broker {

bool Device::is_calm() const {
  const auto calm_at = calm_at_.load(std::memory_order_relaxed);
  return calm_at == 0 || clock_.steady().time_since_epoch().count() >= calm_at;
}

void Device::note_append(storage::SteadyTime began, storage::SteadyTime ended) {
  if (ended - began <= kSlowAppend) return;
  calm_at_.store((ended + kCalmAfter).time_since_epoch().count(), std::memory_order_relaxed);
}

void Device::request_durability(std::span<const std::shared_ptr<storage::JournalTarget>> targets) {
  awaited_flush_at_.store(clock_.steady().time_since_epoch().count(), std::memory_order_relaxed);
  if (journal_ != nullptr) return journal_->request(targets);
  for (const auto& target : targets) flusher_.request(target);
}

bool Device::has_awaited_flushes() const {
  const auto last = awaited_flush_at_.load(std::memory_order_relaxed);
  if (last == 0) return false;
  return clock_.steady() - storage::SteadyTime(storage::SteadyTime::duration(last)) < kFlushesAwaitedFor;
}

void Device::add_unflushed(ByteCount bytes, const std::shared_ptr<storage::FlushTarget>& target) {
  if (bytes == 0) return;
  unflushed_.fetch_add(bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entry_of(target.get());
    entry->second.target = target;
    add_bytes(entry, bytes);
  }
  if (is_full()) flush_everything();
}

Device::Targets::iterator Device::entry_of(const storage::FlushTarget* target) {
  if (const auto found = unflushed_targets_.find(target); found != unflushed_targets_.end()) return found;
  if (spare_targets_.empty()) return unflushed_targets_.emplace(target, Unflushed()).first;
  Targets::node_type node = std::move(spare_targets_.back());
  spare_targets_.pop_back();
  node.key() = target;
  return unflushed_targets_.insert(std::move(node)).position;
}

void Device::add_bytes(Targets::iterator entry, ByteCount bytes) {
  entry->second.bytes += bytes;
  if (entry->second.bytes != 0) return;
  Targets::node_type node = unflushed_targets_.extract(entry);
  if (spare_targets_.size() >= kSpareTargetsMax) return;
  node.mapped() = {};
  spare_targets_.push_back(std::move(node));
}

void Device::flush_everything() {
  std::vector<std::shared_ptr<storage::FlushTarget>> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : unflushed_targets_) {
      if (auto target = entry.target.lock()) targets.push_back(std::move(target));
    }
  }
  for (std::shared_ptr<storage::FlushTarget>& target : targets) flusher_.request(std::move(target));
}

void Device::remove_unflushed(ByteCount bytes, const storage::FlushTarget* target) {
  if (bytes == 0) return;
  unflushed_.fetch_sub(bytes, std::memory_order_relaxed);
  flushed_.fetch_add(bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    add_bytes(entry_of(target), -bytes);
  }
  resume(full_waiting_);
  resume(congested_waiting_);
}

void Device::remove_queued(ByteCount bytes) {
  queued_.fetch_sub(bytes, std::memory_order_relaxed);
  resume(congested_waiting_);
}

void Device::resume(Waiting& waiting) {
  Waiting resumed;
  {
    const std::lock_guard lock(mutex_);
    if (!has_room_for(waiting)) return;
    resumed.swap(waiting);
  }
  for (const auto& resume : resumed) resume();
}

// The room is looked at with the lock held: whoever makes some afterwards finds the entry.
void Device::wait_for_room(Waiting& waiting, std::function<void()> resume) {
  {
    const std::lock_guard lock(mutex_);
    if (!has_room_for(waiting)) {
      waiting.push_back(std::move(resume));
      return;
    }
  }
  resume();
}

}  // namespace sillok::broker
