#include "client/metadata_cache.h"

#include <algorithm>

#include "protocol/base/unix_address.h"
#include "protocol/messages/metadata.h"

namespace sillok::client {

TopicInfo MetadataCache::convert(const protocol::MetadataTopic& from) {
  TopicInfo topic;
  topic.error = from.error_code;
  topic.name = from.name.value_or("");
  topic.id = from.topic_id;
  topic.is_internal = from.is_internal;
  for (const auto& partition : from.partitions) {
    const auto index = static_cast<std::size_t>(partition.index.value);
    if (partition.index.value < 0 || index >= kPartitionsMax || index >= from.partitions.size()) continue;
    if (topic.partitions.size() <= index) topic.partitions.resize(from.partitions.size());
    topic.partitions[index] = {partition.error_code,   partition.index,         partition.leader_id,
                               partition.leader_epoch, partition.replica_nodes, partition.isr_nodes};
  }
  return topic;
}

void MetadataCache::update(const protocol::MetadataResponse& response, const Endpoint& asked) {
  brokers_.clear();
  for (const auto& broker : response.brokers) {
    if (is_unix_address(broker.host)) {
      if (asked.is_unix()) brokers_[broker.node_id] = asked;
      continue;
    }
    if (broker.port <= 0 || broker.port > 0xffff) continue;
    brokers_[broker.node_id] = {std::string(broker.host), static_cast<std::uint16_t>(broker.port)};
  }
  for (const auto& from : response.topics) {
    TopicInfo topic = convert(from);
    if (topic.name.empty()) continue;
    const auto known = topics_.find(topic.name);
    if (known != topics_.end() && known->second.id == topic.id) {
      const std::size_t both = std::min(known->second.partitions.size(), topic.partitions.size());
      for (std::size_t i = 0; i < both; ++i) {
        const PartitionInfo& old = known->second.partitions[i];
        if (old.leader_epoch > topic.partitions[i].leader_epoch) topic.partitions[i] = old;
      }
    }
    topics_[topic.name] = std::move(topic);
  }
}

void MetadataCache::forget(std::string_view topic) {
  if (const auto found = topics_.find(topic); found != topics_.end()) topics_.erase(found);
}

const TopicInfo* MetadataCache::topic(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

std::optional<BrokerId> MetadataCache::leader(std::string_view name, PartitionIndex partition) const {
  const TopicInfo* info = topic(name);
  const auto index = static_cast<std::size_t>(partition.value);
  if (info == nullptr || partition.value < 0 || index >= info->partitions.size()) return std::nullopt;
  const BrokerId leader = info->partitions[index].leader;
  if (leader.value < 0 || brokers_.find(leader) == brokers_.end()) return std::nullopt;
  return leader;
}

}  // namespace sillok::client
