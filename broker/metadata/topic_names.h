// What topics are called, and how they come to their ids.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "protocol/base/uuid.h"
#include "storage/partition_folder.h"

namespace sillok::broker {

using storage::kKafkaMetadataTopic;

// Two topics must not have the same collision name: '.' and '_' were one in Kafka's metric names.
std::string collision_name(std::string_view name);
// Whether the name has either.
bool may_collide(std::string_view name);

TopicId new_topic_id();

// What Kafka sets on a topic of its own when it makes it, as far as it says how long records are kept: none
// for other names.
std::map<std::string, std::string> internal_topic_configs(std::string_view name);

}  // namespace sillok::broker
