// The devices of all log directories, for what is decided by several of them.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/device.h"

namespace sillok::broker {

// Threading: any thread.
class Devices {
 public:
  explicit Devices(std::vector<Device*> devices) : devices_(std::move(devices)) {}

  bool have_awaited_flushes() const {
    return std::ranges::any_of(devices_, [](Device* one) { return one->has_awaited_flushes(); });
  }

 private:
  const std::vector<Device*> devices_;
};

}  // namespace sillok::broker
