// From where on each log of a directory must be scanned after an unclean stop. Kafka's own checkpoint has
// only the offset; this sidecar has what else belongs to it. Layout: storage/FORMAT.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kRecoveryPointsName = "sillok-recovery-points";
inline constexpr ByteCount kRecoveryPointsFileSizeMax = 256 << 20;

// The entries of an index that were durable with the point, and the checksum of their bytes.
struct IndexPrefix {
  std::int32_t entry_count = 0;
  std::uint32_t crc = 0;  // CRC-32C
  friend bool operator==(const IndexPrefix&, const IndexPrefix&) = default;
};

// Everything below is durable, and was checked: damage there is corruption, and never a torn tail.
struct RecoveryPoint {
  Offset offset;                              // the first that is not covered
  Offset segment_base;                        // of the segment with `position`
  FilePosition position;                      // a batch boundary in its .log
  LeaderEpoch leader_epoch = kNoLeaderEpoch;  // of the batch before it
  IndexPrefix offset_index;                   // of that segment
  IndexPrefix time_index;
  friend bool operator==(const RecoveryPoint&, const RecoveryPoint&) = default;
};

struct PartitionRecoveryPoint {
  std::string topic;
  PartitionIndex partition;
  TopicId topic_id;  // another topic may come to have the name; all zero where the folder does not say
  RecoveryPoint point;
  friend bool operator==(const PartitionRecoveryPoint&, const PartitionRecoveryPoint&) = default;
};

Bytes serialize_recovery_points(std::span<const PartitionRecoveryPoint> points);
// Errc::corrupt, or unsupported_version, for the file as a whole: the caller then takes 0 for every
// partition.
Result<std::vector<PartitionRecoveryPoint>> parse_recovery_points(ByteView file);

// Empty where the file is missing.
Result<std::vector<PartitionRecoveryPoint>> read_recovery_points(FileSystem& file_system,
                                                                 const std::string& directory);
// Durability: on disk when it returns. Requires: what the points cover is durable already.
Result<void> write_recovery_points(FileSystem& file_system, const std::string& directory,
                                   std::span<const PartitionRecoveryPoint> points);

}  // namespace sillok::storage
