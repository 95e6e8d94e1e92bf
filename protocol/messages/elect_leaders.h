// ElectLeaders: asks for elections of partition leaders.
// v1 adds the type of election and an error for the whole, v2 is flexible.
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

enum class ElectionType : std::int8_t {
  preferred = 0,
  unclean = 1,
};

struct ElectLeadersTopic {
  std::string_view topic;
  std::vector<PartitionIndex> partitions;
  bool operator==(const ElectLeadersTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ElectLeadersTopic::topic>("Topic"), field<&ElectLeadersTopic::partitions>("Partitions"));
};

struct ElectLeadersRequest {
  static constexpr ApiKey kKey = ApiKey::elect_leaders;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  ElectionType election_type{};
  std::optional<std::vector<ElectLeadersTopic>> topic_partitions;
  std::int32_t timeout_ms = 60000;
  bool operator==(const ElectLeadersRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ElectLeadersRequest::election_type>("ElectionType", since(1)),
      field<&ElectLeadersRequest::topic_partitions>("TopicPartitions"),
      field<&ElectLeadersRequest::timeout_ms>("TimeoutMs"));
};

struct ElectLeadersPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  bool operator==(const ElectLeadersPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ElectLeadersPartitionResponse::index>("PartitionId"),
      field<&ElectLeadersPartitionResponse::error_code>("ErrorCode"),
      field<&ElectLeadersPartitionResponse::error_message>("ErrorMessage"));
};

struct ElectLeadersTopicResponse {
  std::string_view topic;
  std::vector<ElectLeadersPartitionResponse> partition_result;
  bool operator==(const ElectLeadersTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ElectLeadersTopicResponse::topic>("Topic"),
      field<&ElectLeadersTopicResponse::partition_result>("PartitionResult"));
};

struct ElectLeadersResponse {
  static constexpr ApiKey kKey = ApiKey::elect_leaders;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<ElectLeadersTopicResponse> replica_election_results;
  bool operator==(const ElectLeadersResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ElectLeadersResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&ElectLeadersResponse::error_code>("ErrorCode", since(1)),
      field<&ElectLeadersResponse::replica_election_results>("ReplicaElectionResults"));
};

}  // namespace sillok::protocol
