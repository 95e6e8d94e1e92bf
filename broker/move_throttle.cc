#include "broker/move_throttle.h"

#include <algorithm>

namespace sillok::broker {
namespace {

constexpr double kNsPerSecond = 1e9;
// The dearest step at the lowest rate fits in it.
constexpr double kDebtNsMax = 1e18;

}  // namespace

void MoveThrottle::set_rate(std::int64_t bytes_per_second) {
  const std::lock_guard lock(mutex_);
  if (bytes_per_second == rate_) return;
  rate_ = bytes_per_second;
  due_ = clock_.steady();
  changed_.notify_all();
}

void MoveThrottle::note(ByteCount copied) {
  const std::lock_guard lock(mutex_);
  if (rate_ <= 0 || rate_ == kNoMoveLimit) return;
  const double debt = static_cast<double>(copied) * kNsPerSecond / static_cast<double>(rate_);
  due_ = std::max(due_, clock_.steady()) +
         std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(debt, kDebtNsMax)));
}

std::optional<std::chrono::nanoseconds> MoveThrottle::delay() const {
  const std::lock_guard lock(mutex_);
  return delay_locked();
}

std::optional<std::chrono::nanoseconds> MoveThrottle::delay_locked() const {
  if (rate_ <= 0) return std::nullopt;
  return std::max(due_ - clock_.steady(), std::chrono::nanoseconds(0));
}

bool MoveThrottle::wait() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const auto delay = delay_locked();
    if (delay && delay->count() == 0) break;
    if (delay) {
      changed_.wait_for(lock, *delay);
    } else {
      changed_.wait(lock);
    }
  }
  return !is_stopping_;
}

void MoveThrottle::stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
  changed_.notify_all();
}

}  // namespace sillok::broker
