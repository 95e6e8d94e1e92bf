// Retention that is finer than Kafka's, for topics that switch it on: records go at their time, whatever
// segment they are in (sillok.retention.bound.ms), and a topic has one budget for all its partitions
// (sillok.retention.topic.bytes).
//
// Records go from the start of a log only. One with an old timestamp that was appended after younger ones
// goes with them; message.timestamp.before.max.ms bounds how old it can be.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "broker/partition.h"
#include "protocol/base/ids.h"

namespace sillok::broker {

// A segment of a topic with a budget is closed at this part of what is a partition's share of it, so that
// what is deleted at a time is little.
inline constexpr ByteCount kBudgetParts = 4;
// But not below this size: a budget of less for a partition is not kept to.
inline constexpr ByteCount kBudgetSegmentBytesMin = 1 << 20;

bool has_fine_retention(const storage::LogConfig& config);

// One pass over these partitions, of any topics. Moves their logs' starts; the segments below go at once.
// Faults are logged. May block.
void apply_fine_retention(std::span<const std::shared_ptr<Partition>> partitions, TimestampMs now);

}  // namespace sillok::broker
