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

Result<void> Topics::take_back(const std::string& /*topic*/, const TopicId& topic_id,
                               PartitionIndex partition, const Uuid& from) {
  PlacementRecord record = TRY(stored_placement(topic_id));
  record.in[partition.value] = from;
  record.out.erase(partition.value);
  return store_placement(topic_id, record);
}

// Moves that were recorded, and did not come to their end: the copy becomes the partition. What it was made
// from goes when it is served.
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

// False where its source may still be there.
bool Topics::finish_move(Loading& loading, const TopicImage& topic, std::int32_t partition,
                         const Uuid& from) {
  const auto to = loading.placed(topic.id, partition);
  if (to == from) return true;
  if (!to || host_.directory_state(*to) == State::missing) return false;
  const auto fail = [&](std::string why) {
    loading.faults[{topic.name, partition}] = std::move(why);
    return false;
  };
  // One that is not whole is of a move that was asked for again, after a record of which nobody knew whether
  // it is on disk.
  const Found* future = find_in(loading.futures, topic, partition, *to);
  const bool has_source = find_in(loading.folders, topic, partition, from) != nullptr;
  if (future != nullptr && (future->is_whole || !has_source)) {
    const auto promoted = host_.promote_future(topic.name, PartitionIndex(partition), future->directory);
    if (!promoted.ok()) return fail("its move cannot be ended: " + promoted.error().describe());
    loading.folders.push_back(*future);
    std::erase_if(loading.futures, [&](const Found& one) { return &one == future; });
  }
  if (find_in(loading.folders, topic, partition, *to) == nullptr)
    return look_for_moved(loading, topic, partition, from);
  loading.notes.push_back(fmt::format("{}-{} has moved", topic.name, partition));
  if (host_.directory_state(from) == State::missing) return false;
  const Found* const source = find_in(loading.folders, topic, partition, from);
  if (source == nullptr) return true;
  loading.sources.push_back(*source);
  std::erase_if(loading.folders, [&](const Found& one) { return &one == source; });
  return false;
}

// The directory that a partition moved to is there, and its folder is not. Either nothing was ever served
// from it, and the source is right; or it was, and is now in another place or lost, and the source is of
// before.
bool Topics::look_for_moved(Loading& loading, const TopicImage& topic, std::int32_t partition,
                            const Uuid& from) {
  const auto may_be_it = [&](const Found& one) {
    return one.topic == topic.name && one.partition.value == partition && one.directory_id != from &&
           (one.topic_id == topic.id || one.topic_id.is_zero());
  };
  const auto to = loading.placed(topic.id, partition);
  const bool is_lost = host_.directory_state(*to) != State::open;
  const bool is_elsewhere = std::ranges::any_of(loading.folders, may_be_it);
  if (!is_lost && !is_elsewhere) {
    loading.placements[topic.id].in[partition] = from;
    return true;
  }
  const Found* const source = find_in(loading.folders, topic, partition, from);
  if (is_lost && !is_elsewhere && source != nullptr) {
    loading.faults[{topic.name, partition}] = fmt::format(
        "it had moved to the directory with directory.id {}, which is lost, and the folder in {} is from "
        "before; move that to another log directory to have it served, or out of the way to begin anew",
        to->to_string(), source->directory_path);
    return false;
  }
  if (source != nullptr) std::erase_if(loading.folders, [&](const Found& one) { return &one == source; });
  return false;
}

// Those that do not go are tried again at the next start.
void Topics::remove_sources(Loading& loading) {
  for (const Found& source : loading.sources) {
    const auto topic = loading.topics.find(source.topic);
    const std::int32_t partition = source.partition.value;
    PlacementRecord& placement = loading.placements[topic->second->id];
    const bool is_served = host_.directory_of(source.topic, source.partition) == placement.in[partition] &&
                           host_.is_sound(source.topic, source.partition);
    const auto removed = is_served ? host_.remove_from(source.directory_id, source.topic, source.partition)
                                   : Result<void>(Error{Errc::offline, "the copy is damaged, or not served"});
    if (removed.ok()) {
      placement.out.erase(partition);
    } else {
      loading.notes.push_back(fmt::format("{}-{} in {} is left from a move: {}", source.topic, partition,
                                          source.directory_path, removed.error().describe()));
    }
  }
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
    } else if (is_copy && topic->second->id == future.topic_id && !host_.is_complete()) {
      loading.notes.push_back(fmt::format("the move of {} to {} waits for a start with all log directories",
                                          name, future.directory_path));
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
