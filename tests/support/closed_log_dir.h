// A log directory in memory with one partition, closed cleanly, for tests of what reads such files.
#pragma once

#include "storage/log_dir.h"
#include "tests/support/batches.h"
#include "tests/support/create_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

// "/logs/orders-0" has three batches, the first of them of a producer, and an index entry for each after the
// first.
struct ClosedLogDir {
  ClosedLogDir() {
    storage::LogDirOptions options;
    options.file_system = &disk;
    options.clock = &clock;
    options.path = "/logs";
    auto log_dir = storage::LogDir::open(options).value();
    storage::LogConfig config;
    config.index_interval_bytes = 1;
    const storage::TopicPartition name{"orders", PartitionIndex(0)};
    auto log = create_log(*log_dir, name, *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ"), config).value();
    for (Bytes bytes :
         {batch().producer(7, 1, 0).records(2).bytes(),
          batch().codec(protocol::Codec::zstd).record("k\n", "v\"", kBatchTimestamp + 50).bytes(),
          batch().null_record(kBatchTimestamp + 90).bytes()}) {
      storage::AppendEntry entry;
      entry.batch = bytes;
      entry.header = header_of(bytes);
      log->append_as_leader({&entry, 1}, LeaderEpoch(4)).value();
    }
    log->close().value();
    const storage::LogDir::CheckpointEntry entry{name, log.get(), Offset(4)};
    log_dir->close_clean({&entry, 1}).value();
  }

  ManualClock clock;
  MemFileSystem disk;
};

}  // namespace sillok::tests
