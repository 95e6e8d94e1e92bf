// What compression costs: each codec over what a producer's batch holds, and a batch of one codec in the
// topic's own, as the broker does it. Bytes are those of the plain text.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/log_lines.h"
#include "broker/batch_preparation.h"
#include "protocol/compression.h"
#include "protocol/record_batch_builder.h"

namespace sillok::bench {
namespace {

using protocol::Codec;

constexpr int kLineCount = 160;
constexpr TimestampMs kNow = 1'767'225'600'000;

std::string lines() {
  std::string text;
  for (int i = 0; i < kLineCount; ++i) text += line(i);
  return text;
}

Codec codec_of(const benchmark::State& state) { return static_cast<Codec>(state.range(0)); }

void count(benchmark::State& state) {
  state.SetLabel(protocol::to_string(codec_of(state)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kLineCount * kLineSize));
}

void compress(benchmark::State& state) {
  const std::string text = lines();
  for (auto _ : state) benchmark::DoNotOptimize(protocol::compress(codec_of(state), as_bytes(text)).value());
  count(state);
}
BENCHMARK(compress)->Name("compress")->DenseRange(1, 4);

void decompress(benchmark::State& state) {
  const Bytes packed = protocol::compress(codec_of(state), as_bytes(lines())).value();
  for (auto _ : state) benchmark::DoNotOptimize(protocol::decompress(codec_of(state), packed).value());
  count(state);
}
BENCHMARK(decompress)->Name("decompress")->DenseRange(1, 4);

// A plain batch for a topic of that codec, or with 0 one of zstd for a topic that keeps them plain.
void prepare(benchmark::State& state) {
  storage::LogConfig config;
  config.codec = codec_of(state);
  protocol::BatchOptions options;
  options.codec = *config.codec == Codec::none ? Codec::zstd : Codec::none;
  protocol::RecordBatchBuilder builder(options);
  for (int i = 0; i < kLineCount; ++i) builder.append(kNow, std::nullopt, as_bytes(line(i)));
  Bytes batch = builder.build().value();
  const auto header = protocol::parse_record_batch_header(batch).value();
  for (auto _ : state) benchmark::DoNotOptimize(broker::prepare_batch(config, header, batch, kNow).value());
  count(state);
}
BENCHMARK(prepare)->Name("prepare_batch")->DenseRange(0, 4);

}  // namespace
}  // namespace sillok::bench
