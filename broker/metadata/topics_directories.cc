// The start, where several log directories have a folder of one name.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/topics_loading.h"

namespace sillok::broker {

// The one in the directory where the partition is known to be is it; else the one with the id of the topic,
// as the store or Kafka has it, if it is the only one that can be. The others are passed over. Nothing else
// decides: not the age, not the size. Of what is to be deleted each directory may have some.
void Topics::choose_among_directories(Loading& loading) const {
  using Found = PartitionHost::Found;
  if (!host_.are_directories_several()) return;
  std::map<std::pair<std::string, std::int32_t>, std::vector<const Found*>> by_name;
  const auto is_deleted = [&](const TopicId& id) {
    const auto unfinished = loading.unfinished.find(id);
    return unfinished != loading.unfinished.end() &&
           unfinished->second.work == UnfinishedRecord::Work::deletion;
  };
  for (const Found& folder : loading.folders) {
    if (!is_deleted(folder.topic_id)) by_name[{folder.topic, folder.partition.value}].push_back(&folder);
  }
  std::erase_if(by_name, [](const auto& entry) { return entry.second.size() < 2; });
  if (by_name.empty()) return;
  std::map<std::string, TopicId> ids;
  if (takeover_) {
    for (const auto& [id, topic] : takeover_->metadata.topics) ids[topic.name] = id;
  }
  for (const auto& [name, topic] : loading.topics) ids[name] = topic->id;
  std::set<const Found*> passed_over;
  for (const auto& [name, folders] : by_name) {
    const auto id = ids.find(name.first);
    const auto may_be = [&](const Found* one) {
      return one->topic_id.is_zero() || (id != ids.end() && one->topic_id == id->second);
    };
    const auto placed = id == ids.end() ? std::nullopt : loading.placed(id->second, name.second);
    const auto is_placed = [&](const Found* one) { return placed == one->directory_id && may_be(one); };
    auto right = std::ranges::find_if(folders, is_placed);
    bool is_told = right != folders.end();
    if (!is_told) {
      right = std::ranges::find_if(folders, may_be);
      is_told = std::ranges::count_if(folders, may_be) == 1 && !(*right)->topic_id.is_zero();
    }
    const Found* const kept = is_told ? *right : folders.front();
    if (!is_told) {
      std::vector<std::string> paths;
      for (const Found* one : folders) paths.push_back(one->directory_path);
      loading.faults[name] = fmt::format(
          "its folder is in several log directories, and nothing tells which is right: {}; stop the broker, "
          "and move all but one out of the way",
          fmt::join(paths, ", "));
    }
    for (const Found* one : folders) {
      if (one == kept) continue;
      passed_over.insert(one);
      if (is_told) {
        loading.notes.push_back(
            fmt::format("{}-{} in {} is left alone: the topic's partition is the one in {}", name.first,
                        name.second, one->directory_path, kept->directory_path));
      }
    }
  }
  std::vector<Found> left;
  for (const Found& folder : loading.folders) {
    if (!passed_over.contains(&folder)) left.push_back(folder);
  }
  loading.folders = std::move(left);
}

// Kafka ran since: where it had its partitions is where they are.
void Topics::place_kafka_topics(Loading& loading) const {
  if (!takeover_ || !host_.are_directories_several()) return;
  for (const auto& [id, topic] : takeover_->metadata.topics) {
    for (const auto& [index, partition] : topic.partitions) {
      const auto directory = directory_of(partition, takeover_->node_id);
      if (directory) loading.placements[id].in[index] = *directory;
    }
  }
}

// Where the partitions are that are served.
PlacementRecord Topics::placement_of(const TopicImage& topic) const {
  PlacementRecord placement;
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    if (const auto directory = host_.directory_of(topic.name, PartitionIndex(i)))
      placement.in[i] = *directory;
  }
  return placement;
}

Result<PlacementRecord> Topics::stored_placement(const TopicId& id) {
  const std::string key = placement_key(id);
  for (const KeyValue& pair : TRY(store_.range(key))) {
    if (pair.key == key) return decode_placement_record(pair.key, pair.value);
  }
  return PlacementRecord{};
}

Result<void> Topics::update_placement(const TopicId& id, const PlacementRecord& now) {
  if (!host_.are_directories_several()) return {};
  PlacementRecord record = TRY(stored_placement(id));
  for (const auto& [partition, directory] : now.in) record.in[partition] = directory;
  return store_placement(id, record);
}

Result<void> Topics::store_placement(const TopicId& id, const PlacementRecord& record) {
  const auto written = store_.txn({{}, {{placement_key(id), encode(record)}}, {}});
  return written.ok() ? Result<void>() : written.error();
}

// What is served is where it was found or made; what is offline stays on record, if its directory may come
// back, or the record is why it is offline.
void Topics::settle_placement(Loading& loading, const TopicImage& topic) {
  using State = PartitionHost::DirectoryState;
  PlacementRecord now = placement_of(topic);
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    if (now.in.contains(i)) continue;
    if (const auto placed = loading.placed(topic.id, i);
        placed &&
        (host_.directory_state(*placed) != State::unknown || loading.faults.contains({topic.name, i}))) {
      now.in[i] = *placed;
    } else if (const auto found = loading.folder_directories.find({topic.name, i});
               found != loading.folder_directories.end() && loading.is_present(topic.name, i) &&
               !loading.faults.contains({topic.name, i})) {
      now.in[i] = found->second.id;  // it could not be opened
    } else if (!host_.is_complete()) {
      lacks_unplaced_ = true;
    }
  }
  now.out = std::move(loading.placements[topic.id].out);
  for (const auto* directories : {&now.in, &now.out}) {
    for (const auto& [partition, directory] : *directories) {
      if (host_.directory_state(directory) == State::missing) awaited_.insert(directory);
    }
  }
  const auto recorded = loading.recorded_placements.find(topic.id);
  const bool is_same = recorded != loading.recorded_placements.end() && recorded->second == now;
  if (!is_same) loading.to_record[placement_key(topic.id)] = encode(now);
}

Result<void> Topics::settle_placements(Loading& loading) {
  for (const auto& [id, record] : loading.recorded_placements)
    loading.to_record[placement_key(id)] = std::nullopt;
  if (!host_.are_directories_several()) return {};
  for (const auto& [name, topic] : loading.topics) {
    loading.to_record.erase(placement_key(topic->id));
    settle_placement(loading, *topic);
  }
  return {};
}

}  // namespace sillok::broker
