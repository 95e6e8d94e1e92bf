// The whole broker in this process, and requests for it.
#pragma once

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "broker/server.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/produce.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace sillok::tests {

using namespace protocol;

inline constexpr Version kProduceVersion = 9;
inline constexpr Version kFetchVersion = 12;

struct RunningServer {
  explicit RunningServer(const TempDir& directory, const std::vector<broker::NameValue>& settings = {}) {
    std::vector<broker::NameValue> all{{"listeners", "PLAINTEXT://127.0.0.1:0"},
                                       {"log.dirs", directory.path() + "/data"},
                                       {"sillok.debug.abort.on.blocking", "true"}};
    all.insert(all.end(), settings.begin(), settings.end());
    auto loaded = broker::load_config({"", {}, all});
    REQUIRE(loaded.ok());
    server.emplace(std::move(loaded).value());
    const auto started = server->start();
    if (!started.ok()) FAIL(started.error().describe());
    for (const std::string& address : server->addresses()) {
      if (port != 0 || is_unix_address(address)) continue;
      port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    }
  }
  ~RunningServer() { CHECK(server->stop().ok()); }

  void create_topic(const char* name, std::int32_t partitions = 1) const {
    RawClient client(port);
    create_topic(client, name, partitions);
  }
  static void create_topic(RawClient& client, const char* name, std::int32_t partitions) {
    CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    client.send(request, 5, 1);
    Bytes kept;
    const auto response = client.receive<CreateTopicsResponse>(5, 1, kept);
    REQUIRE(response.topics.at(0).error_code == ErrorCode::none);
  }

  std::optional<broker::Server> server;
  std::uint16_t port = 0;  // of the first listener that is no Unix domain socket
};

inline ProduceRequest produce_of(std::string_view topic, ByteView batch, std::int16_t acks) {
  ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 10'000;
  request.topics.push_back({topic, {}, {{PartitionIndex(0), Records{batch, 0}}}});
  return request;
}

inline FetchRequest fetch_of(std::string_view topic, Offset from, std::int32_t max_wait_ms,
                             std::int32_t min_bytes = 1) {
  FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  request.max_bytes = 1 << 20;
  FetchPartition partition;
  partition.fetch_offset = from;
  partition.max_bytes = 1 << 20;
  request.topics.push_back({topic, {}, {partition}});
  return request;
}

inline ErrorCode produce_one(RawClient& client, std::string_view topic, const Bytes& bytes,
                             std::int16_t acks) {
  client.send(produce_of(topic, bytes, acks), kProduceVersion, 5);
  Bytes kept;
  return client.receive<ProduceResponse>(kProduceVersion, 5, kept)
      .responses.at(0)
      .partitions.at(0)
      .error_code;
}

}  // namespace sillok::tests
