// AlterPartitionReassignments and ListPartitionReassignments: moves of partitions between brokers. Both are
// flexible from the start. AlterPartitionReassignments v1 adds whether the number of replicas may change.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct AlterPartitionReassignmentsPartition {
  PartitionIndex index;
  std::optional<std::vector<BrokerId>> replicas;
  bool operator==(const AlterPartitionReassignmentsPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsPartition::index>("PartitionIndex"),
      field<&AlterPartitionReassignmentsPartition::replicas>("Replicas"));
};

struct AlterPartitionReassignmentsTopic {
  std::string_view name;
  std::vector<AlterPartitionReassignmentsPartition> partitions;
  bool operator==(const AlterPartitionReassignmentsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsTopic::name>("Name"),
      field<&AlterPartitionReassignmentsTopic::partitions>("Partitions"));
};

struct AlterPartitionReassignmentsRequest {
  static constexpr ApiKey kKey = ApiKey::alter_partition_reassignments;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t timeout_ms = 60000;
  bool allow_replication_factor_change = true;
  std::vector<AlterPartitionReassignmentsTopic> topics;
  bool operator==(const AlterPartitionReassignmentsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsRequest::timeout_ms>("TimeoutMs"),
      field<&AlterPartitionReassignmentsRequest::allow_replication_factor_change>(
          "AllowReplicationFactorChange", since(1)),
      field<&AlterPartitionReassignmentsRequest::topics>("Topics"));
};

struct AlterPartitionReassignmentsPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  bool operator==(const AlterPartitionReassignmentsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsPartitionResponse::index>("PartitionIndex"),
      field<&AlterPartitionReassignmentsPartitionResponse::error_code>("ErrorCode"),
      field<&AlterPartitionReassignmentsPartitionResponse::error_message>("ErrorMessage"));
};

struct AlterPartitionReassignmentsTopicResponse {
  std::string_view name;
  std::vector<AlterPartitionReassignmentsPartitionResponse> partitions;
  bool operator==(const AlterPartitionReassignmentsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsTopicResponse::name>("Name"),
      field<&AlterPartitionReassignmentsTopicResponse::partitions>("Partitions"));
};

struct AlterPartitionReassignmentsResponse {
  static constexpr ApiKey kKey = ApiKey::alter_partition_reassignments;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  bool allow_replication_factor_change = true;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<AlterPartitionReassignmentsTopicResponse> responses;
  bool operator==(const AlterPartitionReassignmentsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterPartitionReassignmentsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&AlterPartitionReassignmentsResponse::allow_replication_factor_change>(
          "AllowReplicationFactorChange", since(1), IfAbsent::drop),
      field<&AlterPartitionReassignmentsResponse::error_code>("ErrorCode"),
      field<&AlterPartitionReassignmentsResponse::error_message>("ErrorMessage"),
      field<&AlterPartitionReassignmentsResponse::responses>("Responses"));
};

struct ListPartitionReassignmentsTopic {
  std::string_view name;
  std::vector<PartitionIndex> partition_indexes;
  bool operator==(const ListPartitionReassignmentsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListPartitionReassignmentsTopic::name>("Name"),
      field<&ListPartitionReassignmentsTopic::partition_indexes>("PartitionIndexes"));
};

struct ListPartitionReassignmentsRequest {
  static constexpr ApiKey kKey = ApiKey::list_partition_reassignments;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t timeout_ms = 60000;
  std::optional<std::vector<ListPartitionReassignmentsTopic>> topics;
  bool operator==(const ListPartitionReassignmentsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListPartitionReassignmentsRequest::timeout_ms>("TimeoutMs"),
      field<&ListPartitionReassignmentsRequest::topics>("Topics"));
};

struct ListPartitionReassignmentsPartitionResponse {
  PartitionIndex index;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> adding_replicas;
  std::vector<BrokerId> removing_replicas;
  bool operator==(const ListPartitionReassignmentsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListPartitionReassignmentsPartitionResponse::index>("PartitionIndex"),
      field<&ListPartitionReassignmentsPartitionResponse::replicas>("Replicas"),
      field<&ListPartitionReassignmentsPartitionResponse::adding_replicas>("AddingReplicas"),
      field<&ListPartitionReassignmentsPartitionResponse::removing_replicas>("RemovingReplicas"));
};

struct ListPartitionReassignmentsTopicResponse {
  std::string_view name;
  std::vector<ListPartitionReassignmentsPartitionResponse> partitions;
  bool operator==(const ListPartitionReassignmentsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListPartitionReassignmentsTopicResponse::name>("Name"),
      field<&ListPartitionReassignmentsTopicResponse::partitions>("Partitions"));
};

struct ListPartitionReassignmentsResponse {
  static constexpr ApiKey kKey = ApiKey::list_partition_reassignments;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<ListPartitionReassignmentsTopicResponse> topics;
  bool operator==(const ListPartitionReassignmentsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListPartitionReassignmentsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&ListPartitionReassignmentsResponse::error_code>("ErrorCode"),
      field<&ListPartitionReassignmentsResponse::error_message>("ErrorMessage"),
      field<&ListPartitionReassignmentsResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
