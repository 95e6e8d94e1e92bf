// What Log::append_as_leader() costs beside its write: compare log/append with log/pwrite of the same size.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include "bench/log_bench.h"

namespace sillok::bench {
namespace {

constexpr ByteCount kBytesBeforeEmptying = 512 << 20;

void append(benchmark::State& state) {
  BenchLog bench;
  Bytes batch = make_batch(static_cast<std::size_t>(state.range(0)));
  const auto header = protocol::parse_record_batch_header(batch).value();
  for (auto _ : state) {
    bench.append(batch, header);
    if (bench.log().size() > kBytesBeforeEmptying) {
      state.PauseTiming();
      bench.empty();
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append)->Name("log/append")->Arg(170)->Arg(16 << 10)->Arg(1 << 20);

// The least that an append can cost: one write of the same bytes to a file that grows.
void write_only(benchmark::State& state) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("sillok-bench-file-" + std::to_string(getpid()));
  const auto file_system = storage::make_posix_file_system();
  const auto file = file_system->open(path, storage::OpenMode::open_or_create).value();
  const Bytes batch = make_batch(static_cast<std::size_t>(state.range(0)));
  const ByteView parts[] = {batch};
  FilePosition position(0);
  FilePosition reserved(0);
  for (auto _ : state) {
    if (position + state.range(0) > reserved) {
      (void)file->reserve(reserved, 64 << 20);
      reserved += 64 << 20;
    }
    if (!file->write_at(position, parts).ok()) std::abort();
    position += state.range(0);
    if (position.value > kBytesBeforeEmptying) {
      state.PauseTiming();
      (void)file->truncate(FilePosition(0));
      position = reserved = FilePosition(0);
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  (void)file_system->remove(path);
}
BENCHMARK(write_only)->Name("log/pwrite")->Arg(170)->Arg(16 << 10)->Arg(1 << 20);

void append_idempotent(benchmark::State& state) {
  BenchLog bench;
  Bytes batch = make_batch(170);
  auto header = protocol::parse_record_batch_header(batch).value();
  header.producer_id = ProducerId(7);
  header.producer_epoch = ProducerEpoch(0);
  header.base_sequence = 0;
  for (auto _ : state) {
    bench.append(batch, header);
    header.base_sequence = header.base_sequence == 0x7fffffff ? 0 : header.base_sequence + 1;
  }
}
BENCHMARK(append_idempotent)->Name("log/append_idempotent");

}  // namespace
}  // namespace sillok::bench
