// ApiVersions: which versions of which requests the broker takes; the first request of most clients.
// v1 adds the throttle time, v3 is flexible and adds the client's name and the features, v4 lets a feature
// begin at 0.
//
// Non-obvious: a request in a version that the broker does not know is answered in version 0, with the error
// UNSUPPORTED_VERSION and the list all the same, so that the client can ask again; the answer's header never
// has tagged fields (headers.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct ApiVersionsRequest {
  static constexpr ApiKey kKey = ApiKey::api_versions;
  static constexpr VersionRange kVersions{0, 4};
  static constexpr VersionRange kFlexible = since(3);

  std::string_view client_software_name;
  std::string_view client_software_version;
  bool operator==(const ApiVersionsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ApiVersionsRequest::client_software_name>("ClientSoftwareName", since(3), IfAbsent::drop),
      field<&ApiVersionsRequest::client_software_version>("ClientSoftwareVersion", since(3), IfAbsent::drop));
};

struct ApiVersion {
  ApiKey api_key{};
  Version min_version = 0;
  Version max_version = 0;
  bool operator==(const ApiVersion&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ApiVersion::api_key>("ApiKey"), field<&ApiVersion::min_version>("MinVersion"),
      field<&ApiVersion::max_version>("MaxVersion"));
};

struct SupportedFeature {
  std::string_view name;
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
  bool operator==(const SupportedFeature&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&SupportedFeature::name>("Name"), field<&SupportedFeature::min_version>("MinVersion"),
      field<&SupportedFeature::max_version>("MaxVersion"));
};

struct FinalizedFeature {
  std::string_view name;
  std::int16_t max_version_level = 0;
  std::int16_t min_version_level = 0;
  bool operator==(const FinalizedFeature&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&FinalizedFeature::name>("Name"), field<&FinalizedFeature::max_version_level>("MaxVersionLevel"),
      field<&FinalizedFeature::min_version_level>("MinVersionLevel"));
};

struct ApiVersionsResponse {
  static constexpr ApiKey kKey = ApiKey::api_versions;
  static constexpr VersionRange kVersions{0, 4};
  static constexpr VersionRange kFlexible = since(3);

  ErrorCode error_code = ErrorCode::none;
  std::vector<ApiVersion> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;
  bool operator==(const ApiVersionsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&ApiVersionsResponse::error_code>("ErrorCode"), field<&ApiVersionsResponse::api_keys>("ApiKeys"),
      field<&ApiVersionsResponse::throttle_time_ms>("ThrottleTimeMs", since(1), IfAbsent::drop),
      field<&ApiVersionsResponse::supported_features>("SupportedFeatures", tagged(0, since(3)),
                                                      IfAbsent::drop),
      field<&ApiVersionsResponse::finalized_features_epoch>("FinalizedFeaturesEpoch", tagged(1, since(3)),
                                                            IfAbsent::drop),
      field<&ApiVersionsResponse::finalized_features>("FinalizedFeatures", tagged(2, since(3)),
                                                      IfAbsent::drop),
      field<&ApiVersionsResponse::zk_migration_ready>("ZkMigrationReady", tagged(3, since(3)),
                                                      IfAbsent::drop));
};

}  // namespace sillok::protocol
