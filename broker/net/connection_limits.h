// How many connections there may be, in all and from one address.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace sillok::broker {

// Threading: any thread.
class ConnectionLimits {
 public:
  enum class Admission { admitted, too_many, too_many_from_address };

  struct Limits {
    std::int32_t total_max = 0;
    std::int32_t per_address_max = 0;
    std::map<std::string, std::int32_t> of_address;  // in place of per_address_max
  };
  explicit ConnectionLimits(Limits limits) : limits_(std::move(limits)) {}

  // Connections that there are stay.
  void set(Limits limits);

  // An admitted connection must be given back by leave(). Without an address (it came by a Unix domain
  // socket) only the number in all counts.
  Admission enter(const std::string& address);
  void leave(const std::string& address);
  std::int32_t count() const;

 private:
  mutable std::mutex mutex_;
  Limits limits_;
  std::int32_t count_ = 0;
  std::unordered_map<std::string, std::int32_t> by_address_;
};

}  // namespace sillok::broker
