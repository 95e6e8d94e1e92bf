// Produce: appends record batches. The broker says that it takes versions from 0, as Apache Kafka does, since
// old librdkafka compresses only where version 0 is offered; requests below 3 are refused. v5 adds
// log_start_offset to the answer, v8 the record errors, v9 is flexible, v10 adds leader hints, v12 implicit
// transaction partitions, v13 topic ids in place of names.
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
#include "protocol/wire/types.h"

namespace sillok::protocol {

struct ProducePartition {
  PartitionIndex index;
  std::optional<Records> records;
  bool operator==(const ProducePartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ProducePartition::index>("Index"), field<&ProducePartition::records>("Records"));
};

struct ProduceTopic {
  std::string_view name;
  TopicId topic_id;
  std::vector<ProducePartition> partitions;
  bool operator==(const ProduceTopic&) const = default;
  static constexpr auto kSchema = schema(field<&ProduceTopic::name>("Name", until(12), IfAbsent::drop),
                                         field<&ProduceTopic::topic_id>("TopicId", since(13), IfAbsent::drop),
                                         field<&ProduceTopic::partitions>("PartitionData"));
};

struct ProduceRequest {
  static constexpr ApiKey kKey = ApiKey::produce;
  static constexpr VersionRange kVersions{3, 13};
  static constexpr VersionRange kFlexible = since(9);

  std::optional<std::string_view> transactional_id;
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<ProduceTopic> topics;
  bool operator==(const ProduceRequest&) const = default;
  static constexpr auto kSchema = schema(
      field<&ProduceRequest::transactional_id>("TransactionalId"), field<&ProduceRequest::acks>("Acks"),
      field<&ProduceRequest::timeout_ms>("TimeoutMs"), field<&ProduceRequest::topics>("TopicData"));
};

struct ProduceRecordError {
  std::int32_t batch_index = 0;
  std::optional<std::string_view> message;
  bool operator==(const ProduceRecordError&) const = default;
  static constexpr auto kSchema = schema(field<&ProduceRecordError::batch_index>("BatchIndex"),
                                         field<&ProduceRecordError::message>("BatchIndexErrorMessage"));
};

struct ProduceLeader {
  BrokerId leader_id{-1};
  LeaderEpoch leader_epoch{-1};
  bool operator==(const ProduceLeader&) const = default;
  static constexpr auto kSchema = schema(field<&ProduceLeader::leader_id>("LeaderId"),
                                         field<&ProduceLeader::leader_epoch>("LeaderEpoch"));
};

struct ProducePartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  Offset base_offset;
  TimestampMs log_append_time_ms = -1;
  Offset log_start_offset{-1};
  std::vector<ProduceRecordError> record_errors;
  std::optional<std::string_view> error_message;
  ProduceLeader current_leader;
  bool operator==(const ProducePartitionResponse&) const = default;
  static constexpr auto kSchema = schema(
      field<&ProducePartitionResponse::index>("Index"),
      field<&ProducePartitionResponse::error_code>("ErrorCode"),
      field<&ProducePartitionResponse::base_offset>("BaseOffset"),
      field<&ProducePartitionResponse::log_append_time_ms>("LogAppendTimeMs", since(2), IfAbsent::drop),
      field<&ProducePartitionResponse::log_start_offset>("LogStartOffset", since(5), IfAbsent::drop),
      field<&ProducePartitionResponse::record_errors>("RecordErrors", since(8), IfAbsent::drop),
      field<&ProducePartitionResponse::error_message>("ErrorMessage", since(8), IfAbsent::drop),
      field<&ProducePartitionResponse::current_leader>("CurrentLeader", tagged(0, since(10))));
};

struct ProduceTopicResponse {
  std::string_view name;
  TopicId topic_id;
  std::vector<ProducePartitionResponse> partitions;
  bool operator==(const ProduceTopicResponse&) const = default;
  static constexpr auto kSchema =
      schema(field<&ProduceTopicResponse::name>("Name", until(12), IfAbsent::drop),
             field<&ProduceTopicResponse::topic_id>("TopicId", since(13), IfAbsent::drop),
             field<&ProduceTopicResponse::partitions>("PartitionResponses"));
};

struct ProduceNodeEndpoint {
  BrokerId node_id;
  std::string_view host;
  std::int32_t port = 0;
  std::optional<std::string_view> rack;
  bool operator==(const ProduceNodeEndpoint&) const = default;
  static constexpr auto kSchema =
      schema(field<&ProduceNodeEndpoint::node_id>("NodeId"), field<&ProduceNodeEndpoint::host>("Host"),
             field<&ProduceNodeEndpoint::port>("Port"), field<&ProduceNodeEndpoint::rack>("Rack"));
};

struct ProduceResponse {
  static constexpr ApiKey kKey = ApiKey::produce;
  static constexpr VersionRange kVersions{3, 13};
  static constexpr VersionRange kFlexible = since(9);

  std::vector<ProduceTopicResponse> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<ProduceNodeEndpoint> node_endpoints;
  bool operator==(const ProduceResponse&) const = default;
  static constexpr auto kSchema =
      schema(field<&ProduceResponse::responses>("Responses"),
             field<&ProduceResponse::throttle_time_ms>("ThrottleTimeMs", since(1), IfAbsent::drop),
             field<&ProduceResponse::node_endpoints>("NodeEndpoints", tagged(0, since(10))));
};

}  // namespace sillok::protocol
