// A log on a file system in memory, and a small language for what is done to it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/file_cache.h"
#include "storage/log.h"
#include "storage/recovery_points.h"
#include "tests/support/batches.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

inline constexpr const char* kLogDirectory = "/data/topic-0";

// For append_as_leader(). Views the bytes.
storage::AppendEntry entry_of(Bytes& batch);

class LogFixture {
 public:
  explicit LogFixture(const storage::LogConfig& config = small_config());

  // Segments of 4 KiB with an index entry for every batch past the first: everything happens early.
  static storage::LogConfig small_config();

  void create();
  enum class Stop { clean, killed, power_cut };
  // Stops the log and opens it again. `clean` closes it first, `power_cut` loses all that was not synced.
  void reopen(Stop stop);
  // As reopen(Stop::killed), from a recovery point that was taken before.
  void reopen_from(const storage::RecoveryPoint& point);
  // Drops the log as kill -9 does, so that a test can change the files.
  void kill() { log.reset(); }
  void open(bool clean, const storage::RecoveryPoint* point = nullptr);
  Result<void> try_open(bool clean, const storage::RecoveryPoint* point = nullptr);

  // Appends one batch as leader; its entry, with what became of it. append() requires that it worked.
  Result<storage::AppendEntry> try_append(const BatchMaker& maker, std::int32_t epoch = 0);
  storage::AppendEntry append(const BatchMaker& maker, std::int32_t epoch = 0);
  // `count` batches with one record each, "value-<offset>", of about 100 bytes.
  void append_many(int count);
  // Until there is one segment more.
  void append_until_roll();

  // The bytes of whole batches from `from` to the log end, read as a consumer does.
  Bytes read_all(std::int64_t from = 0);
  std::vector<std::int64_t> offsets(std::int64_t from = 0);  // of the records of read_all()
  // What read() gives, as bytes.
  Result<Bytes> read(std::int64_t from, ByteCount limit, storage::IoMode mode = storage::IoMode::may_block);
  std::int64_t end() const { return log->log_end().offset.value; }

  std::string path(const std::string& name) const { return std::string(kLogDirectory) + "/" + name; }
  static std::string file_name(std::int64_t base, const std::string& suffix);
  std::vector<std::string> names();
  bool has(const std::string& name);
  Bytes content(const std::string& name);
  void put(const std::string& name, const Bytes& bytes);
  void remove(const std::string& name);

  MemFileSystem disk;
  FaultFileSystem faults{disk};
  ManualClock clock;
  std::unique_ptr<storage::FileCache> cache;
  storage::LogOptions options;
  storage::RecoveryReport report;
  std::unique_ptr<storage::Log> log;
};

}  // namespace sillok::tests
