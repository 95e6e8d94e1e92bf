// What topics are called, and how they come to their ids.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/uuid.h"

namespace sillok::broker {

// Kafka keeps its own metadata in a folder of this name.
inline constexpr std::string_view kKafkaMetadataTopic = "__cluster_metadata";

// Two topics must not have the same collision name: '.' and '_' were one in Kafka's metric names.
std::string collision_name(std::string_view name);
// Whether the name has either.
bool may_collide(std::string_view name);

TopicId new_topic_id();

}  // namespace sillok::broker
