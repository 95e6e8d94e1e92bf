// GetTelemetrySubscriptions and PushTelemetry, where sillok.client.telemetry.enable is set.
#include "broker/client_telemetry.h"
#include "broker/handlers/handlers.h"
#include "protocol/compression.h"

namespace sillok::broker {
namespace {

using protocol::Codec;

std::int8_t type_of(Codec codec) { return static_cast<std::int8_t>(codec); }

}  // namespace

void handle_get_telemetry_subscriptions(const RequestContext& context,
                                        const protocol::GetTelemetrySubscriptionsRequest& request,
                                        PendingResponse response) {
  ClientTelemetry& telemetry = context.services.client_telemetry;
  const ClientTelemetry::Subscription subscription = telemetry.subscribe(request.client_instance_id);
  protocol::GetTelemetrySubscriptionsResponse answer;
  answer.error_code = subscription.error;
  if (subscription.error != protocol::ErrorCode::none) return response.send(answer);
  answer.client_instance_id = subscription.client_instance_id;
  answer.subscription_id = subscription.id;
  // Kafka's order: the first that a client has is the one that it takes.
  answer.accepted_compression_types = {type_of(Codec::zstd), type_of(Codec::lz4), type_of(Codec::gzip),
                                       type_of(Codec::snappy)};
  answer.push_interval_ms = static_cast<std::int32_t>(ClientTelemetry::kPushInterval.count());
  answer.telemetry_max_bytes = static_cast<std::int32_t>(telemetry.bytes_max());
  answer.delta_temporality = true;
  response.send(answer);
}

void handle_push_telemetry(const RequestContext& context, const protocol::PushTelemetryRequest& request,
                           PendingResponse response) {
  protocol::PushTelemetryResponse answer;
  answer.error_code = context.services.client_telemetry.push(request);
  response.send(answer);
}

}  // namespace sillok::broker
