// IncrementalAlterConfigs: changes to single settings of a resource; what the request does not name stays.
// v1 is flexible.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

// `append` and `subtract` are for settings that are lists. Kafka's word for `remove` is DELETE.
enum class ConfigOperation : std::int8_t {
  set = 0,
  remove = 1,
  append = 2,
  subtract = 3,
};

struct IncrementalAlterConfigsConfig {
  std::string_view name;
  ConfigOperation config_operation{};
  std::optional<std::string_view> value;
  bool operator==(const IncrementalAlterConfigsConfig&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&IncrementalAlterConfigsConfig::name>("Name"),
      field<&IncrementalAlterConfigsConfig::config_operation>("ConfigOperation"),
      field<&IncrementalAlterConfigsConfig::value>("Value"));
};

struct IncrementalAlterConfigsResource {
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  std::vector<IncrementalAlterConfigsConfig> configs;
  bool operator==(const IncrementalAlterConfigsResource&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&IncrementalAlterConfigsResource::resource_type>("ResourceType"),
      field<&IncrementalAlterConfigsResource::resource_name>("ResourceName"),
      field<&IncrementalAlterConfigsResource::configs>("Configs"));
};

struct IncrementalAlterConfigsRequest {
  static constexpr ApiKey kKey = ApiKey::incremental_alter_configs;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = since(1);

  std::vector<IncrementalAlterConfigsResource> resources;
  bool validate_only = false;
  bool operator==(const IncrementalAlterConfigsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&IncrementalAlterConfigsRequest::resources>("Resources"),
      field<&IncrementalAlterConfigsRequest::validate_only>("ValidateOnly"));
};

struct IncrementalAlterConfigsResourceResponse {
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  bool operator==(const IncrementalAlterConfigsResourceResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&IncrementalAlterConfigsResourceResponse::error_code>("ErrorCode"),
      field<&IncrementalAlterConfigsResourceResponse::error_message>("ErrorMessage"),
      field<&IncrementalAlterConfigsResourceResponse::resource_type>("ResourceType"),
      field<&IncrementalAlterConfigsResourceResponse::resource_name>("ResourceName"));
};

struct IncrementalAlterConfigsResponse {
  static constexpr ApiKey kKey = ApiKey::incremental_alter_configs;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = since(1);

  std::int32_t throttle_time_ms = 0;
  std::vector<IncrementalAlterConfigsResourceResponse> responses;
  bool operator==(const IncrementalAlterConfigsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&IncrementalAlterConfigsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&IncrementalAlterConfigsResponse::responses>("Responses"));
};

}  // namespace sillok::protocol
