// The walk over a schema on the way of a produce and of a fetch: what a request costs apart from its records.
#include <benchmark/benchmark.h>

#include <string>

#include "protocol/frame.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/produce.h"

namespace sillok::protocol {
namespace {

const std::string kRecords(168, 'r');  // a batch of one record of 100 bytes

template <Message Request>
Bytes request_frame(const Request& request, Version version) {
  Bytes out;
  SILLOK_CHECK(
      encode_request_frame(out, request, {static_cast<std::int16_t>(Request::kKey), version, 7, "rdkafka"})
          .ok());
  return out;
}

// Into one object, as a reactor does it.
template <Message Request>
void decode_frame(benchmark::State& state, const Request& request, Version version) {
  const Bytes frame = request_frame(request, version);
  Request decoded;
  for (auto _ : state) {
    Decoder in(ByteView(frame).subspan(kFrameSizeBytes));
    const RequestHeader header =
        decode_request_header(in, [](auto, Version v) { return Request::kFlexible.contains(v); });
    SILLOK_CHECK(decode(in, decoded, header.api_version).ok());
    benchmark::DoNotOptimize(decoded);
  }
}

template <Message Response>
void encode_frame(benchmark::State& state, const Response& response, Version version) {
  Bytes out;
  for (auto _ : state) {
    out.clear();
    Encoder encoder(out);
    SILLOK_CHECK(encode_response_frame(encoder, out, response, 7, version).ok());
    benchmark::DoNotOptimize(out.data());
  }
}

ProduceRequest produce_request(std::size_t partitions) {
  ProduceRequest request;
  request.acks = -1;
  ProduceTopic& topic = request.topics.emplace_back();
  topic.name = "orders";
  for (std::size_t i = 0; i < partitions; ++i) {
    topic.partitions.push_back({PartitionIndex(static_cast<std::int32_t>(i)), Records{as_bytes(kRecords)}});
  }
  return request;
}

ProduceResponse produce_response(std::size_t partitions) {
  ProduceResponse response;
  ProduceTopicResponse& topic = response.responses.emplace_back();
  topic.name = "orders";
  topic.partitions.resize(partitions);
  return response;
}

FetchRequest fetch_request(std::size_t partitions) {
  FetchRequest request;
  FetchTopic& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.resize(partitions);
  return request;
}

FetchResponse fetch_response(std::size_t partitions) {
  FetchResponse response;
  FetchTopicResponse& topic = response.responses.emplace_back();
  topic.name = "orders";
  topic.partitions.resize(partitions);
  for (FetchPartitionResponse& partition : topic.partitions) partition.records = Records{{}, 1 << 20};
  return response;
}

MetadataResponse metadata_response(std::size_t partitions) {
  static const std::vector<BrokerId> replicas{BrokerId(1)};
  MetadataResponse response;
  response.brokers.resize(1);
  constexpr std::size_t kPartitionsOfTopic = 10;
  for (std::size_t i = 0; i < partitions; i += kPartitionsOfTopic) {
    MetadataTopic& topic = response.topics.emplace_back();
    topic.name = "a-topic-of-many";
    topic.partitions.resize(kPartitionsOfTopic);
    for (auto& partition : topic.partitions) partition.replica_nodes = partition.isr_nodes = replicas;
  }
  return response;
}

void encode_metadata_answer(benchmark::State& state) {
  encode_frame(state, metadata_response(static_cast<std::size_t>(state.range(1))),
               static_cast<Version>(state.range(0)));
}
void decode_produce(benchmark::State& state) {
  decode_frame(state, produce_request(static_cast<std::size_t>(state.range(1))),
               static_cast<Version>(state.range(0)));
}
void encode_produce_answer(benchmark::State& state) {
  encode_frame(state, produce_response(static_cast<std::size_t>(state.range(1))),
               static_cast<Version>(state.range(0)));
}
void decode_fetch(benchmark::State& state) {
  decode_frame(state, fetch_request(static_cast<std::size_t>(state.range(1))),
               static_cast<Version>(state.range(0)));
}
void encode_fetch_answer(benchmark::State& state) {
  encode_frame(state, fetch_response(static_cast<std::size_t>(state.range(1))),
               static_cast<Version>(state.range(0)));
}

BENCHMARK(decode_produce)->ArgNames({"version", "partitions"})->Args({3, 1})->Args({9, 1})->Args({9, 100});
BENCHMARK(encode_produce_answer)
    ->ArgNames({"version", "partitions"})
    ->Args({3, 1})
    ->Args({9, 1})
    ->Args({9, 100});
BENCHMARK(decode_fetch)->ArgNames({"version", "partitions"})->Args({4, 1})->Args({12, 1})->Args({12, 100});
BENCHMARK(encode_fetch_answer)
    ->ArgNames({"version", "partitions"})
    ->Args({4, 1})
    ->Args({12, 1})
    ->Args({12, 100});
BENCHMARK(encode_metadata_answer)->ArgNames({"version", "partitions"})->Args({12, 10})->Args({12, 10'000});

}  // namespace
}  // namespace sillok::protocol
