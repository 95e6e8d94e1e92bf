#include "client/metadata_cache.h"

#include <catch2/catch.hpp>

#include "protocol/messages/metadata.h"

namespace sillok {
namespace {

using client::MetadataCache;

const client::Endpoint kAsked{"127.0.0.1", 9001};

protocol::MetadataResponse answer(std::int32_t leader, std::int32_t epoch) {
  protocol::MetadataPartition partition;
  partition.index = PartitionIndex(0);
  partition.leader_id = BrokerId(leader);
  partition.leader_epoch = LeaderEpoch(epoch);
  protocol::MetadataTopic topic;
  topic.name = "t";
  topic.partitions.push_back(partition);
  protocol::MetadataResponse response;
  for (const std::int32_t id : {1, 2})
    response.brokers.push_back({BrokerId(id), "127.0.0.1", 9000 + id, std::nullopt});
  response.topics.push_back(topic);
  return response;
}

TEST_CASE("metadata cache: knows leaders, and what it does not know") {
  MetadataCache cache;
  CHECK_FALSE(cache.leader("t", PartitionIndex(0)));
  cache.update(answer(2, 5), kAsked);
  CHECK(cache.leader("t", PartitionIndex(0)) == BrokerId(2));
  CHECK_FALSE(cache.leader("t", PartitionIndex(1)));
  CHECK_FALSE(cache.leader("t", PartitionIndex(-1)));
  CHECK(cache.brokers().at(BrokerId(2)).port == 9002);
  cache.forget("t");
  CHECK(cache.topic("t") == nullptr);
}

TEST_CASE("metadata cache: an answer with an older epoch does not bring the old leader back") {
  MetadataCache cache;
  cache.update(answer(2, 5), kAsked);
  cache.update(answer(1, 4), kAsked);
  CHECK(cache.leader("t", PartitionIndex(0)) == BrokerId(2));
  cache.update(answer(1, 6), kAsked);
  CHECK(cache.leader("t", PartitionIndex(0)) == BrokerId(1));
}

TEST_CASE("metadata cache: indexes and ports that make no sense are passed over") {
  auto response = answer(1, 0);
  response.topics[0].partitions[0].index = PartitionIndex(1'000'000'000);
  response.brokers[0].port = 70'000;
  MetadataCache cache;
  cache.update(response, kAsked);
  CHECK(cache.topic("t")->partitions.empty());
  CHECK(cache.brokers().size() == 1);
}

TEST_CASE("metadata cache: a broker on a Unix domain socket is the one that was asked, over that socket") {
  protocol::MetadataResponse response = answer(2, 5);
  response.brokers[0].host = "unix:///where/the/broker/sees/it";
  response.brokers[0].port = 0;
  const client::Endpoint socket{"", 0, "/where/it/is/here"};
  MetadataCache cache;
  cache.update(response, socket);
  CHECK(cache.brokers().at(BrokerId(1)) == socket);
  CHECK(cache.brokers().at(BrokerId(2)).host == "127.0.0.1");
  // Who answers over TCP cannot send this client to sockets of its machine.
  cache.update(response, kAsked);
  CHECK_FALSE(cache.brokers().contains(BrokerId(1)));
}

}  // namespace
}  // namespace sillok
