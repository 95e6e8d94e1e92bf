#include <catch2/catch.hpp>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

TEST_CASE("describe cluster: every version names this broker, the controller and the cluster") {
  HandlerFixture fixture{{"node.id", "4"}, {"broker.rack", "r"}};
  for (protocol::Version version = 0; version <= 2; ++version) {
    const auto answer = fixture.ask<DescribeClusterResponse>(broker::handle_describe_cluster,
                                                             DescribeClusterRequest{}, version);
    CHECK(answer.error_code == ErrorCode::none);
    CHECK(answer.cluster_id == "the-cluster");
    CHECK(answer.controller_id == BrokerId(4));
    REQUIRE(answer.brokers.size() == 1);
    CHECK(answer.brokers[0].broker_id == BrokerId(4));
    CHECK(answer.brokers[0].host == "here");
    CHECK(answer.brokers[0].port == 9092);
    CHECK(answer.brokers[0].rack == "r");
    CHECK_FALSE(answer.brokers[0].is_fenced);
    CHECK(answer.cluster_authorized_operations == protocol::kOperationsNotAsked);
  }
}

TEST_CASE("describe cluster: authorized operations are told where they are asked for") {
  HandlerFixture fixture;
  DescribeClusterRequest request;
  request.include_cluster_authorized_operations = true;
  const auto answer = fixture.ask<DescribeClusterResponse>(broker::handle_describe_cluster, request, 2);
  CHECK(answer.cluster_authorized_operations == 8096);
}

TEST_CASE("describe cluster: a broker does not answer for controllers, nor for what it does not know") {
  HandlerFixture fixture;
  DescribeClusterRequest request;
  request.endpoint_type = protocol::EndpointType::controllers;
  auto answer = fixture.ask<DescribeClusterResponse>(broker::handle_describe_cluster, request, 2);
  CHECK(answer.error_code == ErrorCode::mismatched_endpoint_type);
  CHECK(answer.error_message.has_value());
  request.endpoint_type = static_cast<protocol::EndpointType>(9);
  answer = fixture.ask<DescribeClusterResponse>(broker::handle_describe_cluster, request, 1);
  CHECK(answer.error_code == ErrorCode::unsupported_endpoint_type);
  // As Kafka: the kind that this one is, not the one that was asked for.
  CHECK(answer.endpoint_type == protocol::EndpointType::brokers);
}

}  // namespace
}  // namespace sillok::tests
