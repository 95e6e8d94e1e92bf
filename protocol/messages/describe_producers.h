// DescribeProducers: who has written to a partition with a producer id. Flexible from the start.
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

struct DescribeProducersTopic {
  std::string_view name;
  std::vector<PartitionIndex> partition_indexes;
  bool operator==(const DescribeProducersTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersTopic::name>("Name"),
      field<&DescribeProducersTopic::partition_indexes>("PartitionIndexes"));
};

struct DescribeProducersRequest {
  static constexpr ApiKey kKey = ApiKey::describe_producers;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::vector<DescribeProducersTopic> topics;
  bool operator==(const DescribeProducersRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersRequest::topics>("Topics"));
};

struct DescribeProducersProducer {
  ProducerId producer_id;
  std::int32_t producer_epoch = 0;
  std::int32_t last_sequence = -1;
  TimestampMs last_timestamp = kNoTimestamp;
  std::int32_t coordinator_epoch = 0;
  Offset current_txn_start_offset{-1};
  bool operator==(const DescribeProducersProducer&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersProducer::producer_id>("ProducerId"),
      field<&DescribeProducersProducer::producer_epoch>("ProducerEpoch"),
      field<&DescribeProducersProducer::last_sequence>("LastSequence"),
      field<&DescribeProducersProducer::last_timestamp>("LastTimestamp"),
      field<&DescribeProducersProducer::coordinator_epoch>("CoordinatorEpoch"),
      field<&DescribeProducersProducer::current_txn_start_offset>("CurrentTxnStartOffset"));
};

struct DescribeProducersPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<DescribeProducersProducer> active_producers;
  bool operator==(const DescribeProducersPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersPartitionResponse::index>("PartitionIndex"),
      field<&DescribeProducersPartitionResponse::error_code>("ErrorCode"),
      field<&DescribeProducersPartitionResponse::error_message>("ErrorMessage"),
      field<&DescribeProducersPartitionResponse::active_producers>("ActiveProducers"));
};

struct DescribeProducersTopicResponse {
  std::string_view name;
  std::vector<DescribeProducersPartitionResponse> partitions;
  bool operator==(const DescribeProducersTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersTopicResponse::name>("Name"),
      field<&DescribeProducersTopicResponse::partitions>("Partitions"));
};

struct DescribeProducersResponse {
  static constexpr ApiKey kKey = ApiKey::describe_producers;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  std::vector<DescribeProducersTopicResponse> topics;
  bool operator==(const DescribeProducersResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeProducersResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&DescribeProducersResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
