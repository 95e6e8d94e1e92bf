// One round of the commit journal for one partition: the append, and the write and fdatasync that make it
// durable. What partitions do not share here, many that wait at a time do.
#include <benchmark/benchmark.h>

#include "bench/bench_partitions.h"
#include "bench/log_bench.h"

namespace sillok::bench {
namespace {

// All of them fit the journal's first file.
constexpr std::int64_t kRounds = 1000;

class NoSink final : public broker::AppendSink {
 public:
  void appended(std::size_t /*index*/, const broker::AppendResult& /*result*/) override {}
};

void commit(benchmark::State& state) {
  BenchPartitions bench;
  bench.create("orders", TopicId{{1}}, 1);
  const std::shared_ptr<broker::Partition> partition =
      bench.all().find("orders", PartitionIndex(0)).partition;
  if (!bench.journal().add_file_now().ok()) std::abort();
  Bytes batch = make_batch(static_cast<std::size_t>(state.range(0)));
  const auto header = protocol::parse_record_batch_header(batch).value();
  const auto sink = std::make_shared<NoSink>();
  for (auto _ : state) {
    partition->append({batch, header, broker::Acks::leader, sink, 0});
    if (!bench.journal().commit_now(partition)) std::abort();
  }
}
BENCHMARK(commit)
    ->Name("journal/commit")
    ->Arg(170)
    ->Arg(16 << 10)
    ->Iterations(kRounds)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace sillok::bench
