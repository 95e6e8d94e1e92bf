// What a produce costs before storage: the check of a batch, and where records are looked at, their reading.
// The batch is that of the load generator: 150 records of 100 bytes.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/log_lines.h"
#include "protocol/base/check.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_validator.h"

namespace sillok::protocol {
namespace {

using bench::line;

constexpr int kRecordCount = 150;
constexpr TimestampMs kNow = 1'767'225'600'000;

void fill(RecordBatchBuilder& builder) {
  static const std::string value = line(1);
  for (int i = 0; i < kRecordCount; ++i) builder.append(kNow, std::nullopt, as_bytes(value));
}

Bytes batch_of_lines(Codec codec) {
  BatchOptions options;
  options.codec = codec;
  RecordBatchBuilder builder(options);
  for (int i = 0; i < kRecordCount; ++i) builder.append(kNow, std::nullopt, as_bytes(line(i)));
  auto built = builder.build();
  CHECK(built.ok());
  return std::move(built).value();
}

void check(benchmark::State& state) {
  const Bytes batch = batch_of_lines(Codec::none);
  for (auto _ : state) benchmark::DoNotOptimize(check_batch(batch, {}, kNow));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
}
BENCHMARK(check)->Name("check_batch");

void read(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const Bytes batch = batch_of_lines(codec);
  const auto header = parse_record_batch_header(batch);
  CHECK(header.ok());
  Record record;
  for (auto _ : state) {
    auto reader = RecordReader::open(*header, batch);
    CHECK(reader.ok());
    while (true) {
      const auto more = reader->next(record);
      CHECK(more.ok());
      if (!*more) break;
      benchmark::DoNotOptimize(record);
    }
  }
  state.SetLabel(to_string(codec));
  state.SetItemsProcessed(state.iterations() * kRecordCount);
}
BENCHMARK(read)->Name("read_records")->DenseRange(0, 4);

void build(benchmark::State& state) {
  BatchOptions options;
  options.codec = static_cast<Codec>(state.range(0));
  RecordBatchBuilder builder(options);
  for (auto _ : state) {
    fill(builder);
    benchmark::DoNotOptimize(builder.build());
  }
  state.SetLabel(to_string(options.codec));
  state.SetItemsProcessed(state.iterations() * kRecordCount);
}
BENCHMARK(build)->Name("build_batch")->DenseRange(0, 4);

}  // namespace
}  // namespace sillok::protocol
