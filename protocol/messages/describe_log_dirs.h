// DescribeLogDirs: the log directories, what each holds and how large that is.
// v2 is flexible, v3 adds an error for the whole, v4 the size of the volume, v5 whether the directory is
// cordoned.
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

struct DescribeLogDirsTopic {
  std::string_view topic;
  std::vector<PartitionIndex> partitions;
  bool operator==(const DescribeLogDirsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsTopic::topic>("Topic"), field<&DescribeLogDirsTopic::partitions>("Partitions"));
};

struct DescribeLogDirsRequest {
  static constexpr ApiKey kKey = ApiKey::describe_log_dirs;
  static constexpr VersionRange kVersions{1, 5};
  static constexpr VersionRange kFlexible = since(2);

  std::optional<std::vector<DescribeLogDirsTopic>> topics;
  bool operator==(const DescribeLogDirsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsRequest::topics>("Topics"));
};

struct DescribeLogDirsPartitionResponse {
  PartitionIndex index;
  std::int64_t partition_size = 0;
  std::int64_t offset_lag = 0;
  bool is_future_key = false;
  bool operator==(const DescribeLogDirsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsPartitionResponse::index>("PartitionIndex"),
      field<&DescribeLogDirsPartitionResponse::partition_size>("PartitionSize"),
      field<&DescribeLogDirsPartitionResponse::offset_lag>("OffsetLag"),
      field<&DescribeLogDirsPartitionResponse::is_future_key>("IsFutureKey"));
};

struct DescribeLogDirsTopicResponse {
  std::string_view name;
  std::vector<DescribeLogDirsPartitionResponse> partitions;
  bool operator==(const DescribeLogDirsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsTopicResponse::name>("Name"),
      field<&DescribeLogDirsTopicResponse::partitions>("Partitions"));
};

struct DescribeLogDirsResult {
  ErrorCode error_code = ErrorCode::none;
  std::string_view log_dir;
  std::vector<DescribeLogDirsTopicResponse> topics;
  std::int64_t total_bytes = -1;
  std::int64_t usable_bytes = -1;
  bool is_cordoned = false;
  bool operator==(const DescribeLogDirsResult&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsResult::error_code>("ErrorCode"),
      field<&DescribeLogDirsResult::log_dir>("LogDir"), field<&DescribeLogDirsResult::topics>("Topics"),
      field<&DescribeLogDirsResult::total_bytes>("TotalBytes", since(4), IfAbsent::drop),
      field<&DescribeLogDirsResult::usable_bytes>("UsableBytes", since(4), IfAbsent::drop),
      field<&DescribeLogDirsResult::is_cordoned>("IsCordoned", since(5), IfAbsent::drop));
};

struct DescribeLogDirsResponse {
  static constexpr ApiKey kKey = ApiKey::describe_log_dirs;
  static constexpr VersionRange kVersions{1, 5};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<DescribeLogDirsResult> results;
  bool operator==(const DescribeLogDirsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeLogDirsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&DescribeLogDirsResponse::error_code>("ErrorCode", since(3), IfAbsent::drop),
      field<&DescribeLogDirsResponse::results>("Results"));
};

}  // namespace sillok::protocol
