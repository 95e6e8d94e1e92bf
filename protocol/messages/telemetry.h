// GetTelemetrySubscriptions and PushTelemetry: which of its metrics a client shall send, and the client
// sending them (KIP-714). Both are flexible from the start.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/bytes.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct GetTelemetrySubscriptionsRequest {
  static constexpr ApiKey kKey = ApiKey::get_telemetry_subscriptions;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  Uuid client_instance_id;
  bool operator==(const GetTelemetrySubscriptionsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&GetTelemetrySubscriptionsRequest::client_instance_id>("ClientInstanceId"));
};

struct GetTelemetrySubscriptionsResponse {
  static constexpr ApiKey kKey = ApiKey::get_telemetry_subscriptions;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  Uuid client_instance_id;
  std::int32_t subscription_id = 0;
  std::vector<std::int8_t> accepted_compression_types;
  std::int32_t push_interval_ms = 0;
  std::int32_t telemetry_max_bytes = 0;
  bool delta_temporality = false;
  std::vector<std::string_view> requested_metrics;
  bool operator==(const GetTelemetrySubscriptionsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&GetTelemetrySubscriptionsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&GetTelemetrySubscriptionsResponse::error_code>("ErrorCode"),
      field<&GetTelemetrySubscriptionsResponse::client_instance_id>("ClientInstanceId"),
      field<&GetTelemetrySubscriptionsResponse::subscription_id>("SubscriptionId"),
      field<&GetTelemetrySubscriptionsResponse::accepted_compression_types>("AcceptedCompressionTypes"),
      field<&GetTelemetrySubscriptionsResponse::push_interval_ms>("PushIntervalMs"),
      field<&GetTelemetrySubscriptionsResponse::telemetry_max_bytes>("TelemetryMaxBytes"),
      field<&GetTelemetrySubscriptionsResponse::delta_temporality>("DeltaTemporality"),
      field<&GetTelemetrySubscriptionsResponse::requested_metrics>("RequestedMetrics"));
};

struct PushTelemetryRequest {
  static constexpr ApiKey kKey = ApiKey::push_telemetry;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  Uuid client_instance_id;
  std::int32_t subscription_id = 0;
  bool terminating = false;
  std::int8_t compression_type = 0;
  ByteView metrics;
  bool operator==(const PushTelemetryRequest& other) const {  // a view of bytes has no comparison of its own
    return client_instance_id == other.client_instance_id && subscription_id == other.subscription_id &&
           terminating == other.terminating && compression_type == other.compression_type &&
           as_text(metrics) == as_text(other.metrics);
  }
  static constexpr auto kSchema = schema(  //
      field<&PushTelemetryRequest::client_instance_id>("ClientInstanceId"),
      field<&PushTelemetryRequest::subscription_id>("SubscriptionId"),
      field<&PushTelemetryRequest::terminating>("Terminating"),
      field<&PushTelemetryRequest::compression_type>("CompressionType"),
      field<&PushTelemetryRequest::metrics>("Metrics"));
};

struct PushTelemetryResponse {
  static constexpr ApiKey kKey = ApiKey::push_telemetry;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = kAllVersions;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  bool operator==(const PushTelemetryResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&PushTelemetryResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&PushTelemetryResponse::error_code>("ErrorCode"));
};

}  // namespace sillok::protocol
