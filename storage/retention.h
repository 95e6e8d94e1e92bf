// Which segments of a log are over: Kafka's retention by time, by size and by log start.
#pragma once

#include <cstddef>
#include <span>

#include "protocol/base/ids.h"
#include "storage/log.h"
#include "storage/log_config.h"

namespace sillok::storage {

struct RetentionBounds {
  TimestampMs now = 0;
  Offset log_start;
  Offset high_watermark;  // what reaches past it stays
};

// How many of the segments, the oldest first, are over. All of them, the active one included, may be; but an
// empty active one never is. Without "delete" in cleanup.policy only what lies below the log start goes.
std::size_t expired_prefix(std::span<const SegmentAge> segments, const LogConfig& config,
                           const RetentionBounds& bounds);

}  // namespace sillok::storage
