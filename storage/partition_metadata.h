// `partition.metadata`: which topic a partition folder belongs to, whatever its name says. Layout:
// storage/FORMAT.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kPartitionMetadataName = "partition.metadata";

std::string serialize_partition_metadata(const TopicId& topic_id);
// Errc::malformed or unsupported_version. Never a zero id.
Result<TopicId> parse_partition_metadata(std::string_view text);

// nullopt where the file is missing.
Result<std::optional<TopicId>> read_partition_metadata(FileSystem& file_system, const std::string& directory);
// Durability: on disk when it returns.
Result<void> write_partition_metadata(FileSystem& file_system, const std::string& directory,
                                      const TopicId& topic_id);

}  // namespace sillok::storage
