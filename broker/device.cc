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

void Device::remove_unflushed(ByteCount bytes) {
  unflushed_.fetch_sub(bytes, std::memory_order_relaxed);
  if (is_full()) return;
  std::vector<std::function<void()>> resumed;
  {
    const std::lock_guard lock(mutex_);
    resumed.swap(waiting_);
  }
  for (const auto& resume : resumed) resume();
}

void Device::when_not_full(std::function<void()> resume) {
  {
    const std::lock_guard lock(mutex_);
    if (is_full()) {
      waiting_.push_back(std::move(resume));
      return;
    }
  }
  resume();
}

}  // namespace sillok::broker
