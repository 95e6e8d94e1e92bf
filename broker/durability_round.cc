#include "broker/durability_round.h"

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

void DurabilityRound::add(Device& device, std::shared_ptr<storage::JournalTarget> target) {
  if (device_ != &device) end();
  device_ = &device;
  targets_.push_back(std::move(target));
  if (targets_.size() == 1) ask_for_end_();
}

void DurabilityRound::end() {
  if (targets_.empty()) return;
  device_->request_durability(targets_);
  targets_.clear();
}

}  // namespace sillok::broker
