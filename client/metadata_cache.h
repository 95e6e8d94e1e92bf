// What the last metadata answers said: brokers, topics, and which broker leads which partition.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/endpoint.h"
#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"

namespace sillok::protocol {
struct MetadataResponse;
struct MetadataTopic;
}  // namespace sillok::protocol

namespace sillok::client {

struct TopicPartition {
  std::string topic;
  PartitionIndex partition;
  auto operator<=>(const TopicPartition&) const = default;
};

struct PartitionInfo {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  PartitionIndex index;
  BrokerId leader{-1};
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> in_sync;
};

struct TopicInfo {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string name;
  TopicId id;
  bool is_internal = false;
  std::vector<PartitionInfo> partitions;  // by index, without gaps
};

// Threading: not thread-safe. Holds copies, so nothing of an answer has to live on.
class MetadataCache {
 public:
  static constexpr std::size_t kPartitionsMax = 1'000'000;  // of one topic: an answer is a lie until checked

  // Brokers are replaced, topics added or replaced. `asked` is who answered: a broker that names a Unix
  // domain socket is that one, by the very socket that it was asked over. (Its path may have another name
  // over there, as in a container; and nobody who answers over TCP gets this client to open sockets of this
  // machine.) An answer whose leader epoch is older than the known one does not take a partition back to its
  // old leader.
  void update(const protocol::MetadataResponse& response, const Endpoint& asked);
  void forget(std::string_view topic);

  // nullptr where unknown.
  const TopicInfo* topic(std::string_view name) const;
  const std::map<std::string, TopicInfo, std::less<>>& topics() const { return topics_; }
  const std::map<BrokerId, Endpoint>& brokers() const { return brokers_; }
  // nullopt where there is no leader, or where nothing is known of the broker that leads.
  std::optional<BrokerId> leader(std::string_view topic, PartitionIndex partition) const;

 private:
  static TopicInfo convert(const protocol::MetadataTopic& from);

  std::map<std::string, TopicInfo, std::less<>> topics_;
  std::map<BrokerId, Endpoint> brokers_;
};

}  // namespace sillok::client
