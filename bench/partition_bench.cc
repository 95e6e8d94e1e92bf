// What a partition adds to the append of its log, what one lookup among many costs, and how long a disk takes
// to make new partitions durable.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/bench_partitions.h"
#include "bench/log_bench.h"

namespace sillok::bench {
namespace {

constexpr TopicId kTopicId{{1}};

class NoSink final : public broker::AppendSink {
 public:
  void appended(std::size_t /*index*/, const broker::AppendResult& result) override {
    if (result.error != protocol::ErrorCode::none) std::abort();
  }
};

// Compare with log/append of the same size.
void append(benchmark::State& state) {
  BenchPartitions bench;
  bench.create("orders", kTopicId, 1);
  broker::Partition& partition = bench.one("orders", 0);
  Bytes batch = make_batch(static_cast<std::size_t>(state.range(0)));
  const auto header = protocol::parse_record_batch_header(batch).value();
  const auto sink = std::make_shared<NoSink>();
  for (auto _ : state) {
    partition.append({batch, header, broker::Acks::leader, sink, 0});
    if (partition.log().size() > 512 << 20) {
      state.PauseTiming();
      if (!partition.log().truncate_fully_and_start_at(partition.log().log_end().offset).ok()) std::abort();
      if (!partition.log().remove_deleted_files(storage::SteadyTime::max()).ok()) std::abort();
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append)->Name("partition/append")->Arg(170)->Arg(16 << 10);

void find(benchmark::State& state) {
  BenchPartitions bench;
  constexpr std::int32_t kTopics = 200;
  std::vector<std::string> names;
  for (std::int32_t i = 0; i < kTopics; ++i) {
    names.push_back("topic-" + std::to_string(i));
    bench.create(names.back(), TopicId{{1, static_cast<std::uint8_t>(i)}}, 1);
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bench.all().find(names[next], PartitionIndex(0)));
    next = (next + 1) % names.size();
  }
}
BENCHMARK(find)->Name("partitions/find");

void create(benchmark::State& state) {
  BenchPartitions bench;
  const auto count = static_cast<std::int32_t>(state.range(0));
  for (auto _ : state) {
    bench.create("orders", kTopicId, count);
    state.PauseTiming();
    bench.remove("orders", count);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(create)->Name("partitions/create")->Arg(1)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace sillok::bench
