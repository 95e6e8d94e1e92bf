// What Topics::load() has found so far. For topics_load.cc and topics_take_over.cc.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {

struct Topics::Loading {
  explicit Loading(std::vector<std::string>& to) : notes(to) {}

  std::vector<std::string>& notes;
  std::vector<PartitionHost::Found> folders;
  std::vector<PartitionHost::Found> futures;  // copies of moves that did not come to their end
  std::vector<PartitionHost::Found> sources;  // of moves that are at their end: to go once the copy is served
  std::vector<PartitionHost::Found> to_resume;  // of those, when all is served
  std::unordered_set<TopicId> found_ids;        // of all that was found, what is passed over included
  std::map<std::pair<std::string, std::int32_t>, TopicId> folder_ids;  // the same, to look up; by name
  // Why a partition cannot be opened whose folder is there.
  std::map<std::pair<std::string, std::int32_t>, std::string> faults;
  // Where there are several log directories: in which one each partition is, as the store or, later, Kafka
  // has it, and in which it was found.
  std::unordered_map<TopicId, PlacementRecord> recorded_placements;
  std::unordered_map<TopicId, PlacementRecord> placements;
  struct FolderDirectory {
    std::size_t place = 0;
    Uuid id;
  };
  std::map<std::pair<std::string, std::int32_t>, FolderDirectory> folder_directories;
  std::map<std::string, std::shared_ptr<TopicImage>> topics;
  std::unordered_map<TopicId, UnfinishedRecord> unfinished;  // `left` less what is found
  std::unordered_map<TopicId, std::set<std::int32_t>> recorded_left;
  std::map<std::string, std::set<std::int32_t>> present;  // folders of known topics, with the right id
  std::map<std::string, std::set<std::int32_t>>
      foreign;  // folders of known topics, with another id: left alone
  struct Unknown {
    TopicId id;
    std::set<std::int32_t> partitions;
  };
  std::map<std::string, Unknown> unknown;
  std::vector<PartitionHost::Found> to_remove;
  std::set<std::string> resumed;    // topics whose creation goes on
  std::set<std::string> half_made;  // topics of interrupted creations that left folders without an id
  // Partitions of known topics that are not in this directory, because Kafka kept them elsewhere or put them
  // aside: as the store has them, and as they are now.
  std::unordered_map<TopicId, std::set<std::int32_t>> recorded_elsewhere;
  std::unordered_map<TopicId, std::set<std::int32_t>> elsewhere;
  // Topics that Kafka deleted: as the store has them, and with those that only Kafka's metadata has.
  std::unordered_set<TopicId> recorded_removed;
  std::unordered_set<TopicId> removed;
  // Of Kafka's metadata, where there is something new in it.
  std::map<std::pair<std::string, std::int32_t>, LeaderEpoch> leader_epochs;
  // What the store is to have once all is served, by key; nullopt is a key that goes.
  std::map<std::string, std::optional<std::string>> to_record;

  // nullopt where that is not known.
  std::optional<Uuid> placed(const TopicId& id, std::int32_t partition) const {
    const auto record = placements.find(id);
    if (record == placements.end()) return std::nullopt;
    const auto directory = record->second.in.find(partition);
    return directory == record->second.in.end() ? std::nullopt : std::optional(directory->second);
  }
  bool is_present(const std::string& topic, std::int32_t partition) const {
    const auto folders_of_topic = present.find(topic);
    return folders_of_topic != present.end() && folders_of_topic->second.contains(partition);
  }
  // Whether the folder is there, and may be that of the topic with this id.
  bool is_here(const std::string& topic, std::int32_t partition, const TopicId& id) const {
    const auto folder = folder_ids.find({topic, partition});
    return folder != folder_ids.end() && (folder->second.is_zero() || folder->second == id);
  }
};

}  // namespace sillok::broker
