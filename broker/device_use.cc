#include "broker/device_use.h"

#include <algorithm>

#include "broker/device.h"
#include "protocol/base/check.h"

namespace sillok::broker {
namespace {

thread_local DeviceUse* current_use = nullptr;
// Kept from one request to the next.
thread_local std::vector<Device*> spare_list;

}  // namespace

DeviceUse::DeviceUse() : devices_(std::move(spare_list)) {
  CHECK(current_use == nullptr);
  devices_.clear();
  current_use = this;
}

DeviceUse::~DeviceUse() {
  current_use = nullptr;
  spare_list = std::move(devices_);
}

void DeviceUse::note(Device& device) {
  if (current_use == nullptr) return;
  std::vector<Device*>& devices = current_use->devices_;
  if (std::ranges::find(devices, &device) == devices.end()) devices.push_back(&device);
}

Device* DeviceUse::congested() const {
  const auto found = std::ranges::find_if(devices_, [](Device* one) { return one->is_congested(); });
  return found == devices_.end() ? nullptr : *found;
}

}  // namespace sillok::broker
