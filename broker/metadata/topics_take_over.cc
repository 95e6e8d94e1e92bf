// The start, where Apache Kafka ran on the log directory: its topics become ours, with their ids, configs and
// partition counts.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/topic_names.h"
#include "broker/metadata/topics_loading.h"
#include "broker/producer_ids.h"

namespace sillok::broker {
namespace {

constexpr std::size_t kIncompleteTold = 10;

// The partitions of a topic without a gap, or not a topic that can be here.
std::optional<std::string> fault_of(const KafkaTopic& topic) {
  if (auto fault = topic_name_fault(topic.name)) return fault;
  if (topic.name == kKafkaMetadataTopic) return "the name is Kafka's own metadata's";
  const std::size_t count = topic.partitions.size();
  if (count == 0) return "it has no partitions";
  if (count > static_cast<std::size_t>(kPartitionsPerTopicMax)) {
    return fmt::format("it has {} partitions, more than {}", count, kPartitionsPerTopicMax);
  }
  if (topic.partitions.rbegin()->first + 1 != static_cast<std::int32_t>(count)) return "it lacks partitions";
  return std::nullopt;
}

std::string tell(const std::string& topic, std::int32_t index, const KafkaPartition& partition,
                 Whereabouts where, std::string_view presence) {
  std::vector<std::int32_t> brokers;
  for (const BrokerId broker : partition.replicas) brokers.push_back(broker.value);
  const std::string name = fmt::format("{}-{}", topic, index);
  switch (where) {
    case Whereabouts::other_broker:
      return fmt::format("{} is on broker {}", name, fmt::join(brokers, ", "));
    case Whereabouts::other_directory:
      return fmt::format("{} is in another log directory of this broker", name);
    default:
      return fmt::format("{} is {} but was not in sync, on brokers {}", name, presence,
                         fmt::join(brokers, ", "));
  }
}

}  // namespace

void Topics::take_over(std::unique_ptr<KafkaTakeover> takeover, WhenServed when_served) {
  takeover_ = std::move(takeover);
  when_served_ = std::move(when_served);
}

// Whether the folders of that name are of Kafka's topic and none is of ours.
bool Topics::has_taken_place(const Loading& loading, const KafkaTopic& kafkas, const TopicImage& ours) {
  bool has_folder = false;
  for (auto folder = loading.folder_ids.lower_bound({ours.name, 0});
       folder != loading.folder_ids.end() && folder->first.first == ours.name; ++folder) {
    if (folder->second.is_zero() || folder->second == ours.id) return false;
    has_folder = has_folder || folder->second == kafkas.id;
  }
  return has_folder;
}

Result<void> Topics::add_kafka_topics(Loading& loading) {
  if (!takeover_) return {};
  loading.removed.insert(takeover_->metadata.removed_topics.begin(),
                         takeover_->metadata.removed_topics.end());
  follow_kafka_deletions(loading);
  std::map<std::string, const KafkaTopic*> by_name;
  for (const auto& [id, topic] : takeover_->metadata.topics) by_name[topic.name] = &topic;
  std::vector<std::string> incomplete;
  for (const auto& [name, topic] : by_name) {
    const auto known = loading.topics.find(name);
    const bool is_other = known != loading.topics.end() && known->second->id != topic->id;
    const bool is_unfinished = loading.unfinished.contains(topic->id);
    std::optional<std::string> fault = fault_of(*topic);
    if (is_other) fault = "there is another topic of that name, with another id";
    if (is_unfinished) fault = "its creation or deletion is under way";
    if (fault) {
      loading.notes.push_back(
          fmt::format("Kafka's topic {} (id {}) is not taken over: {}", name, topic->id.to_string(), *fault));
      continue;
    }
    const auto added = add_kafka_topic(loading, *topic, incomplete);
    if (!added.ok()) return added;
  }
  if (incomplete.empty() || config_.adopt_incomplete_topics) return {};
  const std::size_t count = incomplete.size();
  incomplete.resize(std::min(count, kIncompleteTold));
  return Error{
      Errc::invalid_config,
      fmt::format("Kafka's topics are not complete in this log directory; of {} partitions: {}. Let Kafka "
                  "move them to broker {} first (kafka-reassign-partitions), or set "
                  "sillok.adopt.incomplete.topics=true: then those that are missing are offline, and those "
                  "that were not in sync are served as they are",
                  count, fmt::join(incomplete, "; "), takeover_->node_id.value)};
}

Result<void> Topics::add_kafka_topic(Loading& loading, const KafkaTopic& topic,
                                     std::vector<std::string>& incomplete) {
  std::set<std::int32_t> elsewhere;
  for (const auto& [index, partition] : topic.partitions) {
    Whereabouts where = whereabouts(partition, takeover_->node_id, takeover_->directory_id);
    for (const Uuid& other : takeover_->other_directory_ids) {
      if (where == Whereabouts::other_directory) where = whereabouts(partition, takeover_->node_id, other);
    }
    loading.leader_epochs[{topic.name, index}] = partition.leader_epoch;
    if (where == Whereabouts::here) continue;
    const bool is_here = loading.is_here(topic.name, index, topic.id);
    if (!is_here) elsewhere.insert(index);
    incomplete.push_back(tell(topic.name, index, partition, where, is_here ? "here" : "to be here"));
  }
  const auto known = loading.topics.find(topic.name);
  const bool is_known = known != loading.topics.end();
  if (!is_known && elsewhere.size() == topic.partitions.size()) {
    loading.notes.push_back(
        fmt::format("Kafka's topic {} is not taken over: none of it is here", topic.name));
    return {};
  }
  auto count = static_cast<std::int32_t>(topic.partitions.size());
  // Partitions that were added here, and that Kafka has put aside, are waited for.
  for (; is_known && count < known->second->partition_count; ++count) {
    if (!loading.is_here(topic.name, count, topic.id)) elsewhere.insert(count);
  }
  auto image = TRY(image_of(topic.name, topic.id, count, sound_configs(topic, loading.notes)));
  const bool is_same =
      is_known && known->second->partition_count == count && known->second->configs == image->configs;
  if (!is_same) {
    loading.to_record[topic_key(topic.name)] = encode(TopicRecord{topic.id, count, image->configs});
    loading.notes.push_back(
        fmt::format("took topic {} over from Kafka, with {} partitions, {} configs and id {}", topic.name,
                    count, image->configs.size(), topic.id.to_string()));
  }
  if (!elsewhere.empty()) loading.elsewhere[topic.id].merge(elsewhere);
  loading.topics[topic.name] = std::move(image);
  return {};
}

// Topics of ours that Kafka does not know, after it ran here. What it deleted is gone, and so is what gave
// its name to a topic of Kafka's. The others were made here, or it is not told any more that they were
// deleted: Kafka has put their folders aside, and they are waited for.
void Topics::follow_kafka_deletions(Loading& loading) {
  const KafkaMetadata& kafkas = takeover_->metadata;
  std::unordered_map<std::string_view, const KafkaTopic*> by_name;
  for (const auto& [id, topic] : kafkas.topics) by_name[topic.name] = &topic;
  std::erase_if(loading.topics, [&](const auto& entry) {
    const auto& [name, topic] = entry;
    if (kafkas.topics.contains(topic->id)) return false;
    const auto same_name = by_name.find(name);
    const bool is_deleted = kafkas.removed_topics.contains(topic->id);
    if (is_deleted || (same_name != by_name.end() && has_taken_place(loading, *same_name->second, *topic))) {
      loading.to_record[topic_key(name)] = std::nullopt;
      loading.elsewhere.erase(topic->id);
      loading.notes.push_back(
          is_deleted
              ? fmt::format("topic {} (id {}) was deleted in Kafka, so it is here", name,
                            topic->id.to_string())
              : fmt::format("topic {} (id {}) has given its name to another of Kafka's, whose folders are "
                            "here, while it has none",
                            name, topic->id.to_string()));
      return true;
    }
    std::set<std::int32_t> away;
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
      if (!loading.is_here(name, i, topic->id)) away.insert(i);
    }
    if (!away.empty()) loading.elsewhere[topic->id].merge(away);
    return false;
  });
}

// Once all topics are served.
Result<void> Topics::end_takeover(Loading& loading) {
  if (!takeover_) return {};
  if (when_served_) {
    const auto followed = when_served_(takeover_->metadata, loading.notes);
    if (!followed.ok()) return followed;
  }
  const auto skipped = skip_producer_ids_after(store_, takeover_->metadata.next_producer_id);
  if (!skipped.ok()) return skipped;
  loading.to_record[std::string(kKafkaMetadataKey)] = encode_kafka_state(takeover_->state);
  takeover_.reset();
  return {};
}

}  // namespace sillok::broker
