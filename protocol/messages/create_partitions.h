// CreatePartitions: raises the number of a topic's partitions.
// v2 is flexible, v3 may answer THROTTLING_QUOTA_EXCEEDED.
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

struct CreatePartitionsAssignment {
  std::vector<BrokerId> broker_ids;
  bool operator==(const CreatePartitionsAssignment&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreatePartitionsAssignment::broker_ids>("BrokerIds"));
};

struct CreatePartitionsTopic {
  std::string_view name;
  std::int32_t count = 0;
  std::optional<std::vector<CreatePartitionsAssignment>> assignments;
  bool operator==(const CreatePartitionsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreatePartitionsTopic::name>("Name"), field<&CreatePartitionsTopic::count>("Count"),
      field<&CreatePartitionsTopic::assignments>("Assignments"));
};

struct CreatePartitionsRequest {
  static constexpr ApiKey kKey = ApiKey::create_partitions;
  static constexpr VersionRange kVersions{0, 3};
  static constexpr VersionRange kFlexible = since(2);

  std::vector<CreatePartitionsTopic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;
  bool operator==(const CreatePartitionsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreatePartitionsRequest::topics>("Topics"),
      field<&CreatePartitionsRequest::timeout_ms>("TimeoutMs"),
      field<&CreatePartitionsRequest::validate_only>("ValidateOnly"));
};

struct CreatePartitionsTopicResponse {
  std::string_view name;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  bool operator==(const CreatePartitionsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreatePartitionsTopicResponse::name>("Name"),
      field<&CreatePartitionsTopicResponse::error_code>("ErrorCode"),
      field<&CreatePartitionsTopicResponse::error_message>("ErrorMessage"));
};

struct CreatePartitionsResponse {
  static constexpr ApiKey kKey = ApiKey::create_partitions;
  static constexpr VersionRange kVersions{0, 3};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  std::vector<CreatePartitionsTopicResponse> results;
  bool operator==(const CreatePartitionsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreatePartitionsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&CreatePartitionsResponse::results>("Results"));
};

}  // namespace sillok::protocol
