// How the topics' bookkeeping makes and ends partitions, without knowing logs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/log_config.h"

namespace sillok::broker {

// Threading: one thread at a time (the control executor, or the start of the process). May block.
class PartitionHost {
 public:
  virtual ~PartitionHost() = default;

  struct Found {
    std::string topic;
    PartitionIndex partition;
    TopicId topic_id;  // all zero where the folder does not say
  };
  // The partition folders that are there.
  virtual Result<std::vector<Found>> find() = 0;
  // Opens what find() named, on several threads. A partition that cannot be opened is offline, which is no
  // error here.
  struct Opening {
    std::string topic;
    PartitionIndex partition;
    TopicId topic_id;
    storage::LogConfig config;
    // It is led with this epoch, or a later one: what another broker may have told clients of it.
    LeaderEpoch leader_epoch_min{0};
  };
  virtual Result<void> open(const std::vector<Opening>& partitions) = 0;
  // Makes the folder and its log, durably, and serves it. Several at once, so that their syncs can be shared.
  virtual Result<void> create(const std::vector<Opening>& partitions) = 0;
  // Serves it no more: what waits in it is answered with UNKNOWN_TOPIC_OR_PARTITION; the folder is renamed
  // durably and removed after file.delete.delay.ms. Also of a folder that find() named and that was never
  // opened. Errc::not_found where there is no folder.
  virtual Result<void> remove(const std::string& topic, PartitionIndex partition) = 0;
  virtual void set_config(const std::string& topic, PartitionIndex partition,
                          const storage::LogConfig& config) = 0;
};

}  // namespace sillok::broker
