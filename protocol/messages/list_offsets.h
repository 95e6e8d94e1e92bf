// ListOffsets: the offset at a timestamp, or at one of the special places below.
// v2 adds the isolation level and the throttle time, v4 leader epochs, v6 is flexible; the special timestamps
// came one by one with v7 (maximum), v8 (local start), v9 (last tiered) and v11 (pending upload), v10 adds a
// timeout for remote lookups.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

// Timestamps in a request that mean a place in the log and not a time.
inline constexpr TimestampMs kLatestTimestamp = -1;
inline constexpr TimestampMs kEarliestTimestamp = -2;
inline constexpr TimestampMs kMaxTimestamp = -3;  // the record with the greatest timestamp, since version 7
inline constexpr TimestampMs kEarliestLocalTimestamp = -4;          // since version 8
inline constexpr TimestampMs kLatestTieredTimestamp = -5;           // since version 9
inline constexpr TimestampMs kEarliestPendingUploadTimestamp = -6;  // since version 11

struct ListOffsetsPartition {
  PartitionIndex index;
  LeaderEpoch current_leader_epoch{-1};
  TimestampMs timestamp = 0;
  bool operator==(const ListOffsetsPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsPartition::index>("PartitionIndex"),
      field<&ListOffsetsPartition::current_leader_epoch>("CurrentLeaderEpoch", since(4), IfAbsent::drop),
      field<&ListOffsetsPartition::timestamp>("Timestamp"));
};

struct ListOffsetsTopic {
  std::string_view name;
  std::vector<ListOffsetsPartition> partitions;
  bool operator==(const ListOffsetsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsTopic::name>("Name"), field<&ListOffsetsTopic::partitions>("Partitions"));
};

struct ListOffsetsRequest {
  static constexpr ApiKey kKey = ApiKey::list_offsets;
  static constexpr VersionRange kVersions{1, 11};
  static constexpr VersionRange kFlexible = since(6);

  BrokerId replica_id;
  IsolationLevel isolation_level = IsolationLevel::read_uncommitted;
  std::vector<ListOffsetsTopic> topics;
  std::int32_t timeout_ms = 0;
  bool operator==(const ListOffsetsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsRequest::replica_id>("ReplicaId"),
      field<&ListOffsetsRequest::isolation_level>("IsolationLevel", since(2)),
      field<&ListOffsetsRequest::topics>("Topics"),
      field<&ListOffsetsRequest::timeout_ms>("TimeoutMs", since(10), IfAbsent::drop));
};

struct ListOffsetsPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  TimestampMs timestamp = -1;
  Offset offset{-1};
  LeaderEpoch leader_epoch{-1};
  bool operator==(const ListOffsetsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsPartitionResponse::index>("PartitionIndex"),
      field<&ListOffsetsPartitionResponse::error_code>("ErrorCode"),
      field<&ListOffsetsPartitionResponse::timestamp>("Timestamp", since(1)),
      field<&ListOffsetsPartitionResponse::offset>("Offset", since(1)),
      field<&ListOffsetsPartitionResponse::leader_epoch>("LeaderEpoch", since(4)));
};

struct ListOffsetsTopicResponse {
  std::string_view name;
  std::vector<ListOffsetsPartitionResponse> partitions;
  bool operator==(const ListOffsetsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsTopicResponse::name>("Name"),
      field<&ListOffsetsTopicResponse::partitions>("Partitions"));
};

struct ListOffsetsResponse {
  static constexpr ApiKey kKey = ApiKey::list_offsets;
  static constexpr VersionRange kVersions{1, 11};
  static constexpr VersionRange kFlexible = since(6);

  std::int32_t throttle_time_ms = 0;
  std::vector<ListOffsetsTopicResponse> topics;
  bool operator==(const ListOffsetsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListOffsetsResponse::throttle_time_ms>("ThrottleTimeMs", since(2), IfAbsent::drop),
      field<&ListOffsetsResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
