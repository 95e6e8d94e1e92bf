// What is expected here is what Apache Kafka 4.3.1 answered to the same requests.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::ErrorCode;

struct Fixture : HandlerFixture {
  Fixture() {
    make_topic("orders", 3);
    make_topic("audit", 1);
    make_topic("zeta", 2);
  }
  // "audit:0 orders:0,1 > orders:2"; an error stands in the place of partitions.
  std::string ask_for(const DescribeTopicPartitionsRequest& request) {
    const auto answer =
        ask<DescribeTopicPartitionsResponse>(broker::handle_describe_topic_partitions, request, 0);
    std::string text;
    for (const auto& topic : answer.topics) {
      text += std::string(topic.name.value_or("null")) + ":";
      if (topic.error_code != ErrorCode::none) text += to_string(topic.error_code);
      for (const auto& partition : topic.partitions) text += std::to_string(partition.index.value) + ",";
      text += " ";
    }
    if (answer.next_cursor) {
      text += "> " + std::string(answer.next_cursor->topic_name) + ":" +
              std::to_string(answer.next_cursor->index.value);
    }
    return text;
  }
};

}  // namespace

TEST_CASE("describe topic partitions: no topics are all topics, by name") {
  CHECK(Fixture().ask_for({}) == "audit:0, orders:0,1,2, zeta:0,1, ");
}

TEST_CASE("describe topic partitions: topics come sorted and once, with what is wrong in their place") {
  Fixture fixture;
  CHECK(fixture.ask_for({{{"zeta"}, {"audit"}, {"missing"}, {"a b"}, {"audit"}}, 2000, {}}) ==
        "a b:INVALID_TOPIC_EXCEPTION audit:0, missing:UNKNOWN_TOPIC_OR_PARTITION zeta:0,1, ");
}

TEST_CASE("describe topic partitions: a full answer says where to go on, and a limit is at least one") {
  Fixture fixture;
  CHECK(fixture.ask_for({{}, 2, {}}) == "audit:0, orders:0, > orders:1");
  CHECK(fixture.ask_for({{{"zeta"}, {"orders"}}, 2, {{"orders", PartitionIndex(1)}}}) ==
        "orders:1,2, > zeta:0");
  CHECK(fixture.ask_for({{}, 0, {}}) == "audit:0, > orders:0");
  CHECK(fixture.ask_for({{}, -5, {}}) == "audit:0, > orders:0");
  CHECK(fixture.ask_for({{{"audit"}, {"missing"}}, 1, {}}) == "audit:0, > missing:0");
  CHECK(fixture.ask_for({{{"missing"}, {"zeta"}}, 1, {{"missing", PartitionIndex(0)}}}) ==
        "missing:UNKNOWN_TOPIC_OR_PARTITION zeta:0, > zeta:1");
}

TEST_CASE("describe topic partitions: max.request.partition.size.limit holds whatever is asked for") {
  HandlerFixture fixture{{"max.request.partition.size.limit", "2"}};
  fixture.make_topic("orders", 3);
  const auto answer = fixture.ask<DescribeTopicPartitionsResponse>(broker::handle_describe_topic_partitions,
                                                                   DescribeTopicPartitionsRequest{}, 0);
  CHECK(answer.topics.at(0).partitions.size() == 2);
  CHECK(answer.next_cursor.has_value());
}

TEST_CASE("describe topic partitions: a cursor past a topic's end, or at no topic, goes on behind it") {
  Fixture fixture;
  CHECK(fixture.ask_for({{}, 10, {{"orders", PartitionIndex(9)}}}) == "orders: zeta:0,1, ");
  CHECK(fixture.ask_for({{}, 10, {{"nnn", PartitionIndex(1)}}}) == "orders:0,1,2, zeta:0,1, ");
  CHECK(fixture.ask_for({{}, 10, {{"zzzz", PartitionIndex(0)}}}).empty());
}

TEST_CASE("describe topic partitions: a cursor outside the request, or below zero, is refused") {
  Fixture fixture;
  CHECK(fixture.ask_for({{{"zeta"}}, 10, {{"orders", PartitionIndex(1)}}}) == "zeta:INVALID_REQUEST ");
  CHECK(fixture.ask_for({{{"audit"}}, 10, {{"audit", PartitionIndex(-1)}}}) == "audit:INVALID_REQUEST ");
  CHECK(fixture.ask_for({{}, 10, {{"orders", PartitionIndex(-1)}}}).empty());
}

TEST_CASE("describe topic partitions: an offline partition has no leader, an online one this broker") {
  Fixture fixture;
  fixture.host.offline.insert({"zeta", 1});
  const auto answer = fixture.ask<DescribeTopicPartitionsResponse>(
      broker::handle_describe_topic_partitions, DescribeTopicPartitionsRequest{{{"zeta"}}, 10, {}}, 0);
  const auto& partitions = answer.topics.at(0).partitions;
  CHECK(answer.topics[0].topic_authorized_operations == 3576);
  CHECK(partitions.at(0).leader_id == BrokerId(1));
  CHECK(partitions[0].eligible_leader_replicas == std::vector<BrokerId>{});
  CHECK(partitions[0].last_known_elr == std::vector<BrokerId>{});
  CHECK(partitions.at(1).leader_id == BrokerId(-1));
  CHECK(partitions[1].offline_replicas == std::vector<BrokerId>{BrokerId(1)});
}

}  // namespace sillok::tests
