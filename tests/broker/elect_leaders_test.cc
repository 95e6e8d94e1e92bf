// What is expected here is what Apache Kafka 4.3.1 answered to the same requests.
#include <catch2/catch.hpp>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ElectionType;
using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;
using protocol::ErrorCode;

ElectLeadersResponse elect(HandlerFixture& fixture, const ElectLeadersRequest& request,
                           protocol::Version version = 2) {
  return fixture.ask<ElectLeadersResponse>(broker::handle_elect_leaders, request, version);
}

}  // namespace

TEST_CASE("elect leaders: who leads already needs no election, and what is not there is named") {
  HandlerFixture fixture;
  fixture.make_topic("orders", 2);
  ElectLeadersRequest request;
  request.topic_partitions = {{"orders", {PartitionIndex(0), PartitionIndex(9)}},
                              {"missing", {PartitionIndex(0)}}};
  for (protocol::Version version = 0; version <= 2; ++version) {
    const auto answer = elect(fixture, request, version);
    const auto& orders = answer.replica_election_results.at(0).partition_result;
    CHECK(orders.at(0).error_code == ErrorCode::election_not_needed);
    CHECK(orders[0].error_message == "Leader election not needed for topic partition.");
    CHECK(orders.at(1).error_code == ErrorCode::unknown_topic_or_partition);
    CHECK(orders[1].error_message == "No such partition as orders-9");
    CHECK(answer.replica_election_results.at(1).partition_result.at(0).error_message ==
          "No such topic as missing");
  }
}

TEST_CASE("elect leaders: null is every partition, and only those that stay without a leader are told") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  fixture.host.offline.insert({"a", 1});
  ElectLeadersRequest request;
  auto answer = elect(fixture, request);
  REQUIRE(answer.replica_election_results.at(0).partition_result.size() == 1);
  CHECK(answer.replica_election_results[0].partition_result[0].error_code ==
        ErrorCode::preferred_leader_not_available);
  request.election_type = ElectionType::unclean;
  answer = elect(fixture, request);
  CHECK(answer.replica_election_results.at(0).partition_result.at(0).error_code ==
        ErrorCode::eligible_leaders_not_available);
}

TEST_CASE("elect leaders: an unknown type of election is refused, but for no partitions at all") {
  HandlerFixture fixture;
  ElectLeadersRequest request;
  request.election_type = static_cast<ElectionType>(7);
  CHECK(elect(fixture, request).error_code == ErrorCode::invalid_request);
  request.topic_partitions = {{"orders", {PartitionIndex(0)}}};
  const auto answer = elect(fixture, request);
  CHECK(answer.error_code == ErrorCode::invalid_request);
  CHECK(answer.replica_election_results.at(0).partition_result.at(0).error_message ==
        "Unknown election type 7");
  request.topic_partitions->clear();
  CHECK(elect(fixture, request).error_code == ErrorCode::none);
}

}  // namespace sillok::tests
