// Names of the folders in a log directory, which are Kafka's: "orders-3", and for a deleted one
// "orders-3.<32 hex digits>-delete", for one that is still copied from another log directory
// "orders-3.<32 hex digits>-future".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/log_dir.h"

namespace sillok::storage {

inline constexpr std::size_t kTopicNameSizeMax = 249;
// Kafka keeps its own metadata in partition 0 of this name.
inline constexpr std::string_view kKafkaMetadataTopic = "__cluster_metadata";

std::string partition_folder_name(const TopicPartition& name);

// `unique` tells apart the deletions of partitions with the same name. The topic is shortened where the whole
// would be no file name any more.
std::string deleted_folder_name(const TopicPartition& name, const std::array<std::uint8_t, 16>& unique);
bool is_deleted_folder(std::string_view name);

// Never shortened, since the partition must be told from it: nullopt where it would be no file name any more,
// which Kafka does not move either.
std::optional<std::string> future_folder_name(const TopicPartition& name,
                                              const std::array<std::uint8_t, 16>& unique);
// nullopt for all other names.
std::optional<TopicPartition> parse_future_folder(std::string_view name);

// parse_partition_folder() is in log_dir.h.

}  // namespace sillok::storage
