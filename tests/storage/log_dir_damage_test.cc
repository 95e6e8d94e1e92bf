// What stops and starts do to a partition that is damaged, and to the others beside it.
#include "storage/format.h"
#include "storage/log_dir.h"
#include "tests/support/create_log.h"
#include "tests/support/log_fixture.h"

namespace sillok::storage {
namespace {

using tests::batch;

const TopicPartition kDamaged{"orders", PartitionIndex(0)};
const TopicPartition kWhole{"orders", PartitionIndex(1)};
const std::string kLogPath = "/data/orders-0/" + offset_file_name(Offset(0), kLogSuffix);

struct Fixture {
  void open() {
    LogDirOptions options;
    options.file_system = &disk;
    options.clock = &clock;
    options.path = "/data";
    directory.reset();
    auto opened = LogDir::open(options);
    REQUIRE(opened.ok());
    directory = std::move(*opened);
  }
  std::unique_ptr<Log> open_log(const TopicPartition& name) {
    RecoveryReport report;
    auto log = directory->open_log(name, LogConfig{}, report);
    INFO((log.ok() ? "" : log.error().describe()));
    REQUIRE(log.ok());
    return std::move(*log);
  }
  void append(Log& log) {
    Bytes bytes = batch().records(3).bytes();
    AppendEntry entry = tests::entry_of(bytes);
    REQUIRE(log.append_as_leader({&entry, 1}, LeaderEpoch(0)).ok());
  }
  Result<void> stop(Log& damaged, Log& whole) {
    CHECK(damaged.close().ok());
    CHECK(whole.close().ok());
    const LogDir::CheckpointEntry entries[] = {{kDamaged, &damaged, damaged.synced_end().offset},
                                               {kWhole, &whole, whole.synced_end().offset}};
    return directory->close_clean(entries);
  }

  tests::ManualClock clock;
  tests::MemFileSystem disk;
  std::unique_ptr<LogDir> directory;
};

TEST_CASE("log dir: a damaged partition takes no clean stop from the others, and is found damaged again") {
  Fixture f;
  f.open();
  {
    auto damaged = tests::create_log(*f.directory, kDamaged, TopicId{{1}}, LogConfig{});
    auto whole = tests::create_log(*f.directory, kWhole, TopicId{{1}}, LogConfig{});
    REQUIRE((damaged.ok() && whole.ok()));
    for (Log* const log : {damaged->get(), whole->get()}) {
      for (int i = 0; i < 5; ++i) f.append(*log);
    }
    REQUIRE(f.stop(**damaged, **whole).ok());
  }
  {
    const auto file = f.disk.open(kLogPath, OpenMode::read_write);
    REQUIRE(file.ok());
    const auto size = (*file)->size();
    REQUIRE(size.ok());
    REQUIRE((*file)->truncate(*size - 10).ok());
  }
  for (int start = 0; start < 3; ++start) {
    INFO("start " << start);
    f.open();
    CHECK(f.directory->was_clean());
    const auto damaged = f.open_log(kDamaged);
    const auto whole = f.open_log(kWhole);
    CHECK(damaged->health() == LogHealth::degraded);
    CHECK(damaged->log_end().offset == Offset(15));
    CHECK(whole->health() == LogHealth::healthy);
    CHECK(f.stop(*damaged, *whole).ok());
  }
}

TEST_CASE("log dir: a partition folder that came after a clean stop is recovered all the same") {
  Fixture f;
  f.open();
  {
    auto log = tests::create_log(*f.directory, kWhole, TopicId{{1}}, LogConfig{});
    REQUIRE(log.ok());
    f.append(**log);
    REQUIRE((*log)->close().ok());
    const LogDir::CheckpointEntry entry{kWhole, log->get(), Offset(3)};
    REQUIRE(f.directory->close_clean({&entry, 1}).ok());
  }
  REQUIRE(f.disk.rename("/data/orders-1", "/data/orders-0").ok());
  {
    const auto file = f.disk.open(kLogPath, OpenMode::read_write);
    REQUIRE(file.ok());
    const ByteView torn = as_bytes("torn");
    REQUIRE((*file)->write_at((*file)->size().value(), {&torn, 1}).ok());
  }
  f.open();
  CHECK(f.directory->was_clean());
  const auto log = f.open_log(kDamaged);
  CHECK(log->health() == LogHealth::healthy);
  CHECK(log->log_end().offset == Offset(3));
}

TEST_CASE("log dir: Kafka's own metadata, which Kafka always recovers, does not keep a clean mark away") {
  Fixture f;
  f.open();
  REQUIRE(f.disk.make_directories("/data/__cluster_metadata-0").ok());
  f.open();
  REQUIRE(!f.directory->was_clean());
  CHECK(f.directory->close_clean({}).ok());
  CHECK(f.directory->unrecovered_folders().empty());
  f.open();
  CHECK(f.directory->was_clean());
}

}  // namespace
}  // namespace sillok::storage
