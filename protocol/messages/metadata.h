// Metadata: brokers, topics, partitions and their leaders.
// v1 adds racks, the controller, internal topics and null for "all topics", v2 the cluster id, v3 the
// throttle time, v4 the leave to create topics, v5 offline replicas, v7 leader epochs, v8 authorized
// operations, v9 is flexible, v10 adds topic ids, v11 drops the cluster's authorized operations, v12 asks by
// topic id, v13 adds an error for the whole.
//
// Non-obvious: in version 0, no topics means all topics; from version 1 on, null does, and none means none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct MetadataRequestTopic {
  TopicId topic_id;
  std::optional<std::string_view> name;
  bool operator==(const MetadataRequestTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataRequestTopic::topic_id>("TopicId", since(10), IfAbsent::drop),
      field<&MetadataRequestTopic::name>("Name", nullable(since(10))));
};

struct MetadataRequest {
  static constexpr ApiKey kKey = ApiKey::metadata;
  static constexpr VersionRange kVersions{0, 13};
  static constexpr VersionRange kFlexible = since(9);

  std::optional<std::vector<MetadataRequestTopic>> topics;
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
  bool operator==(const MetadataRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataRequest::topics>("Topics", nullable(since(1))),
      field<&MetadataRequest::allow_auto_topic_creation>("AllowAutoTopicCreation", since(4)),
      field<&MetadataRequest::include_cluster_authorized_operations>("IncludeClusterAuthorizedOperations",
                                                                     between(8, 10)),
      field<&MetadataRequest::include_topic_authorized_operations>("IncludeTopicAuthorizedOperations",
                                                                   since(8)));
};

struct MetadataBroker {
  BrokerId node_id;
  std::string_view host;
  std::int32_t port = 0;
  std::optional<std::string_view> rack;
  bool operator==(const MetadataBroker&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataBroker::node_id>("NodeId"), field<&MetadataBroker::host>("Host"),
      field<&MetadataBroker::port>("Port"), field<&MetadataBroker::rack>("Rack", since(1), IfAbsent::drop));
};

struct MetadataPartition {
  ErrorCode error_code = ErrorCode::none;
  PartitionIndex index;
  BrokerId leader_id;
  LeaderEpoch leader_epoch{-1};
  std::vector<BrokerId> replica_nodes;
  std::vector<BrokerId> isr_nodes;
  std::vector<BrokerId> offline_replicas;
  bool operator==(const MetadataPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataPartition::error_code>("ErrorCode"), field<&MetadataPartition::index>("PartitionIndex"),
      field<&MetadataPartition::leader_id>("LeaderId"),
      field<&MetadataPartition::leader_epoch>("LeaderEpoch", since(7), IfAbsent::drop),
      field<&MetadataPartition::replica_nodes>("ReplicaNodes"),
      field<&MetadataPartition::isr_nodes>("IsrNodes"),
      field<&MetadataPartition::offline_replicas>("OfflineReplicas", since(5), IfAbsent::drop));
};

struct MetadataTopic {
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> name;
  TopicId topic_id;
  bool is_internal = false;
  std::vector<MetadataPartition> partitions;
  std::int32_t topic_authorized_operations = kOperationsNotAsked;
  bool operator==(const MetadataTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataTopic::error_code>("ErrorCode"),
      field<&MetadataTopic::name>("Name", nullable(since(12))),
      field<&MetadataTopic::topic_id>("TopicId", since(10), IfAbsent::drop),
      field<&MetadataTopic::is_internal>("IsInternal", since(1), IfAbsent::drop),
      field<&MetadataTopic::partitions>("Partitions"),
      field<&MetadataTopic::topic_authorized_operations>("TopicAuthorizedOperations", since(8)));
};

struct MetadataResponse {
  static constexpr ApiKey kKey = ApiKey::metadata;
  static constexpr VersionRange kVersions{0, 13};
  static constexpr VersionRange kFlexible = since(9);

  std::int32_t throttle_time_ms = 0;
  std::vector<MetadataBroker> brokers;
  std::optional<std::string_view> cluster_id;
  BrokerId controller_id{-1};
  std::vector<MetadataTopic> topics;
  std::int32_t cluster_authorized_operations = kOperationsNotAsked;
  ErrorCode error_code = ErrorCode::none;
  bool operator==(const MetadataResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&MetadataResponse::throttle_time_ms>("ThrottleTimeMs", since(3), IfAbsent::drop),
      field<&MetadataResponse::brokers>("Brokers"),
      field<&MetadataResponse::cluster_id>("ClusterId", since(2), IfAbsent::drop),
      field<&MetadataResponse::controller_id>("ControllerId", since(1), IfAbsent::drop),
      field<&MetadataResponse::topics>("Topics"),
      field<&MetadataResponse::cluster_authorized_operations>("ClusterAuthorizedOperations", between(8, 10)),
      field<&MetadataResponse::error_code>("ErrorCode", since(13), IfAbsent::drop));
};

}  // namespace sillok::protocol
