#include <catch2/catch.hpp>
#include <string>

#include "protocol/messages/alter_replica_log_dirs.h"
#include "protocol/messages/describe_log_dirs.h"
#include "tests/support/batches.h"
#include "tests/support/handler_fixture.h"
#include "tests/support/moves_fixture.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

DescribeLogDirsResponse described(RawClient& client, const DescribeLogDirsRequest& request, Bytes& kept,
                                  Version version = 5) {
  client.send(request, version, 3);
  return client.receive<DescribeLogDirsResponse>(version, 3, kept);
}

TEST_CASE("log dirs: the directory is told with its partitions, their sizes and the space") {
  const TempDir directory;
  const RunningServer server(directory);
  RawClient client(server.port);
  server.create_topic("a", 2);
  const Bytes bytes = batch().record("k", "v");
  REQUIRE(produce_one(client, "a", bytes, 1) == ErrorCode::none);
  for (Version version = 1; version <= 5; ++version) {
    Bytes kept;
    const auto response = described(client, {}, kept, version);
    REQUIRE(response.results.size() == 1);
    const DescribeLogDirsResult& result = response.results[0];
    CHECK(result.error_code == ErrorCode::none);
    CHECK(result.log_dir == directory.path() + "/data");
    REQUIRE(result.topics.size() == 1);
    REQUIRE(result.topics[0].partitions.size() == 2);
    CHECK(result.topics[0].partitions[0].partition_size == static_cast<std::int64_t>(bytes.size()));
    CHECK(result.topics[0].partitions[1].partition_size == 0);
    if (version >= 4) CHECK(result.total_bytes >= result.usable_bytes);
    if (version >= 4) CHECK(result.usable_bytes > 0);
  }
  DescribeLogDirsRequest one;
  one.topics = {{"a", {PartitionIndex(1)}}, {"absent", {PartitionIndex(0)}}};
  Bytes kept;
  const auto response = described(client, one, kept);
  REQUIRE(response.results.at(0).topics.size() == 1);
  REQUIRE(response.results[0].topics[0].partitions.size() == 1);
  CHECK(response.results[0].topics[0].partitions[0].index == PartitionIndex(1));
}

// The server ends where a thread that serves connections waits for the disk.
TEST_CASE("log dirs: a partition can be put where it is, and nowhere else") {
  const TempDir directory;
  const RunningServer server(directory);
  RawClient client(server.port);
  server.create_topic("a");
  const auto error_of = [&](std::string_view path, std::string_view topic, std::int32_t partition) {
    AlterReplicaLogDirsRequest request;
    request.dirs = {{path, {{topic, {PartitionIndex(partition)}}}}};
    client.send(request, 2, 4);
    Bytes kept;
    return client.receive<AlterReplicaLogDirsResponse>(2, 4, kept).results.at(0).partitions.at(0).error_code;
  };
  const std::string here = directory.path() + "/data";
  CHECK(error_of(here, "a", 0) == ErrorCode::none);
  CHECK(error_of("/elsewhere", "a", 0) == ErrorCode::log_dir_not_found);
  CHECK(error_of(here, "a", 1) == ErrorCode::unknown_topic_or_partition);
  CHECK(error_of(here, "b", 0) == ErrorCode::unknown_topic_or_partition);
}

