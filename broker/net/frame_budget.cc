#include "broker/net/frame_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/base/check.h"

namespace sillok::broker {

bool FrameBudget::reserve_now(ByteCount bytes) {
  const std::lock_guard lock(mutex_);
  if (!queue_.empty() || !fits(bytes)) return false;
  reserved_ += bytes;
  return true;
}

bool FrameBudget::reserve(ByteCount bytes, std::shared_ptr<Waiter> waiter) {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() && fits(bytes)) {
    reserved_ += bytes;
    return true;
  }
  queue_.push_back({bytes, std::move(waiter)});
  return false;
}

bool FrameBudget::cancel(const Waiter* waiter) {
  const std::lock_guard lock(mutex_);
  const auto same = [&](const Waiting& waiting) { return waiting.waiter.get() == waiter; };
  const auto found = std::find_if(queue_.begin(), queue_.end(), same);
  if (found == queue_.end()) return false;
  queue_.erase(found);
  return true;
}

void FrameBudget::release(ByteCount bytes) {
  std::vector<std::shared_ptr<Waiter>> granted;
  {
    const std::lock_guard lock(mutex_);
    reserved_ -= bytes;
    CHECK(reserved_ >= 0);
    while (!queue_.empty() && fits(queue_.front().bytes)) {
      reserved_ += queue_.front().bytes;
      granted.push_back(std::move(queue_.front().waiter));
      queue_.pop_front();
    }
  }
  for (std::shared_ptr<Waiter>& waiter : granted) {
    ReactorPort& reactor = waiter->reactor();
    reactor.run_soon(std::move(waiter));
  }
}

}  // namespace sillok::broker
