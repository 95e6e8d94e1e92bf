// The start, where several log directories have a folder of one name.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/topics_loading.h"

namespace sillok::broker {

// The one with the id of the topic, as the store or Kafka has it, is the partition, if it is the only one
// that can be; the others are passed over. Nothing else decides: not the age, not the size. Of what is to be
// deleted each directory may have some.
void Topics::choose_among_directories(Loading& loading) const {
  using Found = PartitionHost::Found;
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
    const auto right = std::ranges::find_if(folders, may_be);
    const bool is_told = std::ranges::count_if(folders, may_be) == 1 && !(*right)->topic_id.is_zero();
    const Found* const kept = is_told ? *right : folders.front();
    if (is_told) {
      loading.chosen_directories[name] = kept->directory;
    } else {
      std::vector<std::string> paths;
      for (const Found* one : folders) paths.push_back(one->directory_path);
      loading.ambiguities[name] = fmt::format(
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

}  // namespace sillok::broker
