#include "broker/metadata/topics.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topic_names.h"
#include "broker/topic_config.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;

TopicOutcome refused(ErrorCode error, std::string message) { return {error, std::move(message), nullptr}; }

std::vector<PartitionHost::Opening> all_partitions(const TopicImage& topic) {
  std::vector<PartitionHost::Opening> openings;
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    openings.push_back({topic.name, PartitionIndex(i), topic.id, topic.log_config});
  }
  return openings;
}

std::string unfinished(const TopicImage& topic, UnfinishedRecord::Work work) {
  return encode(UnfinishedRecord{topic.name, topic.partition_count, topic.configs, work});
}

}  // namespace

Topics::Topics(const Config& config, MetadataStore& store, PartitionHost& host)
    : config_(config),
      defaults_(config.log_defaults),
      store_(store),
      host_(host),
      image_(std::make_shared<MetadataImage>()) {}
Topics::~Topics() = default;

std::shared_ptr<const MetadataImage> Topics::image() const {
  const std::lock_guard lock(mutex_);
  return image_;
}

void Topics::publish(std::shared_ptr<const MetadataImage> image) {
  const std::lock_guard lock(mutex_);
  image_ = std::move(image);
}

// The existing or planned topic whose name differs only in '.' and '_'.
std::optional<std::string> Topics::colliding_name(std::string_view name, const Plan& plan) const {
  if (!may_collide(name)) return std::nullopt;
  const std::string own = collision_name(name);
  for (const CollisionNames* names : {&collision_names_, &plan.collision_names}) {
    const auto found = names->find(own);
    if (found != names->end()) return found->second;
  }
  return std::nullopt;
}

