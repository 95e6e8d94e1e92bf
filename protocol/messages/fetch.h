// Fetch: record batches by offset, for consumers and followers.
// v5 adds log start offsets, v7 fetch sessions, v9 the leader epoch, v11 the rack and the preferred replica,
// v12 is flexible and adds epoch checks (last_fetched_epoch, diverging_epoch) and the leader hint, v13 topic
// ids in place of names, v15 moves the replica id into replica_state, v16 adds the leaders' endpoints, v17
// the replica's directory id, v18 the replica's high watermark.
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
#include "protocol/wire/types.h"

namespace sillok::protocol {

struct FetchReplicaState {
  BrokerId replica_id{-1};
  std::int64_t replica_epoch = -1;
  bool operator==(const FetchReplicaState&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchReplicaState::replica_id>("ReplicaId"),
      field<&FetchReplicaState::replica_epoch>("ReplicaEpoch"));
};

struct FetchPartition {
  PartitionIndex index;
  LeaderEpoch current_leader_epoch{-1};
  Offset fetch_offset;
  LeaderEpoch last_fetched_epoch{-1};
  Offset log_start_offset{-1};
  std::int32_t max_bytes = 0;
  Uuid replica_directory_id;
  Offset high_watermark{0x7fffffffffffffff};
  bool operator==(const FetchPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchPartition::index>("Partition"),
      field<&FetchPartition::current_leader_epoch>("CurrentLeaderEpoch", since(9), IfAbsent::drop),
      field<&FetchPartition::fetch_offset>("FetchOffset"),
      field<&FetchPartition::last_fetched_epoch>("LastFetchedEpoch", since(12)),
      field<&FetchPartition::log_start_offset>("LogStartOffset", since(5), IfAbsent::drop),
      field<&FetchPartition::max_bytes>("PartitionMaxBytes"),
      field<&FetchPartition::replica_directory_id>("ReplicaDirectoryId", tagged(0, since(17)),
                                                   IfAbsent::drop),
      field<&FetchPartition::high_watermark>("HighWatermark", tagged(1, since(18)), IfAbsent::drop));
};

struct FetchTopic {
  std::string_view name;
  TopicId topic_id;
  std::vector<FetchPartition> partitions;
  bool operator==(const FetchTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchTopic::name>("Topic", until(12), IfAbsent::drop),
      field<&FetchTopic::topic_id>("TopicId", since(13), IfAbsent::drop),
      field<&FetchTopic::partitions>("Partitions"));
};

struct FetchForgottenTopic {
  std::string_view name;
  TopicId topic_id;
  std::vector<PartitionIndex> partitions;
  bool operator==(const FetchForgottenTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchForgottenTopic::name>("Topic", between(7, 12), IfAbsent::drop),
      field<&FetchForgottenTopic::topic_id>("TopicId", since(13), IfAbsent::drop),
      field<&FetchForgottenTopic::partitions>("Partitions"));
};

struct FetchRequest {
  static constexpr ApiKey kKey = ApiKey::fetch;
  static constexpr VersionRange kVersions{4, 18};
  static constexpr VersionRange kFlexible = since(12);

  std::optional<std::string_view> cluster_id;
  BrokerId replica_id{-1};
  FetchReplicaState replica_state;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = 0x7fffffff;
  IsolationLevel isolation_level = IsolationLevel::read_uncommitted;
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<FetchTopic> topics;
  std::vector<FetchForgottenTopic> forgotten_topics;
  std::string_view rack_id;
  bool operator==(const FetchRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchRequest::cluster_id>("ClusterId", tagged(0, since(12)), IfAbsent::drop),
      field<&FetchRequest::replica_id>("ReplicaId", until(14)),
      field<&FetchRequest::replica_state>("ReplicaState", tagged(1, since(15))),
      field<&FetchRequest::max_wait_ms>("MaxWaitMs"), field<&FetchRequest::min_bytes>("MinBytes"),
      field<&FetchRequest::max_bytes>("MaxBytes", since(3), IfAbsent::drop),
      field<&FetchRequest::isolation_level>("IsolationLevel", since(4), IfAbsent::drop),
      field<&FetchRequest::session_id>("SessionId", since(7), IfAbsent::drop),
      field<&FetchRequest::session_epoch>("SessionEpoch", since(7), IfAbsent::drop),
      field<&FetchRequest::topics>("Topics"),
      field<&FetchRequest::forgotten_topics>("ForgottenTopicsData", since(7)),
      field<&FetchRequest::rack_id>("RackId", since(11), IfAbsent::drop));
};

struct FetchEpochEnd {
  LeaderEpoch epoch{-1};
  Offset end_offset{-1};
  bool operator==(const FetchEpochEnd&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchEpochEnd::epoch>("Epoch"), field<&FetchEpochEnd::end_offset>("EndOffset"));
};

struct FetchLeader {
  BrokerId leader_id{-1};
  LeaderEpoch leader_epoch{-1};
  bool operator==(const FetchLeader&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchLeader::leader_id>("LeaderId"), field<&FetchLeader::leader_epoch>("LeaderEpoch"));
};

struct FetchSnapshotId {
  Offset end_offset{-1};
  LeaderEpoch epoch{-1};
  bool operator==(const FetchSnapshotId&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchSnapshotId::end_offset>("EndOffset"), field<&FetchSnapshotId::epoch>("Epoch"));
};

struct FetchAbortedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  bool operator==(const FetchAbortedTransaction&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchAbortedTransaction::producer_id>("ProducerId"),
      field<&FetchAbortedTransaction::first_offset>("FirstOffset"));
};

