// What a produce request is answered, as Kafka answers it, where clients look at more than the error.
#include <catch2/catch.hpp>

#include "protocol/record_batch_validator.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

constexpr TimestampMs kDayMs = 86'400'000;

// One partition's answer, and what its views live in.
struct Answer {
  Bytes kept;
  ProduceResponse response;
  const ProducePartitionResponse& partition() const { return response.responses.at(0).partitions.at(0); }
};

struct Producer {
  explicit Producer(const RunningServer& server) : client(server.port) {}
  Answer send(const ProduceRequest& request, Version version = kProduceVersion) {
    client.send(request, version, ++correlation_id);
    Answer answer;
    answer.response = client.receive<ProduceResponse>(version, correlation_id, answer.kept);
    return answer;
  }
  RawClient client;
  std::int32_t correlation_id = 0;
};

void create(const RunningServer& server, const char* topic, std::string_view config, std::string_view value) {
  RawClient client(server.port);
  CreateTopicsRequest request;
  request.topics.push_back({topic, 1, 1, {}, {{config, value}}});
  client.send(request, 5, 1);
  Bytes kept;
  REQUIRE(client.receive<CreateTopicsResponse>(5, 1, kept).topics.at(0).error_code == ErrorCode::none);
}

TEST_CASE("produce: zstd in a version that cannot read it back is refused") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Producer producer(server);
  const Bytes bytes = batch().codec(Codec::zstd).records(3);
  CHECK(producer.send(produce_of("orders", bytes, 1), 6).partition().error_code ==
        ErrorCode::unsupported_compression_type);
  CHECK(producer.send(produce_of("orders", bytes, 1), 7).partition().error_code == ErrorCode::none);
}

TEST_CASE("produce: an unknown topic is told before acks that there are not") {
  const TempDir directory;
  RunningServer server(directory);
  Producer producer(server);
  const Bytes bytes = batch().records(1);
  CHECK(producer.send(produce_of("absent", bytes, 7)).partition().error_code ==
        ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("produce: a topic without partitions has no answer") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Producer producer(server);
  const Bytes bytes = batch().records(1);
  ProduceRequest request = produce_of("orders", bytes, 1);
  request.topics.insert(request.topics.begin(), {"empty", {}, {}});
  const Answer answer = producer.send(request);
  REQUIRE(answer.response.responses.size() == 1);
  CHECK(answer.response.responses[0].name == "orders");
  CHECK(answer.partition().base_offset == Offset(0));
}

TEST_CASE("produce: the log's start is told with what its rules refuse, not with what is no batch") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Producer producer(server);
  const Bytes control = batch().control().records(1);
  CHECK(producer.send(produce_of("orders", control, 1)).partition().log_start_offset == Offset(0));
  const Bytes two = join({batch().records(1), batch().records(1)});
  CHECK(producer.send(produce_of("orders", two, 1)).partition().log_start_offset == Offset(-1));
  Bytes flipped = batch().records(1);
  flipped.back() ^= std::byte{1};
  CHECK(producer.send(produce_of("orders", flipped, 1)).partition().log_start_offset == Offset(-1));
}

TEST_CASE("produce: the records that are to blame are named") {
  const TempDir directory;
  RunningServer server(directory);
  create(server, "compacted", "cleanup.policy", "compact");
  Producer producer(server);
  const Bytes bytes = batch().record("k", "v").keyless("v").record("k", "v").keyless("v");
  const Answer answer = producer.send(produce_of("compacted", bytes, 1));
  CHECK(answer.partition().error_code == ErrorCode::invalid_record);
  REQUIRE(answer.partition().record_errors.size() == 2);
  CHECK(answer.partition().record_errors[0].batch_index == 1);
  CHECK(answer.partition().record_errors[1].batch_index == 3);
  CHECK(answer.partition().record_errors[0].message.has_value());
  // A fault of the whole batch comes first, and is nobody's of the records.
  const Bytes control = batch().control().keyless("v");
  CHECK(producer.send(produce_of("compacted", control, 1)).partition().record_errors.empty());
}

TEST_CASE("produce: a bound on the age of records is kept for each, wherever it is in the batch") {
  const TempDir directory;
  RunningServer server(directory);
  create(server, "bounded", "message.timestamp.before.max.ms", "3153600000000");  // 100 years
  Producer producer(server);
  const Bytes good = batch().records(3);
  CHECK(producer.send(produce_of("bounded", good, 1)).partition().error_code == ErrorCode::none);
  const Bytes old = batch().record("k", "v").record("k", "v", -3000 * kDayMs * 365).record("k", "v");
  const Answer answer = producer.send(produce_of("bounded", old, 1));
  CHECK(answer.partition().error_code == ErrorCode::invalid_timestamp);
  REQUIRE(answer.partition().record_errors.size() == 1);
  CHECK(answer.partition().record_errors[0].batch_index == 1);
}

TEST_CASE("produce: a batch that was sent before is answered with the time of the original") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  Producer producer(server);
  const Bytes bytes = batch().producer(7, 0, 0).record("k", "v", 5).record("k", "v", 9);
  for (const std::int16_t acks : {std::int16_t{1}, std::int16_t{-1}}) {
    INFO("acks " << acks);
    const Answer answer = producer.send(produce_of("orders", bytes, acks));
    CHECK(answer.partition().base_offset == Offset(0));
    CHECK(answer.partition().log_append_time_ms == (acks == 1 ? -1 : 9));
  }
  CHECK(producer.send(produce_of("orders", bytes, 1)).partition().log_append_time_ms == 9);
}

}  // namespace
}  // namespace sillok::tests
