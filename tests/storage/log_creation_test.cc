// What a creation leaves that fails, or that a crash ends.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "storage/log_dir.h"
#include "tests/support/create_log.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/memory_log_dir.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::FileCall;

const TopicPartition kOrders{"orders", PartitionIndex(3)};
const TopicId kTopicId{{1}};

struct Fixture {
  std::unique_ptr<LogDir> open() { return tests::open_log_dir(files, clock); }
  void put(const std::string& path, std::string_view content) {
    REQUIRE(disk.make_directories(parent_path(path)).ok());
    REQUIRE(disk.sync_directory("/data").ok());
    REQUIRE(replace_file(disk, path, content).ok());
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  tests::FaultFileSystem files{disk};
};

TEST_CASE("log dir: only a folder that never had records is completed, and keeps the id that it gets") {
  Fixture fixture;
  fixture.open();
  fixture.put("/data/orders-3/partition.metadata", "");
  fixture.put("/data/orders-3/00000000000000000000.log", "");
  fixture.put("/data/late-0/00000000000000000007.log", "");
  fixture.put("/data/full-0/00000000000000000000.log", "x");
  {
    auto log_dir = fixture.open();
    REQUIRE(log_dir->find_partitions().ok());
    CHECK(*log_dir->complete_creation(kOrders, kTopicId));
    CHECK_FALSE(*log_dir->complete_creation(kOrders, TopicId{{9}}));
    CHECK_FALSE(*log_dir->complete_creation({"late", PartitionIndex(0)}, kTopicId));
    CHECK_FALSE(*log_dir->complete_creation({"full", PartitionIndex(0)}, kTopicId));
  }
  fixture.disk.crash(1, CrashMode::lose_all);
  auto log_dir = fixture.open();
  RecoveryReport report;
  auto log = log_dir->open_log(kOrders, LogConfig{}, report);
  REQUIRE(log.ok());
  CHECK((*log)->topic_id() == kTopicId);
}

TEST_CASE("log dir: a creation that fails leaves no folder") {
  Fixture fixture;
  auto log_dir = fixture.open();
  for (const auto& [call, path] :
       {std::pair{FileCall::write, "partition.metadata"}, std::pair{FileCall::open, ".timeindex"}}) {
    INFO(path);
    fixture.files.fail({call, path}, Errc::io_error);
    CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).error().code == Errc::io_error);
    CHECK_FALSE(*fixture.disk.exists("/data/orders-3"));
  }
  CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).ok());
}

TEST_CASE("log dir: what a creation that failed could not take away, or could not sync, stays known") {
  Fixture fixture;
  auto log_dir = fixture.open();
  SECTION("not taken away") {
    fixture.files.fail({FileCall::open, ".timeindex"}, Errc::io_error);
    fixture.files.fail({FileCall::rename, "/data/orders-3"}, Errc::io_error);
  }
  SECTION("not synced") { fixture.files.fail({FileCall::sync, "partition.metadata"}, Errc::io_error); }
  CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).error().code == Errc::io_error);
  fixture.files.clear();
  const auto found = log_dir->find_partitions();
  REQUIRE(found.ok());
  REQUIRE(found->size() == 1);
  CHECK(found->front().topic_id == kTopicId);
  CHECK(log_dir->delete_log(kOrders).ok());
  CHECK(tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).ok());
}

}  // namespace
}  // namespace sillok::storage
