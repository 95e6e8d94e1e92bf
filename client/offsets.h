// Where a partition begins and ends, and which offset belongs to a time.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "client/cluster.h"

namespace sillok::client {

// What a ListOffsets request asks for in place of a time.
inline constexpr TimestampMs kEndOfPartition = -1;
inline constexpr TimestampMs kBeginningOfPartition = -2;

struct OffsetResult {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset offset{-1};  // -1: no record is as late as the time asked for
  TimestampMs timestamp = kNoTimestamp;
};
using Offsets = std::map<TopicPartition, OffsetResult>;

// Asks the leaders that the cluster's metadata names; a partition without one gets the error
// leader_not_available. A broker that cannot be asked fails the whole call.
void list_offsets(Cluster& cluster, const std::vector<TopicPartition>& partitions, TimestampMs time,
                  std::function<void(Result<Offsets>)> done);

}  // namespace sillok::client
