// Random operations on a log in a file system that loses, tears and reorders what was not synced, against a
// model. SILLOK_MODEL_SEEDS says how many seeds are tried; SILLOK_TEST_SEED repeats one of them.
#include "tests/support/log_model.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

constexpr int kSeedCount = 150;
constexpr int kOperationCount = 200;

int seed_count() {
  if (std::getenv("SILLOK_TEST_SEED") != nullptr) return 1;
  const char* wanted = std::getenv("SILLOK_MODEL_SEEDS");
  return wanted == nullptr ? kSeedCount : std::stoi(wanted);
}

TEST_CASE("log: through random operations, kills and power cuts it is what the model is") {
  const std::uint64_t first_seed = tests::seed();
  std::int64_t batches = 0;
  std::int64_t crashes = 0;
  std::int64_t cut_bytes = 0;
  std::int64_t journaled_bytes = 0;
  std::int64_t restored_bytes = 0;
  for (int i = 0; i < seed_count(); ++i) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(i);
    INFO("SILLOK_TEST_SEED=" << seed);
    tests::MemFileSystem disk;
    tests::ModelRun run(seed, disk, disk);
    run.run(kOperationCount, true);
    INFO(run.history());
    REQUIRE(run.failure() == "");
    batches += run.appended_batch_count();
    crashes += run.crash_count();
    cut_bytes += run.cut_bytes();
    journaled_bytes += run.journaled_bytes();
    restored_bytes += run.restored_bytes();
  }
  if (std::getenv("SILLOK_TEST_SEED") != nullptr) return;
  CHECK(batches > seed_count() * 50);
  CHECK(crashes > seed_count());
  CHECK(cut_bytes > 0);
  CHECK(journaled_bytes > 0);
  CHECK(restored_bytes > 0);
}

}  // namespace
}  // namespace sillok::storage
