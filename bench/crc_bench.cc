// CRC-32C over sizes from a small batch to the largest that a producer sends by default.
#include <benchmark/benchmark.h>

#include "protocol/base/crc32c.h"

namespace sillok {
namespace {

void crc(benchmark::State& state) {
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(crc)->Name("crc32c")->Arg(64)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace sillok
