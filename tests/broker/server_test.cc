// The whole broker in this process, seen from its socket.
#include "broker/server.h"

#include <catch2/catch.hpp>
#include <tuple>

#include "protocol/messages/api_versions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/produce.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

using namespace sillok;
using namespace sillok::protocol;
using namespace sillok::tests;

TEST_CASE("server: pipelined requests take effect and are answered in their order") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  constexpr int kRequests = 200;
  Bytes all;
  for (int i = 0; i < kRequests; ++i) {
    const Bytes bytes = batch().records(1);
    const std::int16_t acks = i % 3 == 0 ? -1 : 1;
    const Bytes frame = RawClient::frame(produce_of("orders", bytes, acks), kProduceVersion, i);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  client.send_bytes(all);
  for (int i = 0; i < kRequests; ++i) {
    Bytes kept;
    const auto response = client.receive<ProduceResponse>(kProduceVersion, i, kept);
    const auto& partition = response.responses.at(0).partitions.at(0);
    CHECK(partition.error_code == ErrorCode::none);
    CHECK(partition.base_offset == Offset(i));
  }
}

TEST_CASE("server: more requests than may be in flight, all in one write, are all answered") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  constexpr int kRequests = 350;
  const auto send_all = [&](RawClient& client, std::int16_t acks) {
    Bytes all;
    for (int i = 0; i < kRequests; ++i) {
      const Bytes bytes = batch().records(1);
      const Bytes frame = RawClient::frame(produce_of("orders", bytes, acks), kProduceVersion, i);
      all.insert(all.end(), frame.begin(), frame.end());
    }
    const Bytes last = RawClient::frame(MetadataRequest{}, 12, kRequests);
    all.insert(all.end(), last.begin(), last.end());
    client.send_bytes(all);
  };
  for (const std::int16_t acks : std::initializer_list<std::int16_t>{1, -1, 0}) {
    RawClient client(server.port);
    send_all(client, acks);
    Bytes kept;
    for (int i = 0; i < kRequests && acks != 0; ++i)
      client.receive<ProduceResponse>(kProduceVersion, i, kept);
    client.receive<MetadataResponse>(12, kRequests, kept);
  }
}

TEST_CASE("server: a bad request closes the connection after what came before was answered") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {"\xff\xff\xff\xfb"sv, "\x00\x00\x00\x0a\x00\x63\x00\x00\x00\x00\x00\x01\xff\xff"sv}) {
    RawClient client(server.port);
    const Bytes bytes = batch().records(1);
    Bytes all = RawClient::frame(produce_of("orders", bytes, -1), kProduceVersion, 1);
    const Bytes metadata = RawClient::frame(MetadataRequest{}, 12, 2);
    all.insert(all.end(), metadata.begin(), metadata.end());
    const ByteView tail = as_bytes(bad);
    all.insert(all.end(), tail.begin(), tail.end());
    client.send_bytes(all);
    Bytes kept;
    CHECK(client.receive<ProduceResponse>(kProduceVersion, 1, kept)
              .responses.at(0)
              .partitions.at(0)
              .error_code == ErrorCode::none);
    client.receive<MetadataResponse>(12, 2, kept);
    CHECK(client.is_closed_by_server());
  }
}

