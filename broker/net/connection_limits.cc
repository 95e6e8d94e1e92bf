#include "broker/net/connection_limits.h"

namespace sillok::broker {

ConnectionLimits::Admission ConnectionLimits::enter(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.total_max) return Admission::too_many;
  if (!address.empty()) {
    const auto there = by_address_.find(address);
    const std::int32_t from_address = there == by_address_.end() ? 0 : there->second;
    const auto own = limits_.of_address.find(address);
    const std::int32_t max = own == limits_.of_address.end() ? limits_.per_address_max : own->second;
    if (from_address >= max) return Admission::too_many_from_address;
    by_address_[address] = from_address + 1;
  }
  ++count_;
  return Admission::admitted;
}

void ConnectionLimits::set(Limits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = std::move(limits);
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
