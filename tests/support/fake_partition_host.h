// Partition folders that are only names, for tests of the topics' bookkeeping.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/partition_host.h"
#include "broker/partition_view.h"

namespace sillok::tests {

// Threading: one thread. The folders stay when a test makes new Topics on it, as they would over a restart.
class FakePartitionHost final : public broker::PartitionHost, public broker::PartitionsView {
 public:
  struct Folder {
    TopicId topic_id;
    bool is_served = false;
    storage::LogConfig config;
    LeaderEpoch leader_epoch_min{};
  };
  using Name = std::pair<std::string, std::int32_t>;
  std::map<Name, Folder> folders;
  std::set<Name> offline;  // served, but for what state() says
  // In order: "create a-0 a-1", "remove a-0".
  std::vector<std::string> calls;
  std::optional<Error> create_error;
  // How many folders a failing create() makes all the same.
  std::size_t made_before_error = 0;
  std::optional<Error> remove_error;

  void add_folder(const std::string& topic, std::int32_t partition, const TopicId& id) {
    folders[{topic, partition}] = {id, false, {}, {}};
  }
  bool is_served(const std::string& topic, std::int32_t partition) const {
    const auto found = folders.find({topic, partition});
    return found != folders.end() && found->second.is_served;
  }
  // The process ended: nothing is served any more.
  void restart() {
    for (auto& [name, folder] : folders) folder.is_served = false;
    calls.clear();
  }

  Result<std::vector<Found>> find() override {
    std::vector<Found> found;
    for (const auto& [name, folder] : folders)
      found.push_back({name.first, PartitionIndex(name.second), folder.topic_id});
    return found;
  }
  Result<void> open(const std::vector<Opening>& partitions) override {
    for (const Opening& opening : partitions) {
      const auto found = folders.find({opening.topic, opening.partition.value});
      if (found == folders.end()) return Error{Errc::not_found, "opened without a folder: " + opening.topic};
      found->second.is_served = true;
      found->second.config = opening.config;
      found->second.leader_epoch_min = opening.leader_epoch_min;
    }
    return {};
  }
  Result<void> create(const std::vector<Opening>& partitions) override {
    std::string call = "create";
    std::size_t made = 0;
    for (const Opening& opening : partitions) {
      const Name name{opening.topic, opening.partition.value};
      call += " " + name.first + "-" + std::to_string(name.second);
      if (create_error && made == made_before_error) return *create_error;
      if (folders.contains(name)) return Error{Errc::already_exists, name.first};
      folders[name] = {opening.topic_id, true, opening.config, opening.leader_epoch_min};
      ++made;
    }
    calls.push_back(call);
    return {};
  }
  Result<void> remove(const std::string& topic, PartitionIndex partition) override {
    if (remove_error) return *remove_error;
    calls.push_back("remove " + topic + "-" + std::to_string(partition.value));
    if (folders.erase({topic, partition.value}) == 0) return Error{Errc::not_found, topic};
    return {};
  }
  void set_config(const std::string& topic, PartitionIndex partition,
                  const storage::LogConfig& config) override {
    folders[{topic, partition.value}].config = config;
  }

  State state(std::string_view topic, PartitionIndex partition) const override {
    const Name name{std::string(topic), partition.value};
    const auto found = folders.find(name);
    if (found == folders.end() || !found->second.is_served || offline.contains(name)) return {};
    return {LeaderEpoch(7), true};
  }
};

}  // namespace sillok::tests