struct FetchPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  Offset high_watermark;
  Offset last_stable_offset{-1};
  Offset log_start_offset{-1};
  FetchEpochEnd diverging_epoch;
  FetchLeader current_leader;
  FetchSnapshotId snapshot_id;
  std::optional<std::vector<FetchAbortedTransaction>> aborted_transactions;
  BrokerId preferred_read_replica{-1};
  std::optional<Records> records =
      Records{};  // never null by default: some clients take null for a broken answer
  bool operator==(const FetchPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchPartitionResponse::index>("PartitionIndex"),
      field<&FetchPartitionResponse::error_code>("ErrorCode"),
      field<&FetchPartitionResponse::high_watermark>("HighWatermark"),
      field<&FetchPartitionResponse::last_stable_offset>("LastStableOffset", since(4), IfAbsent::drop),
      field<&FetchPartitionResponse::log_start_offset>("LogStartOffset", since(5), IfAbsent::drop),
      field<&FetchPartitionResponse::diverging_epoch>("DivergingEpoch", tagged(0, since(12))),
      field<&FetchPartitionResponse::current_leader>("CurrentLeader", tagged(1, since(12))),
      field<&FetchPartitionResponse::snapshot_id>("SnapshotId", tagged(2, since(12))),
      field<&FetchPartitionResponse::aborted_transactions>("AbortedTransactions", since(4), IfAbsent::drop),
      field<&FetchPartitionResponse::preferred_read_replica>("PreferredReadReplica", since(11)),
      field<&FetchPartitionResponse::records>("Records"));
};

struct FetchTopicResponse {
  std::string_view name;
  TopicId topic_id;
  std::vector<FetchPartitionResponse> partitions;
  bool operator==(const FetchTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchTopicResponse::name>("Topic", until(12), IfAbsent::drop),
      field<&FetchTopicResponse::topic_id>("TopicId", since(13), IfAbsent::drop),
      field<&FetchTopicResponse::partitions>("Partitions"));
};

struct FetchNodeEndpoint {
  BrokerId node_id;
  std::string_view host;
  std::int32_t port = 0;
  std::optional<std::string_view> rack;
  bool operator==(const FetchNodeEndpoint&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchNodeEndpoint::node_id>("NodeId"), field<&FetchNodeEndpoint::host>("Host"),
      field<&FetchNodeEndpoint::port>("Port"), field<&FetchNodeEndpoint::rack>("Rack"));
};

struct FetchResponse {
  static constexpr ApiKey kKey = ApiKey::fetch;
  static constexpr VersionRange kVersions{4, 18};
  static constexpr VersionRange kFlexible = since(12);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<FetchTopicResponse> responses;
  std::vector<FetchNodeEndpoint> node_endpoints;
  bool operator==(const FetchResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FetchResponse::throttle_time_ms>("ThrottleTimeMs", since(1), IfAbsent::drop),
      field<&FetchResponse::error_code>("ErrorCode", since(7), IfAbsent::drop),
      field<&FetchResponse::session_id>("SessionId", since(7)), field<&FetchResponse::responses>("Responses"),
      field<&FetchResponse::node_endpoints>("NodeEndpoints", tagged(0, since(16))));
};

}  // namespace sillok::protocol
