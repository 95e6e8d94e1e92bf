// UpdateFeatures: the level of cluster-wide features. Flexible from the start.
// v1 adds validation without effect and kinds of downgrade, v2 answers for all features at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

enum class FeatureUpgradeType : std::int8_t {
  unknown = 0,
  upgrade = 1,
  safe_downgrade = 2,
  unsafe_downgrade = 3,
};

struct UpdateFeaturesFeature {
  std::string_view feature;
  std::int16_t max_version_level = 0;
  bool allow_downgrade = false;
  FeatureUpgradeType upgrade_type = FeatureUpgradeType::upgrade;
  bool operator==(const UpdateFeaturesFeature&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&UpdateFeaturesFeature::feature>("Feature"),
      field<&UpdateFeaturesFeature::max_version_level>("MaxVersionLevel"),
      field<&UpdateFeaturesFeature::allow_downgrade>("AllowDowngrade", only(0)),
      field<&UpdateFeaturesFeature::upgrade_type>("UpgradeType", since(1)));
};

struct UpdateFeaturesRequest {
  static constexpr ApiKey kKey = ApiKey::update_features;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t timeout_ms = 60000;
  std::vector<UpdateFeaturesFeature> feature_updates;
  bool validate_only = false;
  bool operator==(const UpdateFeaturesRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&UpdateFeaturesRequest::timeout_ms>("timeoutMs"),
      field<&UpdateFeaturesRequest::feature_updates>("FeatureUpdates"),
      field<&UpdateFeaturesRequest::validate_only>("ValidateOnly", since(1)));
};

struct UpdateFeaturesFeatureResponse {
  std::string_view feature;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  bool operator==(const UpdateFeaturesFeatureResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&UpdateFeaturesFeatureResponse::feature>("Feature"),
      field<&UpdateFeaturesFeatureResponse::error_code>("ErrorCode"),
      field<&UpdateFeaturesFeatureResponse::error_message>("ErrorMessage"));
};

struct UpdateFeaturesResponse {
  static constexpr ApiKey kKey = ApiKey::update_features;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  std::vector<UpdateFeaturesFeatureResponse> results;
  bool operator==(const UpdateFeaturesResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&UpdateFeaturesResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&UpdateFeaturesResponse::error_code>("ErrorCode"),
      field<&UpdateFeaturesResponse::error_message>("ErrorMessage"),
      field<&UpdateFeaturesResponse::results>("Results", until(1), IfAbsent::drop));
};

}  // namespace sillok::protocol
