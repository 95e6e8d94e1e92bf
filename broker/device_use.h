// To which devices a request appends.
#pragma once

#include <vector>

namespace sillok::broker {

class Device;

// While it lives, each append that this thread hands to a partition is noted. Not nested.
class DeviceUse {
 public:
  DeviceUse();
  ~DeviceUse();
  DeviceUse(const DeviceUse&) = delete;
  DeviceUse& operator=(const DeviceUse&) = delete;

  static void note(Device& device);

  // One of those that were noted that has no room for more records (Device::is_congested()); null: none.
  Device* congested() const;

 private:
  std::vector<Device*> devices_;  // each once
};

}  // namespace sillok::broker
