// Kafka's text checkpoints: one offset for each partition of a log directory. Layout: storage/FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kRecoveryPointCheckpointName = "recovery-point-offset-checkpoint";
inline constexpr std::string_view kLogStartCheckpointName = "log-start-offset-checkpoint";
inline constexpr std::string_view kHighWatermarkCheckpointName = "replication-offset-checkpoint";
inline constexpr ByteCount kCheckpointFileSizeMax = 64 << 20;

struct PartitionOffset {
  std::string topic;
  PartitionIndex partition;
  Offset offset;
  friend auto operator<=>(const PartitionOffset&, const PartitionOffset&) = default;
};

std::string serialize_offset_checkpoint(std::span<const PartitionOffset> entries);
// Errc::malformed, naming the line, or unsupported_version. In the order of the file; each partition once.
Result<std::vector<PartitionOffset>> parse_offset_checkpoint(std::string_view text);

// Empty where the file is missing.
Result<std::vector<PartitionOffset>> read_offset_checkpoint(FileSystem& file_system, const std::string& path);
// Durability: the new content is on disk when it returns; a crash leaves the old or the new one.
Result<void> write_offset_checkpoint(FileSystem& file_system, const std::string& path,
                                     std::span<const PartitionOffset> entries);

// What all of Kafka's checkpoints share: the version 0, a count, and that many lines. Returns the lines; they
// view `text`. Lines of the file are counted from 1, so line i of the result is line i + 3.
Result<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text);
inline constexpr std::size_t kCheckpointFirstLine = 3;
std::string checkpoint_preamble(std::size_t count);

}  // namespace sillok::storage
