// What Log::read() costs: the slice is found, not sent.
#include <benchmark/benchmark.h>

#include <random>

#include "bench/log_bench.h"

namespace sillok::bench {
namespace {

constexpr ByteCount kLogSize = 256 << 20;
using storage::IoMode;
using storage::Log;

struct FilledLog : BenchLog {
  explicit FilledLog(std::size_t batch_size) {
    Bytes batch = make_batch(batch_size);
    const auto header = protocol::parse_record_batch_header(batch).value();
    while (log().size() < kLogSize) append(batch, header);
  }
};

void read_at_random(benchmark::State& state) {
  FilledLog bench(static_cast<std::size_t>(state.range(0)));
  const auto end = bench.log().log_end();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const Offset from(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end.offset.value)));
    auto slice = bench.log().read(from, end, 1 << 20, Log::FirstBatch::whole, IoMode::resident_only);
    if (!slice.ok()) slice = bench.log().read(from, end, 1 << 20, Log::FirstBatch::whole, IoMode::may_block);
    benchmark::DoNotOptimize(slice.value().size);
  }
}
BENCHMARK(read_at_random)->Name("log/read_random")->Arg(170)->Arg(16 << 10);

// A consumer that is 1 MiB further each time.
void read_on(benchmark::State& state) {
  FilledLog bench(static_cast<std::size_t>(state.range(0)));
  const auto end = bench.log().log_end();
  const std::int64_t step = (1 << 20) / state.range(0);
  Offset from(0);
  for (auto _ : state) {
    auto slice = bench.log().read(from, end, 1 << 20, Log::FirstBatch::whole, IoMode::may_block);
    benchmark::DoNotOptimize(slice.value().size);
    from += step;
    if (from >= end.offset) from = Offset(0);
  }
}
BENCHMARK(read_on)->Name("log/read_on")->Arg(170)->Arg(16 << 10);

void read_at_tail(benchmark::State& state) {
  FilledLog bench(16 << 10);
  const auto end = bench.log().log_end();
  for (auto _ : state) {
    auto slice =
        bench.log().read(end.offset - 1, end, 1 << 20, Log::FirstBatch::whole, IoMode::resident_only);
    benchmark::DoNotOptimize(slice.value().size);
  }
}
BENCHMARK(read_at_tail)->Name("log/read_tail");

}  // namespace
}  // namespace sillok::bench