// The handlers over the partitions of a MovesFixture.
struct MovingHandlers : HandlerFixture {
  MovingHandlers() { serve(*moving.partitions, *moving.partitions); }
  AlterReplicaLogDirsResponse alter(const AlterReplicaLogDirsRequest& request) {
    return ask<AlterReplicaLogDirsResponse>(broker::handle_alter_replica_log_dirs, request, Version(2));
  }
  ErrorCode move_to(std::string_view path) {
    AlterReplicaLogDirsRequest request;
    request.dirs = {{path, {{kTopic, {PartitionIndex(0)}}}}};
    const auto answer = alter(request);
    REQUIRE(answer.results.size() == 1);
    CHECK(answer.results[0].topic_name == kTopic);
    return answer.results[0].partitions.at(0).error_code;
  }
  using Entry = DescribeLogDirsPartitionResponse;
  // Of the topic, in each directory.
  std::vector<std::vector<Entry>> described(const DescribeLogDirsRequest& request = {}) {
    start(broker::handle_describe_log_dirs, request, Version(5));
    io.run_all();
    std::vector<std::vector<Entry>> all;
    const auto answer = read<DescribeLogDirsResponse>(Version(5));
    for (const DescribeLogDirsResult& result : answer.results) {
      std::vector<Entry>& entries = all.emplace_back();
      for (const auto& topic : result.topics) {
        CHECK(topic.name == kTopic);
        entries.insert(entries.end(), topic.partitions.begin(), topic.partitions.end());
      }
    }
    return all;
  }

  MovesFixture moving;
};

TEST_CASE("log dirs: one where the disk failed is told as failed, with what it has") {
  MovingHandlers handlers;
  handlers.moving.create();
  handlers.moving.files.fail({FileCall::sync, "/a/orders-0", 1, kEveryCall}, Errc::io_error);
  const auto waits = handlers.moving.append(batch().record("k", "v"), broker::Acks::all);
  waits->wait_for(1);
  REQUIRE(waits->told().at(0).result.error == ErrorCode::kafka_storage_error);
  handlers.start(broker::handle_describe_log_dirs, DescribeLogDirsRequest{}, Version(5));
  handlers.io.run_all();
  const auto answer = handlers.read<DescribeLogDirsResponse>(Version(5));
  REQUIRE(answer.results.size() == 3);
  CHECK(answer.results[0].error_code == ErrorCode::kafka_storage_error);
  CHECK(answer.results[0].topics.size() == 1);
  CHECK(answer.results[1].error_code == ErrorCode::none);
}

TEST_CASE("log dirs: a partition that moves is told in both directories, with what is left to copy") {
  MovingHandlers handlers;
  handlers.moving.create();
  handlers.moving.append_large(3);
  CHECK(handlers.move_to("/b") == ErrorCode::none);
  REQUIRE(handlers.moving.background.run_one());
  const auto size = static_cast<std::int64_t>(broker::kMoveStepBytes);
  using Entry = MovingHandlers::Entry;
  const Entry served{PartitionIndex(0), 3 * size, 0, false};
  const std::vector<std::vector<Entry>> expected{{served}, {{PartitionIndex(0), size, 2, true}}, {}};
  CHECK(handlers.described() == expected);
  DescribeLogDirsRequest another;
  another.topics = {{kTopic, {PartitionIndex(1)}}};
  CHECK(handlers.described(another) == std::vector<std::vector<Entry>>(3));
  handlers.moving.finish();
  CHECK(handlers.described() == std::vector<std::vector<Entry>>{{}, {served}, {}});
}

TEST_CASE("log dirs: of two directories for one partition the last counts, and there is one answer") {
  MovingHandlers handlers;
  handlers.moving.create();
  handlers.moving.append_large(2);
  AlterReplicaLogDirsRequest request;
  request.dirs = {{"/b", {{kTopic, {PartitionIndex(0)}}}}, {"/c", {{kTopic, {PartitionIndex(0)}}}}};
  const auto answer = handlers.alter(request);
  REQUIRE(answer.results.size() == 1);
  CHECK(answer.results[0].partitions.size() == 1);
  CHECK(handlers.described()[1].empty());
  CHECK(handlers.described()[2].size() == 1);
}

TEST_CASE("log dirs: to move a partition back where it is ends its move") {
  MovingHandlers handlers;
  handlers.moving.create();
  handlers.moving.append_large(2);
  CHECK(handlers.move_to("/b") == ErrorCode::none);
  CHECK(handlers.described()[1].size() == 1);
  CHECK(handlers.move_to("/a") == ErrorCode::none);
  CHECK(handlers.described()[1].empty());
  CHECK(handlers.move_to("/d") == ErrorCode::log_dir_not_found);
}

}  // namespace
}  // namespace sillok::tests
