// DescribeQuorum: who agrees on the cluster's metadata, and how far each is. Flexible from the start.
// v1 adds when a replica last fetched and was caught up, v2 error messages, directory ids and the nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct DescribeQuorumPartition {
  PartitionIndex index;
  bool operator==(const DescribeQuorumPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumPartition::index>("PartitionIndex"));
};

struct DescribeQuorumTopic {
  std::string_view topic_name;
  std::vector<DescribeQuorumPartition> partitions;
  bool operator==(const DescribeQuorumTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumTopic::topic_name>("TopicName"),
      field<&DescribeQuorumTopic::partitions>("Partitions"));
};

struct DescribeQuorumRequest {
  static constexpr ApiKey kKey = ApiKey::describe_quorum;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::vector<DescribeQuorumTopic> topics;
  bool operator==(const DescribeQuorumRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumRequest::topics>("Topics"));
};

struct DescribeQuorumReplica {
  BrokerId replica_id;
  Uuid replica_directory_id;
  Offset log_end_offset;
  TimestampMs last_fetch_timestamp = kNoTimestamp;
  TimestampMs last_caught_up_timestamp = kNoTimestamp;
  bool operator==(const DescribeQuorumReplica&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumReplica::replica_id>("ReplicaId"),
      field<&DescribeQuorumReplica::replica_directory_id>("ReplicaDirectoryId", since(2)),
      field<&DescribeQuorumReplica::log_end_offset>("LogEndOffset"),
      field<&DescribeQuorumReplica::last_fetch_timestamp>("LastFetchTimestamp", since(1), IfAbsent::drop),
      field<&DescribeQuorumReplica::last_caught_up_timestamp>("LastCaughtUpTimestamp", since(1),
                                                              IfAbsent::drop));
};

struct DescribeQuorumPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  BrokerId leader_id;
  LeaderEpoch leader_epoch;
  Offset high_watermark;
  std::vector<DescribeQuorumReplica> current_voters;
  std::vector<DescribeQuorumReplica> observers;
  bool operator==(const DescribeQuorumPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumPartitionResponse::index>("PartitionIndex"),
      field<&DescribeQuorumPartitionResponse::error_code>("ErrorCode"),
      field<&DescribeQuorumPartitionResponse::error_message>("ErrorMessage", since(2), IfAbsent::drop),
      field<&DescribeQuorumPartitionResponse::leader_id>("LeaderId"),
      field<&DescribeQuorumPartitionResponse::leader_epoch>("LeaderEpoch"),
      field<&DescribeQuorumPartitionResponse::high_watermark>("HighWatermark"),
      field<&DescribeQuorumPartitionResponse::current_voters>("CurrentVoters"),
      field<&DescribeQuorumPartitionResponse::observers>("Observers"));
};

struct DescribeQuorumTopicResponse {
  std::string_view topic_name;
  std::vector<DescribeQuorumPartitionResponse> partitions;
  bool operator==(const DescribeQuorumTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumTopicResponse::topic_name>("TopicName"),
      field<&DescribeQuorumTopicResponse::partitions>("Partitions"));
};

struct DescribeQuorumListener {
  std::string_view name;
  std::string_view host;
  std::uint16_t port = 0;
  bool operator==(const DescribeQuorumListener&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumListener::name>("Name", since(2)),
      field<&DescribeQuorumListener::host>("Host", since(2)),
      field<&DescribeQuorumListener::port>("Port", since(2)));
};

struct DescribeQuorumNode {
  BrokerId node_id;
  std::vector<DescribeQuorumListener> listeners;
  bool operator==(const DescribeQuorumNode&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumNode::node_id>("NodeId", since(2)),
      field<&DescribeQuorumNode::listeners>("Listeners", since(2)));
};

struct DescribeQuorumResponse {
  static constexpr ApiKey kKey = ApiKey::describe_quorum;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<DescribeQuorumTopicResponse> topics;
  std::vector<DescribeQuorumNode> nodes;
  bool operator==(const DescribeQuorumResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeQuorumResponse::error_code>("ErrorCode"),
      field<&DescribeQuorumResponse::error_message>("ErrorMessage", since(2), IfAbsent::drop),
      field<&DescribeQuorumResponse::topics>("Topics"),
      field<&DescribeQuorumResponse::nodes>("Nodes", since(2)));
};

}  // namespace sillok::protocol