TEST_CASE("server: producers that outrun the disk wait, and lose nothing") {
  const TempDir directory;
  RunningServer server(directory,
                       {{"sillok.unflushed.bytes.max", "1048576"}, {"log.flush.interval.ms", "3600000"}});
  server.create_topic("orders");
  RawClient client(server.port);
  const Bytes bytes = batch().sized(100'000);
  constexpr int kRequests = 100;
  for (const std::int16_t acks : std::initializer_list<std::int16_t>{1, 0}) {
    for (int i = 0; i < kRequests; ++i) client.send(produce_of("orders", bytes, acks), kProduceVersion, i);
    Bytes kept;
    for (int i = 0; i < kRequests && acks != 0; ++i) {
      CHECK(client.receive<ProduceResponse>(kProduceVersion, i, kept)
                .responses.at(0)
                .partitions.at(0)
                .error_code == ErrorCode::none);
    }
  }
  const Bytes last = batch().records(1);
  client.send(produce_of("orders", last, -1), kProduceVersion, 1);
  Bytes kept;
  const auto response = client.receive<ProduceResponse>(kProduceVersion, 1, kept);
  CHECK(response.responses.at(0).partitions.at(0).base_offset == Offset(2 * kRequests));
}

TEST_CASE("server: the parked fetches of clients that are gone make room at once") {
  const TempDir directory;
  RunningServer server(directory, {{"max.connections", "4"}});
  server.create_topic("orders");
  for (int i = 0; i < 20; ++i) {
    RawClient client(server.port);
    client.send(fetch_of("orders", Offset(0), 2'000'000'000), kFetchVersion, 1);
    client.send(MetadataRequest{}, 12, 2);
  }
  Bytes kept;
  for (int tries = 0;; ++tries) {  // the server hears of the last ones in its own time
    REQUIRE(tries < 100'000);
    RawClient client(server.port);
    client.send(MetadataRequest{}, 12, 2);
    if (client.receive().has_value()) break;
  }
}

TEST_CASE("server: a fetch never waits for more than it may be given") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  CHECK(produce_one(client, "orders", batch().sized(50'000), 1) == ErrorCode::none);
  FetchRequest request = fetch_of("orders", Offset(0), 2'000'000'000, 100'000);
  request.max_bytes = 20'000;
  client.send(request, kFetchVersion, 3);
  Bytes kept;
  CHECK_FALSE(client.receive<FetchResponse>(kFetchVersion, 3, kept)
                  .responses.at(0)
                  .partitions.at(0)
                  .records->bytes.empty());
}

TEST_CASE("server: what was produced is fetched byte for byte, but for offset and epoch") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  const Bytes small = batch().records(3);
  const Bytes large = batch().sized(200'000);
  CHECK(produce_one(client, "orders", small, 1) == ErrorCode::none);
  CHECK(produce_one(client, "orders", large, -1) == ErrorCode::none);
  client.send(fetch_of("orders", Offset(0), 1000), kFetchVersion, 6);
  Bytes kept;
  const auto response = client.receive<FetchResponse>(kFetchVersion, 6, kept);
  const auto& partition = response.responses.at(0).partitions.at(0);
  CHECK(partition.error_code == ErrorCode::none);
  CHECK(partition.high_watermark == Offset(4));
  REQUIRE(partition.records.has_value());
  Bytes expected = join({small, large});
  set_leader_epoch(expected, LeaderEpoch(0));
  set_base_offset(MutableByteView(expected).subspan(small.size()), Offset(3));
  set_leader_epoch(MutableByteView(expected).subspan(small.size()), LeaderEpoch(0));
  CHECK(as_text(partition.records->bytes) == as_text(expected));
}

TEST_CASE("server: a frame that arrives byte by byte, or with a large one behind it, is served") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  const Bytes bytes = batch().records(2);
  const Bytes dribbled = RawClient::frame(produce_of("orders", bytes, 1), kProduceVersion, 1);
  for (const std::byte& one : dribbled) client.send_bytes({&one, 1});
  const Bytes large = batch().sized(900'000);
  Bytes both = RawClient::frame(produce_of("orders", bytes, 1), kProduceVersion, 2);
  const Bytes large_frame = RawClient::frame(produce_of("orders", large, 1), kProduceVersion, 3);
  both.insert(both.end(), large_frame.begin(), large_frame.end());
  client.send_bytes(both);
  for (int i = 1; i <= 3; ++i) {
    Bytes kept;
    const auto response = client.receive<ProduceResponse>(kProduceVersion, i, kept);
    CHECK(response.responses.at(0).partitions.at(0).error_code == ErrorCode::none);
  }
}

TEST_CASE("server: a waiting fetch is answered by the append that it waits for, or empty at its time") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient consumer(server.port);
  RawClient producer(server.port);
  consumer.send(fetch_of("orders", Offset(0), 25'000), kFetchVersion, 1);
  CHECK(produce_one(producer, "orders", batch().records(2), -1) == ErrorCode::none);
  Bytes kept;
  const auto woken = consumer.receive<FetchResponse>(kFetchVersion, 1, kept);
  CHECK(read_records(woken.responses.at(0).partitions.at(0).records->bytes).size() == 2);
  consumer.send(fetch_of("orders", Offset(2), 10), kFetchVersion, 2);
  const auto empty = consumer.receive<FetchResponse>(kFetchVersion, 2, kept);
  CHECK(empty.responses.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(empty.responses.at(0).partitions.at(0).records->bytes.empty());
}

TEST_CASE("server: a fetch with min_bytes waits through appends until there is enough") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient consumer(server.port);
  RawClient producer(server.port);
  consumer.send(fetch_of("orders", Offset(0), 25'000, 3000), kFetchVersion, 1);
  for (int i = 0; i < 3; ++i)
    CHECK(produce_one(producer, "orders", batch().sized(1000), 1) == ErrorCode::none);
  Bytes kept;
  const auto woken = consumer.receive<FetchResponse>(kFetchVersion, 1, kept);
  CHECK(woken.responses.at(0).partitions.at(0).records->bytes.size() == 3000);
}

TEST_CASE("server: acks=0 has no answer, and an error under it closes the connection") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  const Bytes bytes = batch().records(1);
  client.send(produce_of("orders", bytes, 0), kProduceVersion, 1);
  client.send(produce_of("orders", bytes, 1), kProduceVersion, 2);
  Bytes kept;
  const auto second = client.receive<ProduceResponse>(kProduceVersion, 2, kept);
  CHECK(second.responses.at(0).partitions.at(0).base_offset == Offset(1));
  client.send(produce_of("no-such-topic", bytes, 0), kProduceVersion, 3);
  CHECK(client.is_closed_by_server());
}

TEST_CASE("server: what a batch may not be is refused with Kafka's code, and nothing is appended") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  Bytes flipped = batch().records(1);
  flipped.back() ^= std::byte{1};
  Bytes old_format = batch().records(1);
  old_format[kMagicPosition] = std::byte{1};
  CHECK(produce_one(client, "orders", old_format, 1) == ErrorCode::invalid_record);
  CHECK(produce_one(client, "orders", flipped, 1) == ErrorCode::corrupt_message);
  CHECK(produce_one(client, "orders", join({batch().records(1), batch().records(1)}), 1) ==
        ErrorCode::invalid_record);
  CHECK(produce_one(client, "orders", batch().sized(1'048'589), 1) == ErrorCode::message_too_large);
  CHECK(produce_one(client, "orders", batch().producer(1, 0, 0).transactional().records(1), 1) ==
        ErrorCode::invalid_txn_state);
  CHECK(produce_one(client, "orders", batch().records(1), 7) == ErrorCode::invalid_required_acks);
  CHECK(produce_one(client, "elsewhere", batch().records(1), 1) == ErrorCode::unknown_topic_or_partition);
  ListOffsetsRequest request;
  ListOffsetsPartition latest;
  latest.timestamp = -1;
  request.topics.push_back({"orders", {latest}});
  client.send(request, 5, 9);
  Bytes kept;
  const auto response = client.receive<ListOffsetsResponse>(5, 9, kept);
  CHECK(response.topics.at(0).partitions.at(0).offset == Offset(0));
}

TEST_CASE("server: on a disk that is nearly full records are refused, and all else goes on") {
  const TempDir directory;
  const Bytes bytes = batch().records(3);
  {
    RunningServer server(directory);
    server.create_topic("orders");
    RawClient client(server.port);
    CHECK(produce_one(client, "orders", bytes, -1) == ErrorCode::none);
  }
  RunningServer server(directory, {{"sillok.disk.free.min.bytes", std::to_string(std::int64_t{1} << 60)}});
  server.create_topic("more");
  RawClient client(server.port);
  client.send(produce_of("orders", bytes, -1), kProduceVersion, 1);
  Bytes kept;
  const auto refused =
      client.receive<ProduceResponse>(kProduceVersion, 1, kept).responses.at(0).partitions.at(0);
  CHECK(refused.error_code == ErrorCode::kafka_storage_error);
  CHECK(refused.error_message.has_value());
  client.send(fetch_of("orders", Offset(0), 0), kFetchVersion, 2);
  const auto fetched = client.receive<FetchResponse>(kFetchVersion, 2, kept).responses.at(0).partitions.at(0);
  CHECK(fetched.error_code == ErrorCode::none);
  CHECK(fetched.high_watermark == Offset(3));
}

TEST_CASE(
    "server: a fetch past the end has no offsets in its answer, and a session that nobody has is refused") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  Bytes kept;
  client.send(fetch_of("orders", Offset(7), 0), kFetchVersion, 1);
  const auto fetched = client.receive<FetchResponse>(kFetchVersion, 1, kept).responses.at(0).partitions.at(0);
  CHECK(fetched.error_code == ErrorCode::offset_out_of_range);
  CHECK(fetched.high_watermark == Offset(-1));
  CHECK(fetched.log_start_offset == Offset(-1));
  FetchRequest request = fetch_of("orders", Offset(0), 0);
  std::tie(request.session_id, request.session_epoch) = GENERATE(std::tuple(0, 1), std::tuple(5, 1));
  client.send(request, kFetchVersion, 2);
  CHECK(client.receive<FetchResponse>(kFetchVersion, 2, kept).error_code ==
        ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("server: a partition that ListOffsets names twice is an invalid request, the others are answered") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders", 2);
  RawClient client(server.port);
  ListOffsetsRequest request;
  request.topics.push_back({"orders", {}});
  for (const int index : {0, 1, 0}) {
    ListOffsetsPartition latest;
    latest.index = PartitionIndex(index);
    latest.timestamp = -1;
    request.topics.back().partitions.push_back(latest);
  }
  client.send(request, 5, 9);
  Bytes kept;
  const auto topic = client.receive<ListOffsetsResponse>(5, 9, kept).topics.at(0);
  REQUIRE(topic.partitions.size() == 2);
  CHECK(topic.partitions[0].error_code == ErrorCode::invalid_request);
  CHECK(topic.partitions[1].error_code == ErrorCode::none);
}

TEST_CASE("server: ApiVersions of an unknown version is answered in version 0 with its own range") {
  const TempDir directory;
  RunningServer server(directory);
  RawClient client(server.port);
  Bytes frame = RawClient::frame(ApiVersionsRequest{"x", "1"}, 3, 7);
  store_big_endian<std::int16_t>(frame.data() + 6, 99);
  client.send_bytes(frame);
  Bytes kept;
  const auto response = client.receive<ApiVersionsResponse>(0, 7, kept);
  CHECK(response.error_code == ErrorCode::unsupported_version);
  REQUIRE(response.api_keys.size() == 1);
  CHECK(response.api_keys[0].api_key == ApiKey::api_versions);
  CHECK(response.api_keys[0].max_version == 4);
  client.send(MetadataRequest{}, 12, 8);
  CHECK(client.receive<MetadataResponse>(12, 8, kept).brokers.size() == 1);
}

TEST_CASE("server: bytes behind the end of a request are ignored, as Kafka does") {
  const TempDir directory;
  RunningServer server(directory);
  RawClient client(server.port);
  Bytes frame = RawClient::frame(MetadataRequest{}, 13, 1);
  frame.resize(frame.size() + 3);
  store_big_endian(frame.data(), static_cast<std::int32_t>(frame.size() - 4));
  client.send_bytes(frame);
  Bytes kept;
  CHECK(client.receive<MetadataResponse>(13, 1, kept).brokers.size() == 1);
}

TEST_CASE("server: bytes that are not Kafka's close the connection and harm nobody else") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient honest(server.port);
  using namespace std::string_view_literals;
  const std::string_view attempts[] = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"sv,
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv,
      "\xff\xff\xff\xff"sv,
      "\x00\x00\x00\x02\x00\x00"sv,                                                  // ends inside the header
      "\x00\x00\x00\x0a\x00\x63\x00\x00\x00\x00\x00\x01\xff\xff"sv,                  // an unknown key
      "\x00\x00\x00\x0a\x00\x00\x00\x02\x00\x00\x00\x01\xff\xff"sv,                  // Produce version 2
      "\x00\x00\x00\x0e\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x7f\xff\xff\xff"sv,  // 2^31 topics
  };
  for (const std::string_view attempt : attempts) {
    RawClient client(server.port);
    client.send_text(attempt);
    CHECK(client.is_closed_by_server());
  }
  CHECK(produce_one(honest, "orders", batch().records(1), -1) == ErrorCode::none);
}

TEST_CASE("server: after a restart the log goes on where it was") {
  const TempDir directory;
  {
    RunningServer server(directory);
    server.create_topic("orders");
    RawClient client(server.port);
    CHECK(produce_one(client, "orders", batch().producer(9, 0, 0).records(5), -1) == ErrorCode::none);
  }
  RunningServer server(directory);
  RawClient client(server.port);
  client.send(produce_of("orders", batch().producer(9, 0, 0).records(5).bytes(), -1), kProduceVersion, 1);
  Bytes kept;
  const auto repeat = client.receive<ProduceResponse>(kProduceVersion, 1, kept);
  CHECK(repeat.responses.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(repeat.responses.at(0).partitions.at(0).base_offset == Offset(0));
  CHECK(produce_one(client, "orders", batch().producer(9, 0, 5).records(1), -1) == ErrorCode::none);
  client.send(fetch_of("orders", Offset(0), 0), kFetchVersion, 2);
  const auto fetched = client.receive<FetchResponse>(kFetchVersion, 2, kept);
  CHECK(read_records(fetched.responses.at(0).partitions.at(0).records->bytes).size() == 6);
}

TEST_CASE("server: connections past max.connections are closed at once") {
  const TempDir directory;
  RunningServer server(directory, {{"max.connections", "2"}});
  RawClient first(server.port);
  RawClient second(server.port);
  Bytes kept;
  for (RawClient* client : {&first, &second}) {
    client->send(ApiVersionsRequest{}, 0, 1);
    CHECK(client->receive<ApiVersionsResponse>(0, 1, kept).error_code == ErrorCode::none);
  }
  RawClient third(server.port);
  CHECK(third.is_closed_by_server());
}
