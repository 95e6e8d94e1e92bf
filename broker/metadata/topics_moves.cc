// Moves of partitions between log directories: what is recorded of them, and the start after a crash in one.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/metadata/topics_loading.h"

namespace sillok::broker {
namespace {

using Found = PartitionHost::Found;
using State = PartitionHost::DirectoryState;

const Found* find_in(const std::vector<Found>& folders, const TopicImage& topic, std::int32_t partition,
                     const Uuid& directory) {
  const auto is_it = [&](const Found& one) {
    return one.topic == topic.name && one.partition.value == partition && one.topic_id == topic.id &&
           one.directory_id == directory;
  };
  const auto found = std::ranges::find_if(folders, is_it);
  return found == folders.end() ? nullptr : &*found;
}

}  // namespace

Result<void> Topics::record_move(const std::string& /*topic*/, const TopicId& topic_id,
                                 PartitionIndex partition, const Uuid& from, const Uuid& to) {
  PlacementRecord record = TRY(stored_placement(topic_id));
  record.in[partition.value] = to;
  record.out[partition.value] = from;
  return store_placement(topic_id, record);
}

Result<void> Topics::end_move(const std::string& /*topic*/, const TopicId& topic_id,
                              PartitionIndex partition) {
  PlacementRecord record = TRY(stored_placement(topic_id));
  record.out.erase(partition.value);
  return store_placement(topic_id, record);
}

// Moves that were recorded, and did not come to their end: the copy becomes the partition, and what it was
// made from goes. Before anything is served.
Result<void> Topics::finish_moves(Loading& loading) {
  loading.futures = TRY(host_.find_futures());
  for (const auto& [name, topic] : loading.topics) {
    const auto record = loading.placements.find(topic->id);
    if (record == loading.placements.end()) continue;
    for (const auto& [partition, from] : std::exchange(record->second.out, {})) {
      if (!finish_move(loading, *topic, partition, from)) record->second.out[partition] = from;
    }
  }
  return {};
}

// False where it is not at its end yet.
bool Topics::finish_move(Loading& loading, const TopicImage& topic, std::int32_t partition,
                         const Uuid& from) {
  const auto to = loading.placed(topic.id, partition);
  if (!to || host_.directory_state(*to) == State::missing) return false;
  const std::string name = fmt::format("{}-{}", topic.name, partition);
  const auto fail = [&](const Error& error) {
    loading.faults[{topic.name, partition}] =
        "its move to another log directory cannot be ended: " + error.describe();
    return false;
  };
  if (const Found* future = find_in(loading.futures, topic, partition, *to)) {
    if (const auto promoted = host_.promote_future(topic.name, PartitionIndex(partition), future->directory);
        !promoted.ok()) {
      return fail(promoted.error());
    }
    loading.folders.push_back(*future);
    std::erase_if(loading.futures, [&](const Found& one) { return &one == future; });
  }
  const Found* const moved = find_in(loading.folders, topic, partition, *to);
  if (moved == nullptr) {  // then it is where it was
    loading.placements[topic.id].in[partition] = from;
    return true;
  }
  loading.notes.push_back(fmt::format("{} has moved to {}", name, moved->directory_path));
  if (host_.directory_state(from) == State::missing) return false;
  const Found* const left = find_in(loading.folders, topic, partition, from);
  if (left == nullptr) return true;
  if (const auto removed = host_.remove_from(from, topic.name, PartitionIndex(partition)); !removed.ok())
    return fail(removed.error());
  std::erase_if(loading.folders, [&](const Found& one) { return &one == left; });
  return true;
}

// Copies of moves that were not recorded. Those of partitions that are served begin anew.
Result<void> Topics::sort_futures(Loading& loading) {
  for (const Found& future : loading.futures) {
    const std::string name = fmt::format("{}-{}", future.topic, future.partition.value);
    const auto unfinished = loading.unfinished.find(future.topic_id);
    const auto topic = loading.topics.find(future.topic);
    const bool is_deleted =
        unfinished != loading.unfinished.end() && unfinished->second.work == UnfinishedRecord::Work::deletion;
    const bool is_copy =
        topic != loading.topics.end() && loading.is_present(future.topic, future.partition.value);
    // One that does not say its id was hardly begun.
    const bool is_half_made = is_copy && future.topic_id.is_zero();
    if (is_deleted || is_half_made) {
      TRY(host_.drop_future(future.topic, future.partition, future.directory));
    } else if (is_copy && topic->second->id == future.topic_id) {
      loading.notes.push_back(fmt::format("the move of {} to {} begins anew", name, future.directory_path));
      loading.to_resume.push_back(future);
    } else {
      loading.notes.push_back(fmt::format("a copy of {} in {} is left alone", name, future.directory_path));
    }
  }
  return {};
}

}  // namespace sillok::broker
