// DescribeTopicPartitions: topics and their partitions, page by page. Flexible from the start.
//
// Non-obvious: a cursor names the first partition that is still to come, not the last one that was answered;
// a next cursor of null says that this was all.
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

struct DescribeTopicPartitionsTopic {
  std::string_view name;
  bool operator==(const DescribeTopicPartitionsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsTopic::name>("Name"));
};

struct DescribeTopicPartitionsCursor {
  std::string_view topic_name;
  PartitionIndex index;
  bool operator==(const DescribeTopicPartitionsCursor&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsCursor::topic_name>("TopicName"),
      field<&DescribeTopicPartitionsCursor::index>("PartitionIndex"));
};

struct DescribeTopicPartitionsRequest {
  static constexpr ApiKey kKey = ApiKey::describe_topic_partitions;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::vector<DescribeTopicPartitionsTopic> topics;
  std::int32_t response_partition_limit = 2000;
  std::optional<DescribeTopicPartitionsCursor> cursor;
  bool operator==(const DescribeTopicPartitionsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsRequest::topics>("Topics"),
      field<&DescribeTopicPartitionsRequest::response_partition_limit>("ResponsePartitionLimit"),
      field<&DescribeTopicPartitionsRequest::cursor>("Cursor"));
};

struct DescribeTopicPartitionsPartitionResponse {
  ErrorCode error_code = ErrorCode::none;
  PartitionIndex index;
  BrokerId leader_id;
  LeaderEpoch leader_epoch{-1};
  std::vector<BrokerId> replica_nodes;
  std::vector<BrokerId> isr_nodes;
  std::optional<std::vector<BrokerId>> eligible_leader_replicas;
  std::optional<std::vector<BrokerId>> last_known_elr;
  std::vector<BrokerId> offline_replicas;
  bool operator==(const DescribeTopicPartitionsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsPartitionResponse::error_code>("ErrorCode"),
      field<&DescribeTopicPartitionsPartitionResponse::index>("PartitionIndex"),
      field<&DescribeTopicPartitionsPartitionResponse::leader_id>("LeaderId"),
      field<&DescribeTopicPartitionsPartitionResponse::leader_epoch>("LeaderEpoch", IfAbsent::drop),
      field<&DescribeTopicPartitionsPartitionResponse::replica_nodes>("ReplicaNodes"),
      field<&DescribeTopicPartitionsPartitionResponse::isr_nodes>("IsrNodes"),
      field<&DescribeTopicPartitionsPartitionResponse::eligible_leader_replicas>("EligibleLeaderReplicas"),
      field<&DescribeTopicPartitionsPartitionResponse::last_known_elr>("LastKnownElr"),
      field<&DescribeTopicPartitionsPartitionResponse::offline_replicas>("OfflineReplicas", IfAbsent::drop));
};

struct DescribeTopicPartitionsTopicResponse {
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> name;
  TopicId topic_id;
  bool is_internal = false;
  std::vector<DescribeTopicPartitionsPartitionResponse> partitions;
  std::int32_t topic_authorized_operations = kOperationsNotAsked;
  bool operator==(const DescribeTopicPartitionsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsTopicResponse::error_code>("ErrorCode"),
      field<&DescribeTopicPartitionsTopicResponse::name>("Name"),
      field<&DescribeTopicPartitionsTopicResponse::topic_id>("TopicId", IfAbsent::drop),
      field<&DescribeTopicPartitionsTopicResponse::is_internal>("IsInternal", IfAbsent::drop),
      field<&DescribeTopicPartitionsTopicResponse::partitions>("Partitions"),
      field<&DescribeTopicPartitionsTopicResponse::topic_authorized_operations>("TopicAuthorizedOperations"));
};

struct DescribeTopicPartitionsResponse {
  static constexpr ApiKey kKey = ApiKey::describe_topic_partitions;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  std::vector<DescribeTopicPartitionsTopicResponse> topics;
  std::optional<DescribeTopicPartitionsCursor> next_cursor;
  bool operator==(const DescribeTopicPartitionsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeTopicPartitionsResponse::throttle_time_ms>("ThrottleTimeMs", IfAbsent::drop),
      field<&DescribeTopicPartitionsResponse::topics>("Topics"),
      field<&DescribeTopicPartitionsResponse::next_cursor>("NextCursor"));
};

}  // namespace sillok::protocol
