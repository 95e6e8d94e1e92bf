// CreateTopics.
// v4 lets partition count and replication factor be -1 (the broker's default), v5 is flexible and answers
// with the topic's configs, v6 may answer THROTTLING_QUOTA_EXCEEDED, v7 answers with the topic id.
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

struct CreateTopicsAssignment {
  PartitionIndex index;
  std::vector<BrokerId> broker_ids;
  bool operator==(const CreateTopicsAssignment&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsAssignment::index>("PartitionIndex"),
      field<&CreateTopicsAssignment::broker_ids>("BrokerIds"));
};

struct CreateTopicsConfig {
  std::string_view name;
  std::optional<std::string_view> value;
  bool operator==(const CreateTopicsConfig&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsConfig::name>("Name"), field<&CreateTopicsConfig::value>("Value"));
};

struct CreateTopicsTopic {
  std::string_view name;
  std::int32_t num_partitions = 0;
  std::int16_t replication_factor = 0;
  std::vector<CreateTopicsAssignment> assignments;
  std::vector<CreateTopicsConfig> configs;
  bool operator==(const CreateTopicsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsTopic::name>("Name"), field<&CreateTopicsTopic::num_partitions>("NumPartitions"),
      field<&CreateTopicsTopic::replication_factor>("ReplicationFactor"),
      field<&CreateTopicsTopic::assignments>("Assignments"), field<&CreateTopicsTopic::configs>("Configs"));
};

struct CreateTopicsRequest {
  static constexpr ApiKey kKey = ApiKey::create_topics;
  static constexpr VersionRange kVersions{2, 7};
  static constexpr VersionRange kFlexible = since(5);

  std::vector<CreateTopicsTopic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;
  bool operator==(const CreateTopicsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsRequest::topics>("Topics"), field<&CreateTopicsRequest::timeout_ms>("timeoutMs"),
      field<&CreateTopicsRequest::validate_only>("validateOnly", since(1)));
};

struct CreateTopicsConfigResponse {
  std::string_view name;
  std::optional<std::string_view> value;
  bool read_only = false;
  ConfigSource config_source{-1};
  bool is_sensitive = false;
  bool operator==(const CreateTopicsConfigResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsConfigResponse::name>("Name"), field<&CreateTopicsConfigResponse::value>("Value"),
      field<&CreateTopicsConfigResponse::read_only>("ReadOnly"),
      field<&CreateTopicsConfigResponse::config_source>("ConfigSource", IfAbsent::drop),
      field<&CreateTopicsConfigResponse::is_sensitive>("IsSensitive"));
};

struct CreateTopicsTopicResponse {
  std::string_view name;
  TopicId topic_id;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  ErrorCode topic_config_error_code = ErrorCode::none;
  std::int32_t num_partitions = -1;
  std::int16_t replication_factor = -1;
  std::optional<std::vector<CreateTopicsConfigResponse>> configs;
  bool operator==(const CreateTopicsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsTopicResponse::name>("Name"),
      field<&CreateTopicsTopicResponse::topic_id>("TopicId", since(7), IfAbsent::drop),
      field<&CreateTopicsTopicResponse::error_code>("ErrorCode"),
      field<&CreateTopicsTopicResponse::error_message>("ErrorMessage", since(1), IfAbsent::drop),
      field<&CreateTopicsTopicResponse::topic_config_error_code>("TopicConfigErrorCode", tagged(0, since(5)),
                                                                 IfAbsent::drop),
      field<&CreateTopicsTopicResponse::num_partitions>("NumPartitions", since(5), IfAbsent::drop),
      field<&CreateTopicsTopicResponse::replication_factor>("ReplicationFactor", since(5), IfAbsent::drop),
      field<&CreateTopicsTopicResponse::configs>("Configs", since(5), IfAbsent::drop));
};

struct CreateTopicsResponse {
  static constexpr ApiKey kKey = ApiKey::create_topics;
  static constexpr VersionRange kVersions{2, 7};
  static constexpr VersionRange kFlexible = since(5);

  std::int32_t throttle_time_ms = 0;
  std::vector<CreateTopicsTopicResponse> topics;
  bool operator==(const CreateTopicsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&CreateTopicsResponse::throttle_time_ms>("ThrottleTimeMs", since(2), IfAbsent::drop),
      field<&CreateTopicsResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
