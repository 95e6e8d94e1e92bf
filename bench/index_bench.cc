// Lookups in an offset index of a full segment, and the scan of a recovery.
#include <benchmark/benchmark.h>

#include <random>

#include "bench/log_bench.h"
#include "storage/offset_index.h"

namespace sillok::bench {
namespace {

void index_lookup(benchmark::State& state) {
  BenchLog bench;
  const storage::LogFiles files{bench.options().file_system, bench.options().file_cache,
                                bench.options().directory};
  storage::OffsetIndex index(&files, Offset(1'000'000'000));
  std::vector<storage::OffsetIndexEntry> entries;
  for (std::int32_t i = 1; i <= 1 << 18; ++i) entries.push_back({i * 24, i * 4096});
  if (!index.replace(entries).ok()) std::abort();
  std::mt19937 random(1);
  for (auto _ : state) {
    const auto found =
        index.floor(static_cast<std::int32_t>(random() % (24U << 18)), storage::IoMode::may_block);
    benchmark::DoNotOptimize(found.value());
  }
}
BENCHMARK(index_lookup)->Name("index/lookup");

void recovery_scan(benchmark::State& state) {
  BenchLog bench;
  Bytes batch = make_batch(static_cast<std::size_t>(state.range(0)));
  protocol::set_max_timestamp(batch, 1'700'000'000'000);
  const auto header = protocol::parse_record_batch_header(batch).value();
  while (bench.log().size() < (256 << 20)) bench.append(batch, header);
  ByteCount scanned = 0;
  for (auto _ : state) {
    storage::RecoveryReport report;
    const auto log = storage::Log::open(bench.options(), report);
    if (!log.ok()) std::abort();
    scanned += report.scanned_bytes;
  }
  state.SetBytesProcessed(scanned);
}
BENCHMARK(recovery_scan)->Name("log/recovery_scan")->Arg(170)->Arg(16 << 10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sillok::bench
