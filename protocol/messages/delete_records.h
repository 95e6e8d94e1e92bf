// DeleteRecords: moves the start of partitions' logs up to an offset; -1 is the high watermark.
// v2 is flexible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct DeleteRecordsPartition {
  PartitionIndex index;
  Offset offset;
  bool operator==(const DeleteRecordsPartition&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsPartition::index>("PartitionIndex"),
      field<&DeleteRecordsPartition::offset>("Offset"));
};

struct DeleteRecordsTopic {
  std::string_view name;
  std::vector<DeleteRecordsPartition> partitions;
  bool operator==(const DeleteRecordsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsTopic::name>("Name"), field<&DeleteRecordsTopic::partitions>("Partitions"));
};

struct DeleteRecordsRequest {
  static constexpr ApiKey kKey = ApiKey::delete_records;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::vector<DeleteRecordsTopic> topics;
  std::int32_t timeout_ms = 0;
  bool operator==(const DeleteRecordsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsRequest::topics>("Topics"), field<&DeleteRecordsRequest::timeout_ms>("TimeoutMs"));
};

struct DeleteRecordsPartitionResponse {
  PartitionIndex index;
  Offset low_watermark;
  ErrorCode error_code = ErrorCode::none;
  bool operator==(const DeleteRecordsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsPartitionResponse::index>("PartitionIndex"),
      field<&DeleteRecordsPartitionResponse::low_watermark>("LowWatermark"),
      field<&DeleteRecordsPartitionResponse::error_code>("ErrorCode"));
};

struct DeleteRecordsTopicResponse {
  std::string_view name;
  std::vector<DeleteRecordsPartitionResponse> partitions;
  bool operator==(const DeleteRecordsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsTopicResponse::name>("Name"),
      field<&DeleteRecordsTopicResponse::partitions>("Partitions"));
};

struct DeleteRecordsResponse {
  static constexpr ApiKey kKey = ApiKey::delete_records;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteRecordsTopicResponse> topics;
  bool operator==(const DeleteRecordsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteRecordsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&DeleteRecordsResponse::topics>("Topics"));
};

}  // namespace sillok::protocol
