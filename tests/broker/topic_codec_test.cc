// Batches that the broker reads or compresses anew before it appends them.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocol/messages/incremental_alter_configs.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

void alter(RawClient& client, std::string_view topic, std::string_view name, std::string_view value) {
  IncrementalAlterConfigsRequest request;
  request.resources = {{ConfigResourceType::topic, topic, {{name, ConfigOperation::set, value}}}};
  client.send(request, 1, 1);
  Bytes kept;
  REQUIRE(client.receive<IncrementalAlterConfigsResponse>(1, 1, kept).responses.at(0).error_code ==
          ErrorCode::none);
}

// All batches of the partition, one after the other.
std::vector<Bytes> stored(RawClient& client, std::string_view topic) {
  client.send(fetch_of(topic, Offset(0), 0), kFetchVersion, 2);
  Bytes kept;
  const auto response = client.receive<FetchResponse>(kFetchVersion, 2, kept);
  ByteView left = response.responses.at(0).partitions.at(0).records->bytes;
  std::vector<Bytes> batches;
  while (!left.empty()) {
    const std::size_t size = header_of(left).size();
    batches.emplace_back(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(size));
    left = left.subspan(size);
  }
  return batches;
}

TEST_CASE("compression.type: batches of another codec are kept in the topic's, records and all") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  alter(client, "a", "compression.type", "zstd");
  const Bytes plain = batch().record("k", std::string(5000, 'v'), 7).record("l", "w", 9);
  const Bytes same = batch().codec(Codec::zstd).record("k", std::string(5000, 'v'), 7);
  CHECK(produce_one(client, "a", plain, -1) == ErrorCode::none);
  CHECK(produce_one(client, "a", same, -1) == ErrorCode::none);
  auto batches = stored(client, "a");
  REQUIRE(batches.size() == 2);
  CHECK(header_of(batches[0]).codec() == Codec::zstd);
  CHECK(batches[0].size() < 1000);
  CHECK(read_records(batches[0]) == read_records(plain));
  CHECK(batches[1].size() == same.size());
  alter(client, "a", "compression.type", "uncompressed");
  CHECK(produce_one(client, "a", same, -1) == ErrorCode::none);
  CHECK(header_of(stored(client, "a").at(2)).codec() == Codec::none);
}

TEST_CASE("compression.type: pipelined batches of one producer stay in order, whatever their codec") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  alter(client, "a", "compression.type", "gzip");
  constexpr int kBatches = 60;
  for (int i = 0; i < kBatches; ++i) {
    const Codec codec = i % 3 == 0 ? Codec::gzip : i % 3 == 1 ? Codec::none : Codec::snappy;
    const Bytes bytes =
        batch().codec(codec).producer(5, 0, i).record("k", std::string(i % 2 == 0 ? 200'000 : 10, 'v'));
    client.send(produce_of("a", bytes, -1), kProduceVersion, i);
  }
  for (int i = 0; i < kBatches; ++i) {
    Bytes kept;
    const auto response = client.receive<ProduceResponse>(kProduceVersion, i, kept);
    const auto& partition = response.responses.at(0).partitions.at(0);
    CHECK(partition.error_code == ErrorCode::none);
    CHECK(partition.base_offset == Offset(i));
  }
}

TEST_CASE("compression.type: a batch that outgrows max.message.bytes is too large") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  alter(client, "a", "compression.type", "uncompressed");
  alter(client, "a", "max.message.bytes", "2000");
  const Bytes small = batch().codec(Codec::zstd).record("k", std::string(5000, 'v'));
  CHECK(produce_one(client, "a", small, 1) == ErrorCode::message_too_large);
}

TEST_CASE("compression.type: records that are not what the header says are refused") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  alter(client, "a", "compression.type", "gzip");
  Bytes wrong = batch().record("k", "v");
  wrong[kRecordBatchHeaderSize] ^= std::byte{0x40};  // the length of the first record
  renew_crc(wrong);
  CHECK(produce_one(client, "a", wrong, 1) == ErrorCode::invalid_record);
  CHECK(stored(client, "a").empty());
}

TEST_CASE("cleanup.policy=compact: compressed records without a key are refused, with keys they are taken") {
  TempDir directory;
  RunningServer server(directory);
  server.create_topic("a");
  RawClient client(server.port);
  alter(client, "a", "cleanup.policy", "compact");
  const Bytes keyless = batch().codec(Codec::lz4).record("k", "v").keyless("w");
  const Bytes keyed = batch().codec(Codec::lz4).record("k", "v");
  CHECK(produce_one(client, "a", keyless, 1) == ErrorCode::invalid_record);
  CHECK(produce_one(client, "a", keyed, 1) == ErrorCode::none);
  CHECK(stored(client, "a").size() == 1);
}

}  // namespace
}  // namespace sillok::tests
