#include "broker/net/connection_limits.h"

namespace sillok::broker {

ConnectionLimits::Admission ConnectionLimits::enter(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (count_ >= total_max_) return Admission::too_many;
  if (!address.empty()) {
    std::int32_t& from_address = by_address_[address];
    if (from_address >= per_address_max_) return Admission::too_many_from_address;
    ++from_address;
  }
  ++count_;
  return Admission::admitted;
}

void ConnectionLimits::leave(const std::string& address) {
  const std::lock_guard lock(mutex_);
  --count_;
  const auto found = by_address_.find(address);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

std::int32_t ConnectionLimits::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace sillok::broker
