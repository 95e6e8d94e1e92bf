// The start: what the store says against what the disk has.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topic_names.h"
#include "broker/metadata/topics_loading.h"
#include "broker/producer_ids.h"
#include "broker/topic_config.h"

namespace sillok::broker {

namespace {

// Whether an unknown folder is taken for a partition. Without an id it may be anything that ends in a number,
// so those must at least be 0, 1, 2 and so on.
bool is_adoptable(const TopicId& id, const std::set<std::int32_t>& partitions) {
  return !id.is_zero() || *partitions.rbegin() + 1 == static_cast<std::int32_t>(partitions.size());
}

}  // namespace

Result<void> Topics::load(std::vector<std::string>& notes) {
  Loading loading(notes);
  for (auto step :
       {&Topics::read_store, &Topics::find_folders, &Topics::add_kafka_topics, &Topics::sort_folders,
        &Topics::finish_works, &Topics::adopt_unknown, &Topics::settle_records, &Topics::sort_futures,
        &Topics::serve, &Topics::settle_placements, &Topics::end_takeover, &Topics::write_records}) {
    const auto done = (this->*step)(loading);
    if (!done.ok()) return done;
  }
  return {};
}

Result<std::shared_ptr<TopicImage>> Topics::image_of(
    const std::string& name, const TopicId& id, std::int32_t partition_count,
    const std::map<std::string, std::string>& configs) const {
  if (topic_name_fault(name) || partition_count < 1 || partition_count > kPartitionsPerTopicMax) {
    return Error{Errc::corrupt,
                 fmt::format("the metadata of {}{} names no topic that can be", kTopicKeyPrefix, name)};
  }
  auto topic = std::make_shared<TopicImage>();
  topic->name = name;
  topic->id = id;
  topic->partition_count = partition_count;
  topic->configs = configs;
  topic->log_config = resolve_log_config(defaults_, configs);
  return topic;
}

Result<void> Topics::read_store(Loading& loading) {
  for (const KeyValue& pair : TRY(store_.range(kTopicKeyPrefix))) {
    const TopicRecord record = TRY(decode_topic_record(pair.key, pair.value));
    const std::string name = pair.key.substr(kTopicKeyPrefix.size());
    loading.topics[name] = TRY(image_of(name, record.id, record.partition_count, record.configs));
  }
  for (const KeyValue& pair : TRY(store_.range(kUnfinishedKeyPrefix))) {
    const TopicId id = TRY(topic_id_in_key(pair.key, kUnfinishedKeyPrefix));
    loading.unfinished[id] = TRY(decode_unfinished_record(pair.key, pair.value));
    if (const auto& left = loading.unfinished[id].left; !left.empty()) loading.recorded_left[id] = left;
  }
  for (const KeyValue& pair : TRY(store_.range(kElsewhereKeyPrefix))) {
    const TopicId id = TRY(topic_id_in_key(pair.key, kElsewhereKeyPrefix));
    loading.recorded_elsewhere[id] = TRY(decode_elsewhere(pair.key, pair.value));
  }
  loading.elsewhere = loading.recorded_elsewhere;
  for (const KeyValue& pair : TRY(store_.range(kRemovedKeyPrefix))) {
    loading.recorded_removed.insert(TRY(topic_id_in_key(pair.key, kRemovedKeyPrefix)));
  }
  loading.removed = loading.recorded_removed;
  for (const KeyValue& pair : TRY(store_.range(kPlacementKeyPrefix))) {
    const TopicId id = TRY(topic_id_in_key(pair.key, kPlacementKeyPrefix));
    loading.recorded_placements[id] = TRY(decode_placement_record(pair.key, pair.value));
  }
  loading.placements = loading.recorded_placements;
  return {};
}

Result<void> Topics::find_folders(Loading& loading) {
  loading.folders = TRY(host_.find());
  for (const PartitionHost::Found& folder : loading.folders) loading.found_ids.insert(folder.topic_id);
  place_kafka_topics(loading);
  TRY(finish_moves(loading));
  choose_among_directories(loading);
  for (const PartitionHost::Found& folder : loading.folders) {
    const std::pair name{folder.topic, folder.partition.value};
    // What is to be deleted does not stand for a folder of the same name in another directory.
    if (loading.unfinished.contains(folder.topic_id) && loading.folder_ids.contains(name)) continue;
    loading.folder_ids[name] = folder.topic_id;
    if (host_.are_directories_several())
      loading.folder_directories[name] = {folder.directory, folder.directory_id};
  }
  return {};
}

void Topics::leave_alone(Loading& loading, const std::string& topic, std::int32_t partition,
                         std::string_view why) {
  loading.notes.push_back(fmt::format("{}-{} is left alone: {}", topic, partition, why));
  left_alone_.emplace(topic, partition);
}

// A folder whose topic the store does not know.
void Topics::sort_unknown(Loading& loading, const PartitionHost::Found& found) {
  const std::int32_t partition = found.partition.value;
  if (found.topic == kKafkaMetadataTopic) {
    return leave_alone(loading, found.topic, partition, "it is Apache Kafka's own metadata");
  }
  if (topic_name_fault(found.topic) || partition >= kPartitionsPerTopicMax) {
    return leave_alone(loading, found.topic, partition, "it can be no partition");
  }
  if (loading.removed.contains(found.topic_id)) {
    return leave_alone(loading, found.topic, partition, "Apache Kafka has deleted its topic");
  }
  const auto is_of_topic = [&](const auto& entry) { return entry.second.topic == found.topic; };
  if (found.topic_id.is_zero() && std::ranges::any_of(loading.unfinished, is_of_topic)) {
    loading.notes.push_back(
        fmt::format("{}-{} is not adopted: its creation was interrupted", found.topic, partition));
    loading.half_made.insert(found.topic);
    return;
  }
  Loading::Unknown& unknown = loading.unknown[found.topic];
  if (unknown.id.is_zero()) unknown.id = found.topic_id;
  const bool is_same = found.topic_id.is_zero() || found.topic_id == unknown.id;
  (is_same ? unknown.partitions : loading.foreign[found.topic]).insert(partition);
}

// A creation that got as far as a folder goes on, as if its topic's record had been written.
Result<void> Topics::resume_creations(Loading& loading, const std::vector<PartitionHost::Found>& folders) {
  for (const PartitionHost::Found& found : folders) {
    const auto unfinished = loading.unfinished.find(found.topic_id);
    if (unfinished == loading.unfinished.end()) continue;
    const UnfinishedRecord& record = unfinished->second;
    const bool is_creation = record.work == UnfinishedRecord::Work::creation && record.topic == found.topic;
    if (!is_creation || loading.topics.contains(found.topic)) continue;
    loading.topics[found.topic] =
        TRY(image_of(found.topic, found.topic_id, record.partition_count, record.configs));
    loading.resumed.insert(found.topic);
    loading.notes.push_back(
        fmt::format("topic {} with {} partitions and id {}: its creation was interrupted, and goes on",
                    found.topic, record.partition_count, found.topic_id.to_string()));
  }
  return {};
}

Result<void> Topics::sort_folders(Loading& loading) {
  const auto resumed = resume_creations(loading, loading.folders);
  if (!resumed.ok()) return resumed;
  for (PartitionHost::Found& found : loading.folders) {
    const auto topic = loading.topics.find(found.topic);
    const auto unfinished = loading.unfinished.find(found.topic_id);
    if (unfinished != loading.unfinished.end() &&
        unfinished->second.work == UnfinishedRecord::Work::deletion) {
      loading.to_remove.push_back(std::move(found));
    } else if (topic != loading.topics.end()) {
      const bool is_same = found.topic_id.is_zero() || found.topic_id == topic->second->id;
      (is_same ? loading.present : loading.foreign)[found.topic].insert(found.partition.value);
    } else {
      sort_unknown(loading, found);
    }
  }
  return {};
}

Result<void> Topics::finish_works(Loading& loading) {
  for (const PartitionHost::Found& found : loading.to_remove) {
    const auto removed = host_.remove_folder(found.topic, found.partition, found.topic_id);
    if (!removed.ok()) return removed;
    loading.notes.push_back(fmt::format("removed {}-{}, whose topic's deletion was interrupted", found.topic,
                                        found.partition.value));
    // Elsewhere there may be another folder of it, which a move left.
    if (host_.is_complete()) loading.unfinished[found.topic_id].left.erase(found.partition.value);
  }
  for (const std::string& name : loading.resumed) {
    const TopicImage& topic = *loading.topics[name];
    loading.to_record[topic_key(name)] = encode(TopicRecord{topic.id, topic.partition_count, topic.configs});
  }
  for (const auto& [id, record] : loading.unfinished) {
    const auto before = loading.recorded_left.find(id);
    const bool is_found = before != loading.recorded_left.end() && record.left.empty();
    if (!host_.is_complete() && !is_found) {
      // What is left of it may be in a directory that comes back.
      lacks_unplaced_ = true;
      if (before != loading.recorded_left.end() && before->second != record.left)
        loading.to_record[unfinished_key(id)] = encode(record);
      continue;
    }
    if (!loading.half_made.contains(record.topic)) loading.to_record[unfinished_key(id)] = std::nullopt;
  }
  return {};
}

Result<void> Topics::adopt_unknown(Loading& loading) {
  std::erase_if(loading.unknown, [&](const auto& entry) {
    if (is_adoptable(entry.second.id, entry.second.partitions)) return false;
    for (const std::int32_t partition : entry.second.partitions) {
      leave_alone(loading, entry.first, partition,
                  "it has no partition.metadata, and partitions before it are missing");
    }
    return true;
  });
  if (!host_.is_complete()) {
    for (const auto& [name, unknown] : std::exchange(loading.unknown, {})) {
      for (const std::int32_t partition : unknown.partitions)
        leave_alone(loading, name, partition, "no topic is adopted while a log directory is missing");
    }
  }
  if (loading.unknown.empty()) return {};
  if (!takeover_) {
    loading.notes.emplace_back(
        "nothing here knows the configs of the topics that are adopted, so they have the default ones, but "
        "keep all their records until retention.ms and retention.bytes are altered; metadata.log.dir can "
        "name the directory of an Apache Kafka's metadata");
  }
  const auto skipped = skip_producer_ids_of_others(store_);
  if (!skipped.ok()) return skipped;
  for (auto& [name, unknown] : loading.unknown) {
    auto topic = std::make_shared<TopicImage>();
    topic->name = name;
    topic->id = unknown.id.is_zero() ? new_topic_id() : unknown.id;
    std::int32_t last = *unknown.partitions.rbegin();
    if (loading.foreign.contains(name)) last = std::max(last, *loading.foreign[name].rbegin());
    topic->partition_count = last + 1;
    topic->configs = adopted_topic_configs(name);
    topic->log_config = resolve_log_config(defaults_, topic->configs);
    loading.to_record[topic_key(name)] =
        encode(TopicRecord{topic->id, topic->partition_count, topic->configs});
    loading.notes.push_back(
        fmt::format("adopted topic {} with {} partitions and id {}, found in the log directory", name,
                    topic->partition_count, topic->id.to_string()));
    loading.present[name] = std::move(unknown.partitions);
    loading.topics[name] = std::move(topic);
  }
  return {};
}

// What was noted of topics that Kafka kept elsewhere or deleted holds only as long as it is so.
Result<void> Topics::settle_records(Loading& loading) {
  std::unordered_map<TopicId, std::set<std::int32_t>> elsewhere;
  for (const auto& [name, topic] : loading.topics) {
    const auto found = loading.elsewhere.find(topic->id);
    if (found == loading.elsewhere.end()) continue;
    const std::set<std::int32_t>& present = loading.present[name];
    for (const std::int32_t i : found->second) {
      if (!present.contains(i) && i < topic->partition_count) elsewhere[topic->id].insert(i);
    }
  }
  loading.elsewhere = std::move(elsewhere);
  for (const auto& [id, partitions] : loading.recorded_elsewhere) {
    if (!loading.elsewhere.contains(id)) loading.to_record[elsewhere_key(id)] = std::nullopt;
  }
  for (const auto& [id, partitions] : loading.elsewhere) {
    const auto recorded = loading.recorded_elsewhere.find(id);
    const bool is_same = recorded != loading.recorded_elsewhere.end() && recorded->second == partitions;
    if (!is_same) loading.to_record[elsewhere_key(id)] = encode_elsewhere(partitions);
  }
  for (const TopicId& id : loading.removed) {
    const bool may_be_found = loading.found_ids.contains(id) || !host_.is_complete();
    const bool is_recorded = loading.recorded_removed.contains(id);
    if (is_recorded && !may_be_found) loading.to_record[removed_key(id)] = std::nullopt;
    if (!is_recorded && may_be_found) loading.to_record[removed_key(id)] = encode_removed();
  }
  return {};
}

// Why a partition is not served; nullopt where it is to be opened, or made.
std::optional<std::string> Topics::offline_reason(const Loading& loading, const TopicImage& topic,
                                                  std::int32_t partition) const {
  const bool is_present = loading.is_present(topic.name, partition);
  const auto placed = loading.placed(topic.id, partition);
  if (placed && host_.directory_state(*placed) == PartitionHost::DirectoryState::missing)
    return fmt::format("its log directory is missing, the one with directory.id {}", placed->to_string());
  if (const auto found = loading.faults.find({topic.name, partition}); found != loading.faults.end())
    return found->second;
  if (is_present) return std::nullopt;
  const auto elsewhere = loading.elsewhere.find(topic.id);
  if (elsewhere != loading.elsewhere.end() && elsewhere->second.contains(partition))
    return "Apache Kafka kept it in another place, or put it aside";
  if (!host_.is_complete()) return "a log directory is missing, and none of the others has it";
  return std::nullopt;
}

Result<void> Topics::serve(Loading& loading) {
  std::vector<PartitionHost::Opening> to_open;
  std::vector<PartitionHost::Opening> to_create;
  std::vector<PartitionHost::Opening> offline;
  std::vector<TopicPointer> images;
  for (const auto& [name, topic] : loading.topics) {
    const std::set<std::int32_t>& present = loading.present[name];
    const std::set<std::int32_t>& foreign = loading.foreign[name];
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
      PartitionHost::Opening opening{name, PartitionIndex(i), topic->id, topic->log_config};
      if (foreign.contains(i)) {
        leave_alone(loading, name, i, "its id is not its topic's, so the partition is offline");
        offline.push_back(std::move(opening));
        continue;
      }
      if (const auto reason = offline_reason(loading, *topic, i)) {
        spdlog::error("partition {}-{} is offline: {}", name, i, *reason);
        offline.push_back(std::move(opening));
        continue;
      }
      if (!present.contains(i)) {
        loading.notes.push_back(fmt::format("{}-{} was missing and is made anew, empty", name, i));
      }
      const auto epoch = loading.leader_epochs.find({name, i});
      if (epoch != loading.leader_epochs.end())
        opening.leader_epoch_min = std::max(opening.leader_epoch_min, epoch->second);
      if (const auto folder = loading.folder_directories.find({name, i});
          folder != loading.folder_directories.end() && present.contains(i)) {
        opening.directory = folder->second.place;
      }
      (present.contains(i) ? to_open : to_create).push_back(std::move(opening));
    }
    for (std::int32_t i : present) {
      if (i >= topic->partition_count) leave_alone(loading, name, i, "its topic has fewer partitions");
    }
    for (std::int32_t i : foreign) {
      if (i >= topic->partition_count) leave_alone(loading, name, i, "its id is not its topic's");
    }
    if (may_collide(name)) collision_names_[collision_name(name)] = name;
    images.push_back(topic);
  }
  host_.keep_offline(offline);
  auto done = host_.open(to_open);
  if (done.ok() && !to_create.empty()) done = host_.create(to_create);
  if (!done.ok()) return done;
  publish(image_->with(std::move(images)));
  remove_sources(loading);
  for (const PartitionHost::Found& future : loading.to_resume)
    host_.resume_move(future.topic, future.partition, future.directory);
  return {};
}

// Last, so that a crash on the way finds all of it to be done again.
Result<void> Topics::write_records(Loading& loading) {
  MetadataStore::Transaction changes;
  for (auto& [key, value] : loading.to_record) {
    if (value) {
      changes.puts.push_back({key, *std::move(value)});
    } else {
      changes.deletes.push_back(key);
    }
  }
  if (changes.puts.empty() && changes.deletes.empty()) return {};
  const auto recorded = store_.txn(changes);
  if (!recorded.ok()) return recorded.error();
  return {};
}

}  // namespace sillok::broker
