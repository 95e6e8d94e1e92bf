#include "protocol/messages/delete_records.h"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/messages/incremental_alter_configs.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

DeleteRecordsPartitionResponse delete_up_to(RawClient& client, std::string_view topic, std::int64_t offset,
                                            Version version = 2) {
  DeleteRecordsRequest request;
  request.topics = {{topic, {{PartitionIndex(0), Offset(offset)}}}};
  request.timeout_ms = 1000;
  client.send(request, version, 3);
  Bytes kept;
  const auto response = client.receive<DeleteRecordsResponse>(version, 3, kept);
  CHECK(response.topics.at(0).name == topic);
  return response.topics.at(0).partitions.at(0);
}

FetchPartitionResponse fetched(RawClient& client, std::string_view topic, Offset from, Bytes& kept) {
  client.send(fetch_of(topic, from, 0), kFetchVersion, 4);
  return client.receive<FetchResponse>(kFetchVersion, 4, kept).responses.at(0).partitions.at(0);
}

TEST_CASE("delete records: the log starts at the offset, at once and after a restart") {
  TempDir directory;
  {
    RunningServer server(directory);
    server.create_topic("a");
    RawClient client(server.port);
    for (int i = 0; i < 5; ++i)
      REQUIRE(produce_one(client, "a", batch().record("k", "v"), -1) == ErrorCode::none);
    for (Version version = 0; version <= 2; ++version) {
      const auto answer = delete_up_to(client, "a", version + 1, version);
      CHECK(answer.error_code == ErrorCode::none);
      CHECK(answer.low_watermark == Offset(version + 1));
    }
    CHECK(delete_up_to(client, "a", 1).low_watermark == Offset(3));  // never back
    Bytes kept;
    CHECK(fetched(client, "a", Offset(2), kept).error_code == ErrorCode::offset_out_of_range);
    CHECK(fetched(client, "a", Offset(3), kept).log_start_offset == Offset(3));
  }
  RunningServer server(directory);
  RawClient client(server.port);
  Bytes kept;
  CHECK(fetched(client, "a", Offset(2), kept).error_code == ErrorCode::offset_out_of_range);
  const auto answer = fetched(client, "a", Offset(3), kept);
  CHECK(answer.error_code == ErrorCode::none);
  CHECK(answer.log_start_offset == Offset(3));
  CHECK(answer.high_watermark == Offset(5));
  CHECK(delete_up_to(client, "a", -1).low_watermark == Offset(5));
}

TEST_CASE("delete records: what cannot be is refused with Kafka's error") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  REQUIRE(produce_one(client, "a", batch().record("k", "v"), -1) == ErrorCode::none);
  CHECK(delete_up_to(client, "a", 2).error_code == ErrorCode::offset_out_of_range);
  CHECK(delete_up_to(client, "a", -2).error_code == ErrorCode::offset_out_of_range);
  CHECK(delete_up_to(client, "b", 1).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(delete_up_to(client, "a", 2).low_watermark == Offset(-1));
  IncrementalAlterConfigsRequest request;
  request.resources = {
      {ConfigResourceType::topic, "a", {{"cleanup.policy", ConfigOperation::set, "compact"}}}};
  client.send(request, 1, 1);
  Bytes kept;
  REQUIRE(client.receive<IncrementalAlterConfigsResponse>(1, 1, kept).responses.at(0).error_code ==
          ErrorCode::none);
  CHECK(delete_up_to(client, "a", 1).error_code == ErrorCode::policy_violation);
}

TEST_CASE("delete records: a topic without partitions has no answer") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  DeleteRecordsRequest request;
  request.topics = {{"b", {}}, {"a", {{PartitionIndex(0), Offset(0)}}}};
  request.timeout_ms = 1000;
  client.send(request, 2, 3);
  Bytes kept;
  const auto response = client.receive<DeleteRecordsResponse>(2, 3, kept);
  REQUIRE(response.topics.size() == 1);
  CHECK(response.topics[0].name == "a");
}

}  // namespace
}  // namespace sillok::tests
