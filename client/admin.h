// Topics: made, removed, listed, described.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cluster.h"
#include "client/metadata_cache.h"
#include "protocol/base/result.h"
#include "protocol/messages/values.h"

namespace sillok::client {

struct NewTopic {
  static constexpr std::int32_t kBrokerDefault = -1;
  std::string name;
  std::int32_t partitions = kBrokerDefault;
  std::int16_t replication_factor = kBrokerDefault;
  std::vector<std::pair<std::string, std::string>> configs;
};

// What became of one topic.
struct TopicResult {
  std::string name;
  Result<void> result;
  TopicId id;                    // of a created topic, where the broker tells
  std::int32_t partitions = -1;  // of a created topic, where the broker tells
};

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;
  protocol::ConfigSource source = protocol::ConfigSource::unknown;
};

struct PartitionOffsets {
  Offset beginning{-1};
  Offset end{-1};
};

struct TopicDescription {
  TopicInfo info;
  std::vector<PartitionOffsets> offsets;  // by partition; -1 where the leader did not say
  std::vector<ConfigEntry> configs;
};

// Threading: one caller at a time; every call blocks.
// Failure: a Result of the call as a whole is about reaching a broker; what was refused is in each topic's
// own result.
class Admin {
 public:
  explicit Admin(ClusterOptions cluster);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  Result<std::vector<TopicResult>> create_topics(const std::vector<NewTopic>& topics);
  Result<std::vector<TopicResult>> delete_topics(const std::vector<std::string>& names);
  // By name.
  Result<std::vector<TopicInfo>> list_topics();
  Result<TopicDescription> describe_topic(const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sillok::client
