// The client library over a Unix domain socket, with the whole broker in this process.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>

#include "client/admin.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "tests/support/running_server.h"

using namespace sillok;
using namespace sillok::tests;

namespace {

client::ClusterOptions over(const std::string& address) {
  auto endpoints = client::parse_endpoints(address);
  REQUIRE(endpoints.ok());
  return {std::move(endpoints).value(), {}};
}

std::size_t read_all(client::Consumer& consumer, std::size_t wanted) {
  std::size_t count = 0;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (count < wanted && std::chrono::steady_clock::now() < give_up) {
    const auto fetched = consumer.poll(client::Milliseconds(1000));
    REQUIRE(fetched.ok());
    if (!*fetched) continue;
    const auto visited = client::for_each_record(**fetched, [&](const protocol::Record&) {
      ++count;
      return client::Visit::go_on;
    });
    REQUIRE(visited.ok());
  }
  return count;
}

}  // namespace

TEST_CASE("unix client: makes a topic, writes and reads it, and needs no other address") {
  const TempDir directory;
  const std::string address = "unix://" + directory.path("s.sock");
  const RunningServer server(directory, {{"listeners", address}});
  client::Admin admin(over(address));
  const auto created = admin.create_topics({{"events", 2, 1, {}}});
  REQUIRE(created.ok());
  REQUIRE(created->at(0).result.ok());

  constexpr std::size_t kRecords = 2000;
  std::atomic<std::size_t> delivered = 0;
  {
    client::Producer producer(over(address), {});
    for (std::size_t i = 0; i < kRecords; ++i) {
      client::ProducerRecord record;
      record.topic = "events";
      record.value = std::string(1000, 'v');
      const auto sent = producer.send(std::move(record), [&](const client::Delivery& delivery) {
        delivered += delivery.result.ok() ? 1 : 0;
      });
      REQUIRE(sent.ok());
    }
    producer.flush();
  }
  CHECK(delivered == kRecords);

  client::Consumer consumer(over(address), {});
  const auto partitions = consumer.partitions("events");
  REQUIRE(partitions.ok());
  std::vector<client::Assignment> all;
  for (const PartitionIndex index : *partitions) all.push_back({{"events", index}, {}});
  REQUIRE(consumer.assign(all).ok());
  CHECK(read_all(consumer, kRecords) == kRecords);
}

TEST_CASE("unix client: a socket that is not there is an error that names it") {
  client::Admin admin(over("unix:///nowhere/s.sock"));
  const auto listed = admin.list_topics();
  REQUIRE_FALSE(listed.ok());
  CHECK(listed.error().detail == "unix:///nowhere/s.sock: No such file or directory");
}
