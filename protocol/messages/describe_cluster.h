// DescribeCluster: brokers, controller and cluster id.
// v1 asks for brokers or controllers, v2 also for fenced brokers. Flexible from the start.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

enum class EndpointType : std::int8_t {
  brokers = 1,
  controllers = 2,
};

struct DescribeClusterRequest {
  static constexpr ApiKey kKey = ApiKey::describe_cluster;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  bool include_cluster_authorized_operations = false;
  EndpointType endpoint_type = EndpointType::brokers;
  bool include_fenced_brokers = false;
  bool operator==(const DescribeClusterRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeClusterRequest::include_cluster_authorized_operations>(
          "IncludeClusterAuthorizedOperations"),
      field<&DescribeClusterRequest::endpoint_type>("EndpointType", since(1)),
      field<&DescribeClusterRequest::include_fenced_brokers>("IncludeFencedBrokers", since(2)));
};

struct DescribeClusterBroker {
  BrokerId broker_id;
  std::string_view host;
  std::int32_t port = 0;
  std::optional<std::string_view> rack;
  bool is_fenced = false;
  bool operator==(const DescribeClusterBroker&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeClusterBroker::broker_id>("BrokerId"), field<&DescribeClusterBroker::host>("Host"),
      field<&DescribeClusterBroker::port>("Port"), field<&DescribeClusterBroker::rack>("Rack"),
      field<&DescribeClusterBroker::is_fenced>("IsFenced", since(2)));
};

struct DescribeClusterResponse {
  static constexpr ApiKey kKey = ApiKey::describe_cluster;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  EndpointType endpoint_type = EndpointType::brokers;
  std::string_view cluster_id;
  BrokerId controller_id{-1};
  std::vector<DescribeClusterBroker> brokers;
  std::int32_t cluster_authorized_operations = kOperationsNotAsked;
  bool operator==(const DescribeClusterResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeClusterResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&DescribeClusterResponse::error_code>("ErrorCode"),
      field<&DescribeClusterResponse::error_message>("ErrorMessage"),
      field<&DescribeClusterResponse::endpoint_type>("EndpointType", since(1)),
      field<&DescribeClusterResponse::cluster_id>("ClusterId"),
      field<&DescribeClusterResponse::controller_id>("ControllerId"),
      field<&DescribeClusterResponse::brokers>("Brokers"),
      field<&DescribeClusterResponse::cluster_authorized_operations>("ClusterAuthorizedOperations"));
};

}  // namespace sillok::protocol
