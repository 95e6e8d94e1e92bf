// What is expected here is what Apache Kafka 4.3.1 answered to the same requests.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "broker/client_telemetry.h"
#include "broker/dispatcher.h"
#include "tests/support/handler_fixture.h"
#include "tests/support/raw_client.h"

namespace sillok::tests {
namespace {

using broker::ClientTelemetry;
using protocol::ErrorCode;

const Uuid kClient = *Uuid::parse("PiuREQ38QOWXeoCG4xlzUw");
constexpr std::int32_t kSubscription = -1821148673;

protocol::PushTelemetryRequest push_of(std::int32_t subscription) {
  static const Bytes kMetrics(3);
  protocol::PushTelemetryRequest request;
  request.client_instance_id = kClient;
  request.subscription_id = subscription;
  request.metrics = kMetrics;
  return request;
}

bool offers_telemetry(HandlerFixture& fixture) {
  const auto answer = fixture.ask<protocol::ApiVersionsResponse>(broker::handle_api_versions,
                                                                 protocol::ApiVersionsRequest{}, 0);
  return std::ranges::any_of(answer.api_keys,
                             [](const auto& api) { return api.api_key == protocol::ApiKey::push_telemetry; });
}

}  // namespace

TEST_CASE("telemetry: it is offered where it is switched on") {
  HandlerFixture off;
  CHECK_FALSE(offers_telemetry(off));
  HandlerFixture on{{"sillok.client.telemetry.enable", "true"}};
  CHECK(offers_telemetry(on));
}

TEST_CASE("telemetry: where it is switched off its requests are of no known API, and close the connection") {
  const auto outcome_of = [](HandlerFixture& fixture, const auto& request) {
    Bytes bytes = RawClient::frame(request, 0, HandlerFixture::kCorrelationId);
    const bool goes_on = broker::dispatch(*fixture.services, fixture.reactor, fixture.connection,
                                          MutableByteView(bytes).subspan(protocol::kFrameSizeBytes),
                                          fixture.sink, ++fixture.slot);
    const broker::SlotOutcome outcome = fixture.sink->answers.at(fixture.slot).outcome;
    CHECK(goes_on == (outcome == broker::SlotOutcome::answered));
    return outcome;
  };
  HandlerFixture off;
  HandlerFixture on{{"sillok.client.telemetry.enable", "true"}};
  protocol::GetTelemetrySubscriptionsRequest subscribe;
  subscribe.client_instance_id = kClient;
  CHECK(outcome_of(off, subscribe) == broker::SlotOutcome::disconnected);
  CHECK(outcome_of(off, push_of(kSubscription)) == broker::SlotOutcome::disconnected);
  CHECK(off.client_telemetry->dropped().push_count == 0);
  CHECK(outcome_of(on, subscribe) == broker::SlotOutcome::answered);
  CHECK(outcome_of(on, push_of(kSubscription)) == broker::SlotOutcome::answered);
  CHECK(on.client_telemetry->dropped().push_count == 1);
}

TEST_CASE("telemetry: a subscription has Kafka's id, and comes again after the interval only") {
  HandlerFixture fixture;
  protocol::GetTelemetrySubscriptionsRequest request;
  request.client_instance_id = kClient;
  const auto ask = [&] {
    return fixture.ask<protocol::GetTelemetrySubscriptionsResponse>(
        broker::handle_get_telemetry_subscriptions, request, 0);
  };
  auto answer = ask();
  CHECK(answer.client_instance_id == kClient);
  CHECK(answer.subscription_id == kSubscription);
  CHECK(answer.accepted_compression_types == std::vector<std::int8_t>{4, 3, 1, 2});
  CHECK(answer.push_interval_ms == 300'000);
  CHECK(answer.telemetry_max_bytes == 1'048'576);
  CHECK(answer.requested_metrics.empty());
  CHECK(ask().error_code == ErrorCode::throttling_quota_exceeded);
  fixture.clock.advance(ClientTelemetry::kPushInterval);
  CHECK(ask().error_code == ErrorCode::none);
  request.client_instance_id = {};
  CHECK_FALSE(ask().client_instance_id.is_zero());
}

TEST_CASE("telemetry: a push is judged as Kafka judges it, counted and dropped") {
  ManualClock clock;
  ClientTelemetry telemetry(clock, 3);
  protocol::PushTelemetryRequest nobody = push_of(0);
  nobody.client_instance_id = {};
  CHECK(telemetry.push(nobody) == ErrorCode::invalid_request);
  REQUIRE(telemetry.subscribe(kClient).error == ErrorCode::none);
  CHECK(telemetry.push(push_of(5)) == ErrorCode::unknown_subscription_id);
  CHECK(telemetry.push(push_of(kSubscription)) == ErrorCode::throttling_quota_exceeded);
  clock.advance(ClientTelemetry::kPushInterval);
  CHECK(telemetry.push(push_of(kSubscription)) == ErrorCode::none);
  CHECK(telemetry.dropped().push_count == 1);
  CHECK(telemetry.dropped().byte_count == 3);
  clock.advance(ClientTelemetry::kPushInterval);
  const Bytes large(4);
  protocol::PushTelemetryRequest too_large = push_of(kSubscription);
  too_large.metrics = large;
  CHECK(telemetry.push(too_large) == ErrorCode::telemetry_too_large);
  protocol::PushTelemetryRequest last = push_of(kSubscription);
  last.terminating = true;
  last.compression_type = 9;
  CHECK(telemetry.push(last) == ErrorCode::unsupported_compression_type);
  CHECK(telemetry.push(push_of(kSubscription)) == ErrorCode::invalid_request);
}

TEST_CASE(
    "telemetry: who was told that its push had a wrong subscription or codec asks for another at once") {
  for (const ErrorCode told : {ErrorCode::unknown_subscription_id, ErrorCode::unsupported_compression_type,
                               ErrorCode::telemetry_too_large}) {
    ManualClock clock;
    ClientTelemetry telemetry(clock, 3);
    const Bytes large(4);
    protocol::PushTelemetryRequest push = push_of(kSubscription);
    if (told == ErrorCode::unknown_subscription_id) push = push_of(5);
    if (told == ErrorCode::unsupported_compression_type) push.compression_type = 9;
    if (told == ErrorCode::telemetry_too_large) push.metrics = large;
    REQUIRE(telemetry.subscribe(kClient).error == ErrorCode::none);
    clock.advance(std::chrono::milliseconds(1));
    CHECK(telemetry.push(push) == told);
    clock.advance(std::chrono::milliseconds(1));
    const bool may_ask = told != ErrorCode::telemetry_too_large;
    CHECK(telemetry.subscribe(kClient).error ==
          (may_ask ? ErrorCode::none : ErrorCode::throttling_quota_exceeded));
    CHECK(telemetry.subscribe(kClient).error == ErrorCode::throttling_quota_exceeded);
    CHECK(telemetry.push(push_of(kSubscription)) == ErrorCode::throttling_quota_exceeded);
    clock.advance(ClientTelemetry::kPushInterval);
    CHECK(telemetry.push(push_of(kSubscription)) == ErrorCode::none);
  }
}

}  // namespace sillok::tests
