// What is expected here is what Apache Kafka 4.3.1 answered to the same requests.
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;
using protocol::ErrorCode;
using Replicas = std::optional<std::vector<BrokerId>>;

constexpr BrokerId kSelf(1);
constexpr BrokerId kOther(2);

struct Outcome {
  ErrorCode error;
  std::string message;
};

Outcome reassign(std::string_view topic, std::int32_t partition, Replicas replicas) {
  HandlerFixture fixture;
  fixture.make_topic("orders", 3);
  AlterPartitionReassignmentsRequest request;
  request.topics = {{topic, {{PartitionIndex(partition), std::move(replicas)}}}};
  const auto answer = fixture.ask<AlterPartitionReassignmentsResponse>(
      broker::handle_alter_partition_reassignments, request, 1);
  CHECK(answer.error_code == ErrorCode::none);
  CHECK_FALSE(answer.error_message.has_value());
  const auto& result = answer.responses.at(0).partitions.at(0);
  return {result.error_code, std::string(result.error_message.value_or("null"))};
}

}  // namespace

TEST_CASE("reassignments: to this broker is done already, and there is nothing to cancel") {
  CHECK(reassign("orders", 0, Replicas({kSelf})).error == ErrorCode::none);
  const Outcome cancelled = reassign("orders", 1, std::nullopt);
  CHECK(cancelled.error == ErrorCode::no_reassignment_in_progress);
  CHECK(cancelled.message == "null");
}

TEST_CASE("reassignments: other brokers, none, and one twice are refused in Kafka's words") {
  CHECK(reassign("orders", 0, Replicas({kSelf, kOther})).error == ErrorCode::invalid_replica_assignment);
  CHECK(reassign("orders", 0, Replicas({kSelf, kOther})).message ==
        "The manual partition assignment includes broker 2, but no such broker is registered.");
  CHECK(reassign("orders", 0, Replicas({BrokerId(3), kOther})).message ==
        "The manual partition assignment includes broker 2, but no such broker is registered.");
  CHECK(reassign("orders", 0, Replicas({kSelf, kSelf})).message ==
        "The manual partition assignment includes the broker 1 more than once.");
  CHECK(reassign("orders", 0, Replicas(std::in_place)).message ==
        "The manual partition assignment includes an empty replica list.");
}

TEST_CASE("reassignments: what is not there is unknown") {
  CHECK(reassign("orders", 9, std::nullopt).message == "Unable to find partition orders:9.");
  const Outcome missing = reassign("missing", 0, Replicas({kSelf}));
  CHECK(missing.error == ErrorCode::unknown_topic_or_partition);
  CHECK(missing.message == "Unable to find a topic named missing.");
}

TEST_CASE("reassignments: none is under way") {
  HandlerFixture fixture;
  const auto answer = fixture.ask<protocol::ListPartitionReassignmentsResponse>(
      broker::handle_list_partition_reassignments, protocol::ListPartitionReassignmentsRequest{}, 0);
  CHECK(answer.error_code == ErrorCode::none);
  CHECK(answer.topics.empty());
}

}  // namespace sillok::tests
