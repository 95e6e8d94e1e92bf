#include "broker/durability_round.h"

#include <algorithm>

#include "broker/device.h"
#include "protocol/base/check.h"

namespace sillok::broker {
namespace {

thread_local DurabilityRound* current_round = nullptr;

}  // namespace

DurabilityRound::Scope::Scope(DurabilityRound& round) {
  CHECK(current_round == nullptr);
  current_round = &round;
}

DurabilityRound::Scope::~Scope() { current_round = nullptr; }

DurabilityRound* DurabilityRound::current() { return current_round; }

std::vector<DurabilityRound::Targets>::iterator DurabilityRound::targets_of(Device& device) {
  const auto found = std::ranges::find(devices_, &device, &Targets::device);
  return found != devices_.end() ? found : devices_.insert(devices_.end(), {&device, {}});
}

void DurabilityRound::add(Device& device, std::shared_ptr<storage::JournalTarget> target) {
  targets_of(device)->targets.push_back(std::move(target));
  if (std::exchange(is_asked_for_, true)) return;
  ask_for_end_();
}

void DurabilityRound::end() {
  is_asked_for_ = false;
  for (Targets& one : devices_) {
    if (one.targets.empty()) continue;
    one.device->request_durability(one.targets);
    one.targets.clear();
  }
}

}  // namespace sillok::broker
