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
                 Whereabouts where) {
  std::vector<std::int32_t> brokers;
  for (const BrokerId broker : partition.replicas) brokers.push_back(broker.value);
  const std::string name = fmt::format("{}-{}", topic, index);
  switch (where) {
    case Whereabouts::other_broker:
      return fmt::format("{} is on broker {}", name, fmt::join(brokers, ", "));
    case Whereabouts::other_directory:
      return fmt::format("{} is in another log directory of this broker", name);
    default:
      return fmt::format("{} is here but was not in sync, on brokers {}", name, fmt::join(brokers, ", "));
  }
}

}  // namespace

void Topics::take_over(std::unique_ptr<KafkaTakeover> takeover) { takeover_ = std::move(takeover); }

Result<void> Topics::add_kafka_topics(Loading& loading) {
  if (!takeover_) return {};
  loading.removed_by_kafka = takeover_->metadata.removed_topics;
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
  follow_kafka_deletions(loading);
  loading.taken_over.puts.push_back(kafka_state_put(takeover_->state));
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
  const auto is_here = [&](std::int32_t index) {
    const auto folder = loading.folder_ids.find({topic.name, index});
    return folder != loading.folder_ids.end() && (folder->second.is_zero() || folder->second == topic.id);
  };
  std::set<std::int32_t> elsewhere;
  for (const auto& [index, partition] : topic.partitions) {
    const Whereabouts where = whereabouts(partition, takeover_->node_id, takeover_->directory_id);
    loading.leader_epochs[{topic.name, index}] = partition.leader_epoch;
    if (where == Whereabouts::here) continue;
    if (!is_here(index) && where != Whereabouts::behind) elsewhere.insert(index);
    incomplete.push_back(tell(topic.name, index, partition, where));
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
    if (!is_here(count)) elsewhere.insert(count);
  }
  auto image = TRY(image_of(topic.name, topic.id, count, sound_configs(topic, loading.notes)));
  const bool is_same =
      is_known && known->second->partition_count == count && known->second->configs == image->configs;
  if (!is_same) {
    loading.taken_over.puts.push_back(
        {topic_key(topic.name), encode(TopicRecord{topic.id, count, image->configs})});
    loading.notes.push_back(
        fmt::format("took topic {} over from Kafka, with {} partitions, {} configs and id {}", topic.name,
                    count, image->configs.size(), topic.id.to_string()));
  }
  if (!elsewhere.empty()) loading.taken_over.puts.push_back(elsewhere_put(topic.id, elsewhere));
  loading.elsewhere[topic.id].insert(elsewhere.begin(), elsewhere.end());
  loading.topics[topic.name] = std::move(image);
  return {};
}

// Topics of ours that Kafka does not know, after it ran here. What it deleted is gone. The others were made
// here, or it is not told any more that they were deleted: Kafka has put their folders aside, and they are
// waited for.
void Topics::follow_kafka_deletions(Loading& loading) {
  std::erase_if(loading.topics, [&](const auto& entry) {
    const auto& [name, topic] = entry;
    if (takeover_->metadata.topics.contains(topic->id)) return false;
    if (takeover_->metadata.removed_topics.contains(topic->id)) {
      loading.taken_over.deletes.push_back(topic_key(name));
      loading.notes.push_back(fmt::format("topic {} was deleted in Kafka, so it is here", name));
      return true;
    }
    std::set<std::int32_t>& elsewhere = loading.elsewhere[topic->id];
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
      if (!loading.folder_ids.contains({name, i})) elsewhere.insert(i);
    }
    if (!elsewhere.empty()) loading.taken_over.puts.push_back(elsewhere_put(topic->id, elsewhere));
    return false;
  });
}

// Last, so that a crash on the way finds all of it to be done again.
Result<void> Topics::record_takeover(Loading& loading) {
  if (!takeover_) return {};
  const auto skipped = skip_producer_ids_after(store_, takeover_->metadata.next_producer_id);
  if (!skipped.ok()) return skipped;
  const auto recorded = store_.txn(loading.taken_over);
  if (!recorded.ok()) return recorded.error();
  takeover_.reset();
  return {};
}

}  // namespace sillok::broker
