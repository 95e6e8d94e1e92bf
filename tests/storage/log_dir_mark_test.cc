// A start that comes to nothing leaves the clean-shutdown mark of a log directory as it was.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "storage/clean_shutdown.h"
#include "storage/log_dir.h"
#include "storage/meta_properties.h"
#include "storage/text_file.h"
#include "tests/support/create_log.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

using tests::FileCall;

const TopicPartition kOrders{"orders", PartitionIndex(0)};
const TopicId kTopicId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");
const std::string kMark = "/data/.kafka_cleanshutdown";

// With one partition, after a clean stop.
struct Stopped {
  Stopped() {
    auto log_dir = open().value();
    auto log = tests::create_log(*log_dir, kOrders, kTopicId, LogConfig{}).value();
    REQUIRE(log->close().ok());
    const LogDir::CheckpointEntry entry{kOrders, log.get(), Offset(0)};
    REQUIRE(log_dir->close_clean({&entry, 1}).ok());
  }
  Result<std::unique_ptr<LogDir>> open() {
    LogDirOptions options;
    options.file_system = &files;
    options.clock = &clock;
    options.path = "/data";
    return LogDir::open(options);
  }
  std::string mark() {
    auto text = read_file(disk, kMark, 1000);
    return text.ok() ? std::move(text).value() : "none";
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  tests::FaultFileSystem files{disk};
};

TEST_CASE("log dir: a start that ends before it opened a log leaves the next one clean") {
  Stopped s;
  {
    const auto log_dir = s.open().value();
    CHECK(log_dir->was_clean());
    CHECK(s.mark() == "none");  // a crash here must not find it
    REQUIRE(log_dir->find_partitions().ok());
  }
  s.disk.crash(1, tests::CrashMode::lose_all);
  CHECK(s.open().value()->was_clean());
}

TEST_CASE("log dir: a start that fails in the log directory itself leaves the next one clean") {
  Stopped s;
  const auto point = GENERATE(tests::FaultPoint{FileCall::list_directory, "/data"},
                              tests::FaultPoint{FileCall::open, "recovery-point-offset-checkpoint"},
                              tests::FaultPoint{FileCall::open, "replication-offset-checkpoint"});
  s.files.fail(point, Errc::io_error);
  REQUIRE(s.open().error().code == Errc::io_error);
  CHECK(s.open().value()->was_clean());
}

TEST_CASE("log dir: a start that opened or created a log and did not close it leaves no mark") {
  Stopped s;
  const bool opens = GENERATE(true, false);
  {
    const auto log_dir = s.open().value();
    RecoveryReport report;
    if (opens) {
      REQUIRE(log_dir->open_log(kOrders, LogConfig{}, report).ok());
      CHECK(report.was_clean);
    } else {
      REQUIRE(tests::create_log(*log_dir, {"orders", PartitionIndex(1)}, kTopicId, LogConfig{}).ok());
    }
  }
  CHECK(s.mark() == "none");
  CHECK(!s.open().value()->was_clean());
}

TEST_CASE("log dir: a start that ends at once gives Kafka back its own mark") {
  Stopped s;
  const std::string kafkas = R"({"version":0,"brokerEpoch":12})";
  REQUIRE(replace_file(s.disk, kMark, kafkas).ok());
  SECTION("where Sillok never ran") {
    REQUIRE(s.disk.remove("/data/sillok-incarnation").ok());
    CHECK(s.open().value()->was_clean());
    CHECK(s.mark() == kafkas);
    CHECK(s.open().value()->was_clean());
    // And Kafka may have run in between.
    REQUIRE(replace_file(s.disk, kMark, R"({"version":0,"brokerEpoch":13})").ok());
    CHECK(s.open().value()->was_clean());
  }
  SECTION("where it ran before, and cannot tell what Kafka's mark says of that") {
    for (int i = 0; i < 2; ++i) {
      const auto log_dir = s.open().value();
      CHECK(!log_dir->was_clean());
      CHECK(log_dir->has_kafka_run());
    }
    CHECK(s.mark() == kafkas);
  }
}

TEST_CASE("log dir: a mark of another run does not come back") {
  Stopped s;
  REQUIRE(write_clean_shutdown_mark(s.disk, "/data", 77).ok());
  CHECK(!s.open().value()->was_clean());
  CHECK(s.mark() == "none");
  CHECK(!s.open().value()->has_kafka_run());
}

}  // namespace
}  // namespace sillok::storage
