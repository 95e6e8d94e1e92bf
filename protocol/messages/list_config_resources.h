// ListConfigResources: the names of what has settings. Flexible from the start.
// v0 lists client metrics resources only, v1 those of the wanted types, and none wanted means all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct ListConfigResourcesRequest {
  static constexpr ApiKey kKey = ApiKey::list_config_resources;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::vector<ConfigResourceType> resource_types;
  bool operator==(const ListConfigResourcesRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListConfigResourcesRequest::resource_types>("ResourceTypes", since(1)));
};

struct ListConfigResourcesResource {
  std::string_view resource_name;
  ConfigResourceType resource_type = ConfigResourceType::client_metrics;
  bool operator==(const ListConfigResourcesResource&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListConfigResourcesResource::resource_name>("ResourceName"),
      field<&ListConfigResourcesResource::resource_type>("ResourceType", since(1), IfAbsent::drop));
};

struct ListConfigResourcesResponse {
  static constexpr ApiKey kKey = ApiKey::list_config_resources;
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<ListConfigResourcesResource> config_resources;
  bool operator==(const ListConfigResourcesResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ListConfigResourcesResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&ListConfigResourcesResponse::error_code>("ErrorCode"),
      field<&ListConfigResourcesResponse::config_resources>("ConfigResources"));
};

}  // namespace sillok::protocol
