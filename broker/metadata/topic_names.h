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

// Of a topic of which nothing but the folders is known. One of Kafka's own gets what Kafka sets when it makes
// it, as far as that says how long records are kept; any other one keeps all, since nobody knows for how long
// they were to be kept.
std::map<std::string, std::string> adopted_topic_configs(std::string_view name);

}  // namespace sillok::broker
