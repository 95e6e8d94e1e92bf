// What ListOffsets and OffsetForLeaderEpoch are answered, as Kafka answers them.
#include <catch2/catch.hpp>
#include <vector>

#include "protocol/messages/list_offsets.h"
#include "protocol/messages/offset_for_leader_epoch.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

ListOffsetsPartition wanted(std::int32_t index, TimestampMs timestamp, std::int32_t known_epoch = -1) {
  ListOffsetsPartition partition;
  partition.index = PartitionIndex(index);
  partition.timestamp = timestamp;
  partition.current_leader_epoch = LeaderEpoch(known_epoch);
  return partition;
}

struct Asker {
  explicit Asker(const RunningServer& server) : client(server.port) {}
  ListOffsetsResponse list(std::vector<ListOffsetsTopic> topics) {
    ListOffsetsRequest request;
    request.topics = std::move(topics);
    client.send(request, 5, 1);
    return client.receive<ListOffsetsResponse>(5, 1, kept);
  }
  ErrorCode list_one(std::string_view topic, const ListOffsetsPartition& partition) {
    return list({{topic, {partition}}}).topics.at(0).partitions.at(0).error_code;
  }
  RawClient client;
  Bytes kept;
};

TEST_CASE(
    "list offsets: a timestamp that there is not is told before a partition or epoch that there is not") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Asker asker(server);
  CHECK(asker.list_one("absent", wanted(0, -9)) == ErrorCode::unsupported_version);
  CHECK(asker.list_one("orders", wanted(0, -9, 99)) == ErrorCode::unsupported_version);
  CHECK(asker.list_one("absent", wanted(0, -1)) == ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("list offsets: each topic is answered once, and none without partitions") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders", 2);
  Asker asker(server);
  const auto answer =
      asker.list({{"empty", {}}, {"orders", {wanted(1, -1)}}, {"orders", {wanted(0, -1), wanted(1, -2)}}});
  REQUIRE(answer.topics.size() == 1);
  REQUIRE(answer.topics[0].partitions.size() == 2);
  CHECK(answer.topics[0].partitions[0].error_code == ErrorCode::none);
  CHECK(answer.topics[0].partitions[1].error_code == ErrorCode::invalid_request);
}

TEST_CASE("epochs: the only one that a client may not know is -1") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Asker asker(server);
  CHECK(asker.list_one("orders", wanted(0, -1, -1)) == ErrorCode::none);
  CHECK(asker.list_one("orders", wanted(0, -1, -2)) == ErrorCode::fenced_leader_epoch);
  OffsetForLeaderEpochRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.emplace_back().current_leader_epoch = LeaderEpoch(-2);
  asker.client.send(request, 4, 2);
  CHECK(asker.client.receive<OffsetForLeaderEpochResponse>(4, 2, asker.kept)
            .topics.at(0)
            .partitions.at(0)
            .error_code == ErrorCode::fenced_leader_epoch);
}

}  // namespace
}  // namespace sillok::tests
