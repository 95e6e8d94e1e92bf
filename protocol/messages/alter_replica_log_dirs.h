// AlterReplicaLogDirs: moves partitions to another log directory of the same broker.
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

struct AlterReplicaLogDirsTopic {
  std::string_view name;
  std::vector<PartitionIndex> partitions;
  bool operator==(const AlterReplicaLogDirsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsTopic::name>("Name"),
      field<&AlterReplicaLogDirsTopic::partitions>("Partitions"));
};

struct AlterReplicaLogDirsDir {
  std::string_view path;
  std::vector<AlterReplicaLogDirsTopic> topics;
  bool operator==(const AlterReplicaLogDirsDir&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsDir::path>("Path"), field<&AlterReplicaLogDirsDir::topics>("Topics"));
};

struct AlterReplicaLogDirsRequest {
  static constexpr ApiKey kKey = ApiKey::alter_replica_log_dirs;
  static constexpr VersionRange kVersions{1, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::vector<AlterReplicaLogDirsDir> dirs;
  bool operator==(const AlterReplicaLogDirsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsRequest::dirs>("Dirs"));
};

struct AlterReplicaLogDirsPartitionResponse {
  PartitionIndex index;
  ErrorCode error_code = ErrorCode::none;
  bool operator==(const AlterReplicaLogDirsPartitionResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsPartitionResponse::index>("PartitionIndex"),
      field<&AlterReplicaLogDirsPartitionResponse::error_code>("ErrorCode"));
};

struct AlterReplicaLogDirsTopicResponse {
  std::string_view topic_name;
  std::vector<AlterReplicaLogDirsPartitionResponse> partitions;
  bool operator==(const AlterReplicaLogDirsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsTopicResponse::topic_name>("TopicName"),
      field<&AlterReplicaLogDirsTopicResponse::partitions>("Partitions"));
};

struct AlterReplicaLogDirsResponse {
  static constexpr ApiKey kKey = ApiKey::alter_replica_log_dirs;
  static constexpr VersionRange kVersions{1, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  std::vector<AlterReplicaLogDirsTopicResponse> results;
  bool operator==(const AlterReplicaLogDirsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterReplicaLogDirsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&AlterReplicaLogDirsResponse::results>("Results"));
};

}  // namespace sillok::protocol
