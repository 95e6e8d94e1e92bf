// Changes of topics that exist: more partitions, other configs.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topics.h"
#include "broker/rate_limited_log.h"
#include "broker/topic_config.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;

TopicOutcome refused(ErrorCode error, std::string message) { return {error, std::move(message), nullptr}; }

TopicOutcome unknown(std::string_view name) {
  return refused(ErrorCode::unknown_topic_or_partition, fmt::format("The topic '{}' does not exist.", name));
}

std::string record_of(const TopicImage& topic) {
  return encode(TopicRecord{topic.id, topic.partition_count, topic.configs});
}

class TopicKind final : public ConfigKind {
 public:
  explicit TopicKind(const storage::LogConfig& defaults) : defaults_(defaults) {}

  bool is_list(std::string_view name) const override {
    const TopicConfig* config = find_topic_config(name);
    return config != nullptr && config->rule.type == ValueType::list;
  }
  std::string inherited(std::string_view name) const override {
    const TopicConfig* config = find_topic_config(name);
    if (config == nullptr) return "";
    return config->text != nullptr ? config->text(defaults_) : std::string(config->kept_default);
  }

 private:
  const storage::LogConfig& defaults_;
};

// Only what is set now is judged: an older version may have let through what this one does not.
Configs set_by(const ConfigChanges& changes, const Configs& after) {
  Configs set;
  for (const ConfigChange& change : changes.changes) {
    const auto found = after.find(change.name);
    if (found != after.end()) set.insert(*found);
  }
  return set;
}

}  // namespace

// Replaces the topic's record, if it still is what we think.
Result<void> Topics::record(const TopicImage& before, const TopicImage& after) {
  const std::string key = topic_key(before.name);
  if (!TRY(store_.txn({{{key, record_of(before)}}, {{key, record_of(after)}}, {}}))) {
    return Error{Errc::already_exists, "another broker changed the topic meanwhile"};
  }
  return {};
}

TopicOutcome Topics::add_partitions(std::string_view name, std::int32_t partition_count,
                                    ValidateOnly validate_only) {
  const auto image = this->image();
  const TopicImage* before = image->find(name);
  if (before == nullptr) return unknown(name);
  const std::int32_t now = before->partition_count;
  if (partition_count <= now) {
    return refused(
        ErrorCode::invalid_partitions,
        partition_count == now
            ? fmt::format("Topic already has {} partition(s).", now)
            : fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.", name,
                          now, partition_count));
  }
  if (partition_count > kPartitionsPerTopicMax) {
    return refused(ErrorCode::invalid_partitions, fmt::format("a topic has 1 to {} partitions, not {}",
                                                              kPartitionsPerTopicMax, partition_count));
  }
  if (image->partition_count() + static_cast<std::size_t>(partition_count - now) > kPartitionsMax) {
    return refused(ErrorCode::policy_violation,
                   fmt::format("this broker holds at most {} partitions", kPartitionsMax));
  }
  if (const auto fault = host_.placement_fault())
    return refused(ErrorCode::invalid_replication_factor, *fault);
  const auto in_the_way = left_alone_.lower_bound({before->name, now});
  if (in_the_way != left_alone_.end() && in_the_way->first == name && in_the_way->second < partition_count) {
    return refused(ErrorCode::kafka_storage_error,
                   fmt::format("the log directory has a folder {}-{} that belongs to something else", name,
                               in_the_way->second));
  }
  auto after = std::make_shared<TopicImage>(*before);
  after->partition_count = partition_count;
  if (validate_only == ValidateOnly::yes) return {ErrorCode::none, "", std::move(after)};
  // The record comes first: what a crash keeps from being made, the next start finds missing.
  if (const auto recorded = record(*before, *after); !recorded.ok()) {
    return refused(ErrorCode::kafka_storage_error, recorded.error().describe());
  }
  if (const auto made = make_partitions(*after, now); !made.ok()) {
    if (const auto undone = record(*after, *before); !undone.ok()) {
      spdlog::error(
          "topic {} is recorded with {} partitions, of which those from {} on could not be made, and are "
          "offline until the next start: {}",
          name, partition_count, now, undone.error().describe());
      publish(image->with({after}));
    }
    return refused(ErrorCode::kafka_storage_error, made.error().describe());
  }
  if (const auto placed = update_placement(after->id, placement_of(*after)); !placed.ok())
    spdlog::warn("topic {}: where its partitions are is not recorded: {}", name, placed.error().describe());
  spdlog::info("topic {} has {} partitions now, {} before", name, partition_count, now);
  publish(image->with({after}));
  return {ErrorCode::none, "", std::move(after)};
}

