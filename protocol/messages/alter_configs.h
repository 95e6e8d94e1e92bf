// AlterConfigs: the settings of a resource, all at once: what the request does not name goes back to its
// default. v2 is flexible.
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

struct AlterConfigsConfig {
  std::string_view name;
  std::optional<std::string_view> value;
  bool operator==(const AlterConfigsConfig&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterConfigsConfig::name>("Name"), field<&AlterConfigsConfig::value>("Value"));
};

struct AlterConfigsResource {
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  std::vector<AlterConfigsConfig> configs;
  bool operator==(const AlterConfigsResource&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterConfigsResource::resource_type>("ResourceType"),
      field<&AlterConfigsResource::resource_name>("ResourceName"),
      field<&AlterConfigsResource::configs>("Configs"));
};

struct AlterConfigsRequest {
  static constexpr ApiKey kKey = ApiKey::alter_configs;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::vector<AlterConfigsResource> resources;
  bool validate_only = false;
  bool operator==(const AlterConfigsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterConfigsRequest::resources>("Resources"),
      field<&AlterConfigsRequest::validate_only>("ValidateOnly"));
};

struct AlterConfigsResourceResponse {
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  bool operator==(const AlterConfigsResourceResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterConfigsResourceResponse::error_code>("ErrorCode"),
      field<&AlterConfigsResourceResponse::error_message>("ErrorMessage"),
      field<&AlterConfigsResourceResponse::resource_type>("ResourceType"),
      field<&AlterConfigsResourceResponse::resource_name>("ResourceName"));
};

struct AlterConfigsResponse {
  static constexpr ApiKey kKey = ApiKey::alter_configs;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  std::vector<AlterConfigsResourceResponse> responses;
  bool operator==(const AlterConfigsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&AlterConfigsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&AlterConfigsResponse::responses>("Responses"));
};

}  // namespace sillok::protocol
