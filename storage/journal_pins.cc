#include "storage/journal_pins.h"

#include <set>
#include <utility>

namespace sillok::storage {

void JournalPins::set_first(Pin& pin, std::optional<std::uint64_t> sequence) {
  if (pin.first) {
    const auto count = counts_.find(*pin.first);
    if (--count->second == 0) counts_.erase(count);
  }
  pin.first = sequence;
  if (sequence) ++counts_[*sequence];
}

void JournalPins::add(const JournalKey& key, std::uint64_t sequence,
                      const std::weak_ptr<FlushTarget>& target) {
  const std::lock_guard lock(mutex_);
  Pin& pin = pins_[key];
  pin.target = target;
  if (!pin.first) set_first(pin, sequence);
  if (pin.is_syncing && !pin.first_since_sync) pin.first_since_sync = sequence;
}

void JournalPins::sync_begins(const JournalKey& key) {
  const std::lock_guard lock(mutex_);
  // A pin that comes while the sync runs must know of it.
  Pin& pin = pins_[key];
  pin.is_syncing = true;
  pin.first_since_sync.reset();
}

void JournalPins::sync_succeeded(const JournalKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = pins_.find(key);
  // One that was released since it began says nothing of what came after.
  if (found == pins_.end() || !found->second.is_syncing) return;
  set_first(found->second, found->second.first_since_sync);
  if (!found->second.first) {
    pins_.erase(found);
    return;
  }
  found->second.is_syncing = false;
  found->second.first_since_sync.reset();
}

void JournalPins::release(const JournalKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = pins_.find(key);
  if (found == pins_.end()) return;
  set_first(found->second, std::nullopt);
  pins_.erase(found);
}

void JournalPins::keep_only(const std::vector<JournalKey>& keys) {
  const std::set<JournalKey> kept(keys.begin(), keys.end());
  const std::lock_guard lock(mutex_);
  for (auto pin = pins_.begin(); pin != pins_.end();) {
    if (kept.count(pin->first) != 0) {
      ++pin;
      continue;
    }
    set_first(pin->second, std::nullopt);
    pin = pins_.erase(pin);
  }
}

std::optional<std::uint64_t> JournalPins::oldest() const {
  const std::lock_guard lock(mutex_);
  if (counts_.empty()) return std::nullopt;
  return counts_.begin()->first;
}

void JournalPins::holders(std::uint64_t sequence, std::vector<std::shared_ptr<FlushTarget>>& all) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, pin] : pins_) {
    if (!pin.first || *pin.first > sequence) continue;
    if (auto target = pin.target.lock()) all.push_back(std::move(target));
  }
}

}  // namespace sillok::storage
