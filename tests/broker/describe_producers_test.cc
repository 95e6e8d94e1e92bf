#include "protocol/messages/describe_producers.h"

#include <catch2/catch.hpp>

#include "tests/support/batches.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

// The server ends where a thread that serves connections waits for the disk.
struct Fixture {
  Fixture() { server.create_topic("orders", 2); }
  void produce(const Bytes& bytes) { REQUIRE(produce_one(client, "orders", bytes, -1) == ErrorCode::none); }
  DescribeProducersTopicResponse described(std::string_view topic, std::vector<PartitionIndex> partitions) {
    DescribeProducersRequest request;
    request.topics = {{topic, std::move(partitions)}};
    client.send(request, 0, 9);
    return client.receive<DescribeProducersResponse>(0, 9, kept).topics.at(0);
  }

  TempDir directory;
  RunningServer server{directory};
  RawClient client{server.port};
  Bytes kept;
};

// `record_count` is of its last batch, whose records are a millisecond apart.
DescribeProducersProducer producer_of(std::int64_t id, std::int32_t epoch, std::int32_t last_sequence,
                                      std::int64_t record_count) {
  DescribeProducersProducer producer;
  producer.producer_id = ProducerId(id);
  producer.producer_epoch = epoch;
  producer.last_sequence = last_sequence;
  producer.last_timestamp = kBatchTimestamp + record_count - 1;
  producer.coordinator_epoch = -1;
  return producer;
}

TEST_CASE("describe producers: each is told with its epoch, and its last sequence and timestamp, by id") {
  Fixture fixture;
  fixture.produce(batch().records(1));
  fixture.produce(batch().producer(4711, 3, 7).records(1));
  fixture.produce(batch().producer(7, 0, 0).records(2));
  fixture.produce(batch().producer(7, 0, 2).records(3));
  auto topic = fixture.described("orders", {PartitionIndex(0), PartitionIndex(1)});
  CHECK(topic.name == "orders");
  REQUIRE(topic.partitions.size() == 2);
  CHECK(topic.partitions[0].error_code == ErrorCode::none);
  CHECK(topic.partitions[0].active_producers ==
        std::vector{producer_of(7, 0, 4, 3), producer_of(4711, 3, 7, 1)});
  CHECK(topic.partitions[1].error_code == ErrorCode::none);
  CHECK(topic.partitions[1].active_producers.empty());
  fixture.produce(batch().producer(4711, 4, 0).records(1));
  topic = fixture.described("orders", {PartitionIndex(0)});
  CHECK(topic.partitions.at(0).active_producers ==
        std::vector{producer_of(7, 0, 4, 3), producer_of(4711, 4, 0, 1)});
}

TEST_CASE("describe producers: what is not there is refused for itself, and the rest is answered") {
  Fixture fixture;
  const auto topic = fixture.described("orders", {PartitionIndex(2), PartitionIndex(-1), PartitionIndex(1)});
  REQUIRE(topic.partitions.size() == 3);
  CHECK(topic.partitions[0].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(topic.partitions[1].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(topic.partitions[2].error_code == ErrorCode::none);
  const auto absent = fixture.described("absent", {PartitionIndex(0)});
  CHECK(absent.partitions.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(absent.partitions[0].error_message.has_value());
  const auto bad = fixture.described("a b", {PartitionIndex(0)});
  CHECK(bad.partitions.at(0).error_code == ErrorCode::invalid_topic_exception);
  CHECK(bad.partitions[0].error_message.has_value());
  CHECK(fixture.described("orders", {}).partitions.empty());
}

TEST_CASE(
    "describe producers: one answer holds so many, and refuses what comes after the first that does not "
    "fit") {
  Fixture fixture;
  constexpr std::size_t kProducers = 1000;
  constexpr std::size_t kFitting = 200'000 / kProducers;
  std::vector<Bytes> batches;
  for (std::size_t i = 0; i < kProducers; ++i)
    batches.push_back(batch().producer(static_cast<std::int64_t>(i), 0, 0).records(1));
  ProduceRequest produced = produce_of("orders", batches[0], 1);
  for (std::size_t i = 1; i < kProducers; ++i)
    produced.topics[0].partitions.push_back({PartitionIndex(0), Records{batches[i], 0}});
  fixture.client.send(produced, kProduceVersion, 5);
  fixture.client.receive<ProduceResponse>(kProduceVersion, 5, fixture.kept);

  std::vector<PartitionIndex> named(kFitting + 1, PartitionIndex(0));
  named.insert(named.begin() + 1, PartitionIndex(1));
  named.push_back(PartitionIndex(1));
  named.push_back(PartitionIndex(2));
  const auto topic = fixture.described("orders", named);
  REQUIRE(topic.partitions.size() == named.size());
  REQUIRE(topic.partitions[0].active_producers.size() == kProducers);
  CHECK(topic.partitions[1].active_producers.empty());
  for (std::size_t i = 2; i < kFitting + 1; ++i) {
    CHECK(topic.partitions[i].error_code == ErrorCode::none);
    CHECK(topic.partitions[i].active_producers == topic.partitions[0].active_producers);
  }
  for (const std::size_t refused : {kFitting + 1, kFitting + 2}) {
    CHECK(topic.partitions[refused].error_code == ErrorCode::invalid_request);
    CHECK(topic.partitions[refused].error_message.has_value());
    CHECK(topic.partitions[refused].active_producers.empty());
  }
  CHECK(topic.partitions[kFitting + 3].error_code == ErrorCode::unknown_topic_or_partition);
}

}  // namespace
}  // namespace sillok::tests
