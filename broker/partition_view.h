// What metadata answers say about partitions, without knowing logs.
#pragma once

#include <string_view>

#include "protocol/base/ids.h"

namespace sillok::broker {

// Threading: any thread, without blocking.
class PartitionsView {
 public:
  virtual ~PartitionsView() = default;

  struct State {
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    bool is_online = false;  // false too where the partition is not there
  };
  virtual State state(std::string_view topic, PartitionIndex partition) const = 0;
};

}  // namespace sillok::broker