// All of those from `first` on, or none.
Result<void> Topics::make_partitions(const TopicImage& topic, std::int32_t first) {
  std::vector<PartitionHost::Opening> openings;
  for (std::int32_t i = first; i < topic.partition_count; ++i) {
    openings.push_back({topic.name, PartitionIndex(i), topic.id, topic.log_config});
  }
  const auto created = host_.create(openings);
  if (created.ok()) return created;
  // Only what has the topic's id goes: a folder that was in the way is not ours.
  const auto found = host_.find();
  if (!found.ok()) return created;
  for (const PartitionHost::Found& folder : *found) {
    const bool is_new = folder.topic == topic.name && folder.partition.value >= first;
    if (is_new && folder.topic_id == topic.id)
      (void)host_.remove_folder(folder.topic, folder.partition, topic.id).ok();
  }
  return created;
}

void Topics::configure(const TopicImage& topic) {
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    host_.set_config(topic.name, PartitionIndex(i), topic.log_config);
  }
}

TopicOutcome Topics::alter_configs(std::string_view name, const ConfigChanges& changes,
                                   ValidateOnly validate_only) {
  const auto image = this->image();
  const TopicImage* before = image->find(name);
  auto after = before != nullptr ? std::make_shared<TopicImage>(*before) : std::make_shared<TopicImage>();
  if (auto fault = apply_changes(changes, TopicKind(defaults_), after->configs)) {
    return refused(fault->error, std::move(fault->message));
  }
  // Kafka tells faults of the changes first, then those of the name and of the values, and only then that
  // there is no such topic.
  if (name.empty()) return refused(ErrorCode::invalid_request, "Default topic resources are not allowed.");
  if (auto fault = topic_name_fault(name))
    return refused(ErrorCode::invalid_topic_exception, *std::move(fault));
  if (auto fault = topic_values_fault(set_by(changes, after->configs))) {
    return refused(ErrorCode::invalid_config, *std::move(fault));
  }
  after->log_config = resolve_log_config(defaults_, after->configs);
  if (auto fault = topic_configs_conflict(after->log_config)) {
    return refused(ErrorCode::invalid_config, *std::move(fault));
  }
  if (before == nullptr) return unknown(name);
  if (validate_only == ValidateOnly::yes || after->configs == before->configs) {
    return {ErrorCode::none, "", std::move(after)};
  }
  if (const auto done = record(*before, *after); !done.ok()) {
    return refused(ErrorCode::kafka_storage_error, done.error().describe());
  }
  log_configs(*after, before->configs);
  publish(image->with({after}));
  configure(*after);
  return {ErrorCode::none, "", std::move(after)};
}

// What is other than before.
void Topics::log_configs(const TopicImage& topic, const Configs& before) {
  for (const auto& [name, value] : topic.configs) {
    const auto earlier = before.find(name);
    if (earlier != before.end() && earlier->second == value) continue;
    const TopicConfig* const config = find_topic_config(name);
    const bool has_effect = config == nullptr || config->has_effect;
    spdlog::info("topic {}: {} is {}{}", topic.name, name, escape_for_log(value),
                 has_effect ? "" : ", which has no effect here");
  }
  for (const auto& [name, value] : before) {
    if (!topic.configs.contains(name)) spdlog::info("topic {}: {} is the broker's again", topic.name, name);
  }
}

void Topics::set_defaults(const storage::LogConfig& defaults) {
  defaults_ = defaults;
  const auto before = image();
  std::vector<TopicPointer> changed;
  for (const auto& [name, topic] : before->topics()) {
    const storage::LogConfig resolved = resolve_log_config(defaults_, topic->configs);
    if (resolved == topic->log_config) continue;
    auto after = std::make_shared<TopicImage>(*topic);
    after->log_config = resolved;
    configure(*after);
    changed.push_back(std::move(after));
  }
  if (!changed.empty()) publish(before->with(std::move(changed)));
}

}  // namespace sillok::broker
