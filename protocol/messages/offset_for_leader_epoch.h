// OffsetForLeaderEpoch: where an epoch of a partition's leader ends, so that a client or follower sees that
// its log was cut. v3 adds the replica id, v4 is flexible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct OffsetForLeaderPartition {
  PartitionIndex index;
  LeaderEpoch current_leader_epoch{-1};
  LeaderEpoch leader_epoch;
  bool operator==(const OffsetForLeaderPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderPartition::index>("Partition"),
      field<&OffsetForLeaderPartition::current_leader_epoch>("CurrentLeaderEpoch", since(2), IfAbsent::drop),
      field<&OffsetForLeaderPartition::leader_epoch>("LeaderEpoch"));
};

struct OffsetForLeaderTopic {
  std::string_view name;
  std::vector<OffsetForLeaderPartition> partitions;
  bool operator==(const OffsetForLeaderTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderTopic::name>("Topic"), field<&OffsetForLeaderTopic::partitions>("Partitions"));
};

struct OffsetForLeaderEpochRequest {
  static constexpr ApiKey kKey = ApiKey::offset_for_leader_epoch;
  static constexpr VersionRange kVersions{2, 4};
  static constexpr VersionRange kFlexible = since(4);

  BrokerId replica_id{-2};
  std::vector<OffsetForLeaderTopic> topics;
  bool operator==(const OffsetForLeaderEpochRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderEpochRequest::replica_id>("ReplicaId", since(3), IfAbsent::drop),
      field<&OffsetForLeaderEpochRequest::topics>("Topics"));
};

struct OffsetForLeaderPartitionResponse {
  ErrorCode error_code = ErrorCode::none;
  PartitionIndex index;
  LeaderEpoch leader_epoch{-1};
  Offset end_offset{-1};
  bool operator==(const OffsetForLeaderPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderPartitionResponse::error_code>("ErrorCode"),
      field<&OffsetForLeaderPartitionResponse::index>("Partition"),
      field<&OffsetForLeaderPartitionResponse::leader_epoch>("LeaderEpoch", since(1), IfAbsent::drop),
      field<&OffsetForLeaderPartitionResponse::end_offset>("EndOffset"));
};

struct OffsetForLeaderTopicResponse {
  std::string_view name;
  std::vector<OffsetForLeaderPartitionResponse> partitions;
  bool operator==(const OffsetForLeaderTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderTopicResponse::name>("Topic"),
      field<&OffsetForLeaderTopicResponse::partitions>("Partitions"));
};

struct OffsetForLeaderEpochResponse {
  static constexpr ApiKey kKey = ApiKey::offset_for_leader_epoch;
  static constexpr VersionRange kVersions{2, 4};
  static constexpr VersionRange kFlexible = since(4);

  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetForLeaderTopicResponse> topics;
  bool operator==(const OffsetForLeaderEpochResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&OffsetForLeaderEpochResponse::throttle_time_ms>("ThrottleTimeMs", since(2), IfAbsent::drop),
      field<&OffsetForLeaderEpochResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
