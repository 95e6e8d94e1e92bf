// A process that is killed between any two calls to the file system, or in one, while it appends, commits,
// flushes, rolls and writes checkpoints: with or without a power cut, nothing that was committed is missing.
#include "tests/support/journaled_dir.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::JournaledDir;

constexpr int kRoundCount = 14;

// Until the process is dead.
Result<void> live(JournaledDir& d) {
  TRY(d.try_open());
  TRY(d.dir->find_partitions());
  TRY(d.try_create("a", TopicId{{1}}));
  TRY(d.try_create("b", TopicId{{2}}));
  TRY(d.try_add_files(2));
  const auto commit = [&](const std::string& topic) -> Result<void> {
    if (d.try_commit(d[topic])) return {};
    return d.try_flush(d[topic]);
  };
  for (int round = 0; round < kRoundCount; ++round) {
    TRY(d.try_append(d["a"], 1 + round % 3));
    TRY(commit("a"));
    TRY(d.try_append(d["b"], 2));
    TRY(d.try_append(d["a"]));
    TRY(commit("b"));
    TRY(d.try_append(d["a"]));
    TRY(commit("a"));
    if (round % 3 == 1) TRY(d.try_flush(d["a"]));
    if (round % 5 == 2) TRY(d["b"].log->roll());
    if (round % 4 == 3) TRY(d.try_checkpoint());
    if (round == 6) TRY(d.try_add_files(1));
    if (round % 6 == 5) TRY(d.try_flush(d["b"]));
  }
  return d.try_close();
}

void go_on(JournaledDir& d) {
  if (d.journal_names().empty()) JournaledDir::require(d.try_add_files(2));
  for (auto& [topic, partition] : d.partitions) {
    if (partition.topic.is_zero()) continue;
    JournaledDir::require(d.try_append(partition, 2));
    JournaledDir::require(d.try_append(partition));
    if (!d.try_commit(partition)) JournaledDir::require(d.try_flush(partition));
    JournaledDir::require(d.try_append(partition));
  }
}

TEST_CASE("journal: killed in any call, with the power cut or not, all that was committed is there") {
  const CrashMode mode =
      GENERATE(CrashMode::keep_all, CrashMode::lose_all, CrashMode::random, CrashMode::random_names);
  const std::uint64_t first_seed = tests::seed();
  std::int64_t call_count = 0;
  std::int64_t restored_runs = 0;
  for (std::int64_t call = 1; call_count == 0; ++call) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(call);
    INFO("SILLOK_TEST_SEED=" << first_seed << ", killed in call " << call << ", mode "
                             << static_cast<int>(mode));
    JournaledDir d;
    d.config.segment_bytes = 1500;
    d.faults.stop_at(call, call % 3 == 0 ? 0 : 100);
    const auto lived = live(d);
    if (lived.ok()) call_count = call;
    d.reopen(mode, seed);
    for (const auto& [topic, partition] : d.partitions)
      restored_runs += partition.report.restored_bytes > 0 ? 1 : 0;
    // What the start says is durable must be so, whatever becomes of the power right after it.
    d.reopen(CrashMode::lose_all, seed);
    go_on(d);
    d.reopen(call % 2 == 0 ? CrashMode::random : CrashMode::lose_all, seed);
  }
  CHECK(call_count > 200);
  CHECK((restored_runs > 50) == (mode != CrashMode::keep_all));
}

}  // namespace
}  // namespace sillok::storage
