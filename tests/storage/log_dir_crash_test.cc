// A write, a sync or a change of names fails, whichever it is: nothing that a flush acknowledged may get
// lost.
#include <catch2/catch.hpp>

#include "tests/support/fault_file_system.h"
#include "tests/support/log_model.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::FileCall;

constexpr int kOperationCount = 120;
constexpr int kTriedPerCall = 40;

TEST_CASE("log dir: whichever call fails, nothing that a flush acknowledged is lost") {
  const FileCall call = GENERATE(FileCall::write, FileCall::sync, FileCall::sync_directory, FileCall::rename,
                                 FileCall::truncate, FileCall::open, FileCall::remove);
  const bool goes_on_failing = GENERATE(false, true);
  const std::uint64_t first_seed = tests::seed();
  int failed_runs = 0;
  for (int k = 1; k <= kTriedPerCall; ++k) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(k);
    INFO("SILLOK_TEST_SEED=" << first_seed << ", call " << static_cast<int>(call) << " number " << k);
    tests::MemFileSystem disk;
    tests::FaultFileSystem faulty(disk);
    tests::ModelRun run(seed, disk, faulty);
    run.run(k % 7, false);
    faulty.fail({call, "", k, goes_on_failing ? tests::kEveryCall : 1}, Errc::io_error);
    run.run(kOperationCount, false);
    failed_runs += faulty.failure_count() > 0 ? 1 : 0;
    run.crash_and_check(k % 2 == 0 ? CrashMode::random : CrashMode::lose_all);
    INFO(run.history());
    REQUIRE(run.failure() == "");
  }
  CHECK(failed_runs > 0);
}

}  // namespace
}  // namespace sillok::storage