TopicOutcome Topics::validate(const NewTopic& topic, const Plan& plan) const {
  if (const auto fault = topic_name_fault(topic.name))
    return refused(ErrorCode::invalid_topic_exception, *fault);
  if (topic.name == kKafkaMetadataTopic) {
    return refused(ErrorCode::invalid_request, "the name is reserved for Apache Kafka's own metadata");
  }
  if (image_->find(topic.name) != nullptr || plan.names.contains(topic.name)) {
    return refused(ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", topic.name));
  }
  if (const auto other = colliding_name(topic.name, plan)) {
    return refused(ErrorCode::invalid_topic_exception,
                   fmt::format("topic '{}' differs from topic '{}' only in '.' and '_'", topic.name, *other));
  }
  if (topic.config_fault) return refused(topic.config_fault->error, topic.config_fault->message);
  for (const auto& [config, value] : topic.configs) {
    if (auto fault = value_size_fault(value)) return refused(fault->error, std::move(fault->message));
  }
  if (const auto fault = topic_configs_fault(topic.configs, defaults_))
    return refused(ErrorCode::invalid_config, *fault);
  if (topic.placement_fault) return refused(topic.placement_fault->error, topic.placement_fault->message);
  if (topic.replication_factor == 0 || topic.replication_factor < -1) {
    return refused(ErrorCode::invalid_replication_factor,
                   fmt::format("a replication factor of {} is not possible", topic.replication_factor));
  }
  const std::int32_t partitions =
      topic.partition_count == -1 ? config_.num_partitions : topic.partition_count;
  if (partitions < 1) {
    return refused(ErrorCode::invalid_partitions,
                   fmt::format("a topic cannot have {} partitions", partitions));
  }
  const std::int16_t replicas =
      topic.replication_factor == -1 ? config_.default_replication_factor : topic.replication_factor;
  if (replicas != 1) {
    return refused(ErrorCode::invalid_replication_factor,
                   fmt::format("a replication factor of {} is not possible: there is one broker", replicas));
  }
  if (partitions > kPartitionsPerTopicMax) {
    return refused(ErrorCode::policy_violation, fmt::format("a topic has at most {} partitions, not {}",
                                                            kPartitionsPerTopicMax, partitions));
  }
  if (plan.partition_count + static_cast<std::size_t>(partitions) > kPartitionsMax ||
      image_->topics().size() + plan.names.size() >= kTopicsMax) {
    return refused(
        ErrorCode::policy_violation,
        fmt::format("this broker holds at most {} topics and {} partitions", kTopicsMax, kPartitionsMax));
  }
  if (const auto fault = host_.placement_fault())
    return refused(ErrorCode::invalid_replication_factor, *fault);
  const auto in_the_way = left_alone_.lower_bound({topic.name, 0});
  if (in_the_way != left_alone_.end() && in_the_way->first == topic.name && in_the_way->second < partitions) {
    return refused(ErrorCode::kafka_storage_error,
                   fmt::format("the log directory has a folder {}-{} that belongs to something else",
                               topic.name, in_the_way->second));
  }
  auto image = std::make_shared<TopicImage>();
  image->name = topic.name;
  image->partition_count = partitions;
  image->configs = topic.configs;
  image->log_config = resolve_log_config(defaults_, topic.configs);
  return {ErrorCode::none, "", std::move(image)};
}

std::vector<TopicOutcome> Topics::create(const std::vector<NewTopic>& topics, ValidateOnly validate_only) {
  std::vector<TopicOutcome> outcomes;
  Plan plan;
  plan.partition_count = image_->partition_count();
  for (const NewTopic& topic : topics) {
    outcomes.push_back(validate(topic, plan));
    if (!outcomes.back().topic) continue;
    plan.names.insert(topic.name);
    if (may_collide(topic.name)) plan.collision_names[collision_name(topic.name)] = topic.name;
    plan.partition_count += static_cast<std::size_t>(outcomes.back().topic->partition_count);
  }
  if (validate_only == ValidateOnly::yes) return outcomes;
  std::vector<std::shared_ptr<TopicImage>> made;
  for (TopicOutcome& outcome : outcomes) {
    if (!outcome.topic) continue;
    auto with_id = std::make_shared<TopicImage>(*outcome.topic);
    with_id->id = new_topic_id();
    outcome.topic = with_id;
    made.push_back(std::move(with_id));
  }
  if (made.empty()) return outcomes;
  const auto done = make(made);
  if (done.ok()) return outcomes;
  for (TopicOutcome& outcome : outcomes) {
    if (outcome.topic) outcome = refused(ErrorCode::kafka_storage_error, done.error().describe());
  }
  return outcomes;
}

Result<void> Topics::make(std::vector<std::shared_ptr<TopicImage>>& topics) {
  MetadataStore::Transaction begin;
  MetadataStore::Transaction end;
  std::vector<PartitionHost::Opening> openings;
  for (const auto& topic : topics) {
    begin.puts.push_back({unfinished_key(topic->id), unfinished(*topic, UnfinishedRecord::Work::creation)});
    end.compares.push_back({topic_key(topic->name), std::nullopt});
    end.puts.push_back(
        {topic_key(topic->name), encode(TopicRecord{topic->id, topic->partition_count, topic->configs})});
    end.deletes.push_back(unfinished_key(topic->id));
    for (PartitionHost::Opening& opening : all_partitions(*topic)) openings.push_back(std::move(opening));
  }
  const auto begun = store_.txn(begin);
  if (!begun.ok()) return begun.error();
  auto created = host_.create(openings);
  if (created.ok()) {
    if (host_.are_directories_several()) {
      for (const auto& topic : topics)
        end.puts.push_back({placement_key(topic->id), encode(placement_of(*topic))});
    }
    const auto ended = store_.txn(end);
    if (!ended.ok())
      created = ended.error();
    else if (!*ended)
      created = Error{Errc::already_exists, "another broker created the topic"};
  }
  if (!created.ok()) {
    undo(topics);
    return created;
  }
  std::vector<TopicPointer> added(topics.begin(), topics.end());
  for (const auto& topic : topics) {
    if (may_collide(topic->name)) collision_names_[collision_name(topic->name)] = topic->name;
  }
  for (const auto& topic : topics) {
    spdlog::info("topic {} made, of {} partitions", topic->name, topic->partition_count);
    log_configs(*topic, {});
  }
  publish(image_->with(std::move(added)));
  return {};
}

// Best effort: what stays, the next start removes. So from here on it is a deletion. Only what has the new
// ids goes: a folder that was in the way is not ours.
void Topics::undo(const std::vector<std::shared_ptr<TopicImage>>& topics) {
  MetadataStore::Transaction turned;
  for (const auto& topic : topics) {
    turned.puts.push_back({unfinished_key(topic->id), unfinished(*topic, UnfinishedRecord::Work::deletion)});
  }
  if (!store_.txn(turned).ok()) return;
  const auto found = host_.find();
  if (!found.ok()) return;
  MetadataStore::Transaction undone;
  for (const auto& topic : topics) {
    bool is_clean = true;
    for (const PartitionHost::Found& folder : *found) {
      if (folder.topic != topic->name) continue;
      if (folder.topic_id.is_zero()) is_clean = false;  // perhaps half-made: load() must not adopt it
      if (folder.topic_id == topic->id &&
          !host_.remove_folder(folder.topic, folder.partition, topic->id).ok()) {
        is_clean = false;
      }
    }
    if (is_clean) undone.deletes.push_back(unfinished_key(topic->id));
  }
  if (!undone.deletes.empty()) (void)store_.txn(undone).ok();
}

Result<void> Topics::remove_folders(const TopicImage& topic, const PlacementRecord& before) {
  std::optional<Error> first;
  std::set<std::int32_t> left;
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    if (left_alone_.contains({topic.name, i})) {
      left.insert(i);  // its own may be in a directory that is missing
      continue;
    }
    auto removed = host_.remove_folder(topic.name, PartitionIndex(i), topic.id);
    if (removed.ok()) continue;
    if (removed.error().code == Errc::not_found) {
      left.insert(i);
    } else if (!first) {
      first = std::move(removed).error();
    }
  }
  if (first) return *std::move(first);
  for (const auto& [partition, directory] : before.out) {
    if (host_.directory_state(directory) != PartitionHost::DirectoryState::open) left.insert(partition);
  }
  MetadataStore::Transaction end;
  if (left.empty() || host_.is_complete()) {
    end.deletes.push_back(unfinished_key(topic.id));
  } else {
    // A directory that comes back must not bring the rest back as a topic.
    UnfinishedRecord rest{topic.name, topic.partition_count, topic.configs, UnfinishedRecord::Work::deletion,
                          std::move(left)};
    end.puts.push_back({unfinished_key(topic.id), encode(rest)});
  }
  const auto finished = store_.txn(end);
  if (!finished.ok()) return finished.error();
  return {};
}

TopicOutcome Topics::remove(std::string_view name) {
  const auto before = image();
  const TopicImage* topic = before->find(name);
  if (topic == nullptr) {
    return refused(ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
  }
  const auto placement = stored_placement(topic->id);
  if (!placement.ok()) return refused(ErrorCode::kafka_storage_error, placement.error().describe());
  const auto recorded =
      store_.txn({{},
                  {{unfinished_key(topic->id), unfinished(*topic, UnfinishedRecord::Work::deletion)}},
                  {topic_key(topic->name), placement_key(topic->id)}});
  if (!recorded.ok()) return refused(ErrorCode::kafka_storage_error, recorded.error().describe());
  publish(before->without({topic->name}));
  collision_names_.erase(collision_name(topic->name));
  spdlog::info("topic {} deleted", topic->name);
  const auto removed = remove_folders(*topic, *placement);
  if (!removed.ok()) return refused(ErrorCode::kafka_storage_error, removed.error().describe());
  return {};
}

}  // namespace sillok::broker
