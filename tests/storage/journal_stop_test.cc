// What a stop does with the journal.
#include "tests/support/journaled_dir.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::JournaledDir;

TEST_CASE("journal: a stop without the folders that nobody opened leaves their batches in the journal") {
  JournaledDir f;
  f.start({"a", "b"});
  for (const std::string topic : {"a", "b"}) {
    f.append(topic, 3);
    f.commit(topic);
  }
  f.crash(1, CrashMode::lose_all);
  SECTION("a start that is refused before it opens any") {
    f.require(f.try_open());
    f.require(f.dir->find_partitions());
    CHECK(f.dir->close_clean({}).ok());
    f.dir.reset();
  }
  SECTION("a run that leaves one alone") {
    f.require(f.try_open());
    f.require(f.dir->find_partitions());
    storage::RecoveryReport report;
    const storage::TopicPartition name{"a", PartitionIndex(0)};
    auto log = f.dir->open_log(name, f.config, report);
    f.require(log);
    f.require((*log)->close());
    const storage::LogDir::CheckpointEntry entry{name, log->get(), (*log)->log_end().offset};
    CHECK(f.dir->close_clean({&entry, 1}).ok());
    CHECK(f.dir->unrecovered_folders() == std::vector<std::string>{"b-0"});
    log->reset();
    f.dir.reset();
  }
  f.open();
  CHECK(f.values(f["b"]).size() == 3);
}

}  // namespace
}  // namespace sillok::storage
