// How many connections there may be, in all and from one address.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sillok::broker {

// Threading: any thread.
class ConnectionLimits {
 public:
  enum class Admission { admitted, too_many, too_many_from_address };

  ConnectionLimits(std::int32_t total_max, std::int32_t per_address_max)
      : total_max_(total_max), per_address_max_(per_address_max) {}

  // An admitted connection must be given back by leave(). Without an address (it came by a Unix domain
  // socket) only the number in all counts.
  Admission enter(const std::string& address);
  void leave(const std::string& address);
  std::int32_t count() const;

 private:
  const std::int32_t total_max_;
  const std::int32_t per_address_max_;
  mutable std::mutex mutex_;
  std::int32_t count_ = 0;
  std::unordered_map<std::string, std::int32_t> by_address_;
};

}  // namespace sillok::broker
