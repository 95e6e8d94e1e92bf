// A log as a list of batches: what a Log must hold and answer after any operations and crashes. And a run of
// random operations on a real log in a log directory, which compares the two all the time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "storage/log_dir.h"
#include "tests/support/batches.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

struct ModelBatch {
  Bytes bytes;  // as stored
  protocol::RecordBatchHeader header;
  std::vector<TimestampMs> timestamps;  // of its records
};

// Threading: one thread.
class LogModel {
 public:
  struct Verdict {
    storage::AppendStatus status;
    Offset base_offset{-1};
    Offset last_offset{-1};
  };
  // What becomes of a producer's batch now.
  Verdict judge(const protocol::RecordBatchHeader& header) const;
  void append(Bytes stored);
  void truncate_to(Offset offset);
  void start_empty_at(Offset offset);

  Offset log_start() const { return log_start_; }
  Offset log_end() const { return batches_.empty() ? first_ : batches_.back().header.next_offset(); }
  void set_log_start(Offset offset) { log_start_ = offset; }
  const std::vector<ModelBatch>& batches() const { return batches_; }
  // The batch that holds the offset, or batches().size().
  std::size_t find(Offset offset) const;
  bool is_boundary(Offset offset) const;
  // The bytes of all batches from that offset on. Requires: a boundary.
  ByteCount size_from(Offset offset) const;

  struct Found {
    TimestampMs timestamp;
    Offset offset;
    bool operator==(const Found&) const = default;
  };
  std::optional<Found> find_timestamp(TimestampMs timestamp, Offset upper_bound) const;
  std::optional<Found> find_max_timestamp(Offset upper_bound) const;

  // The last batches of a producer in its epoch, newest last, no more than Kafka remembers.
  std::vector<protocol::RecordBatchHeader> remembered(ProducerId id) const;

 private:
  std::vector<ModelBatch> batches_;  // those below the log start included: a crash may bring them back
  Offset first_{0};
  Offset log_start_{0};
};

inline storage::TopicPartition model_partition() { return {"model", PartitionIndex(0)}; }
inline TopicId model_topic_id() { return *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ"); }

// One seed's run. A mismatch is reported through `fail` with the operations so far.
class ModelRun {
 public:
  // `used` is what log and directory see: `disk` itself, or a file system that injects faults into it.
  ModelRun(std::uint64_t seed, MemFileSystem& disk, storage::FileSystem& used);
  ~ModelRun();

  // Random operations, crashes among them. Returns early when a fault made the log fail.
  void run(int operation_count, bool with_crashes);
  // Cuts the power (or only kills), opens everything from the disk itself, and compares.
  void crash_and_check(CrashMode mode);
  // Empty while all is well.
  const std::string& failure() const { return failure_; }
  std::string history() const;
  bool is_failed() const { return !failure_.empty(); }
  bool log_went_offline() const { return offline_; }
  // Since the start, so that a test can see that it tested something.
  std::int64_t appended_batch_count() const { return appended_batch_count_; }
  std::int64_t crash_count() const { return crash_count_; }
  ByteCount journaled_bytes() const { return journaled_bytes_; }
  ByteCount restored_bytes() const { return restored_bytes_; }
  std::int64_t cut_bytes() const { return cut_bytes_; }

 private:
  enum class Stop { clean, crashed };

  void step();
  void append();
  Bytes random_batch(std::vector<Bytes>& made);
  Bytes random_idempotent_batch();
  void fill(BatchMaker& maker, int record_count);
  void check_append(const storage::AppendEntry& entry, const Bytes& sent);
  void flush();
  void journal();
  void checkpoint();
  void roll();
  void clean_up();
  void move_log_start();
  void truncate();
  void read();
  void search_timestamps();
  void advance_clock();
  void reopen_clean();

  void open(Stop stop);
  void check_opened(Stop stop, const storage::RecoveryReport& report);
  void check_producers();
  void check_all();
  void check_read(Offset from, ByteCount limit);
  // The world's failures are the faults of the test; what they leave behind is compared after the crash.
  template <class R>
  bool ok(const R& result, const char* what) {
    return result.ok() || failed(result.error(), what);
  }
  bool failed(const Error& error, const char* what);
  static std::string text(Offset offset) { return std::to_string(offset.value); }
  static constexpr std::int64_t kProducerCount = 3;
  void expect(bool condition, const std::string& what);
  void note(std::string operation) { history_.push_back(std::move(operation)); }

  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  storage::LogDir::CheckpointEntry entry() const;

  std::mt19937_64 random_;
  MemFileSystem& disk_;
  storage::FileSystem* used_;
  ManualClock clock_;
  storage::LogConfig config_;
  std::unique_ptr<storage::LogDir> log_dir_;
  std::unique_ptr<storage::Log> log_;

  LogModel model_;
  Offset durable_end_{0};               // below it nothing may get lost
  storage::LogPosition journaled_end_;  // where the next copy into the journal begins, if no flush is further
  Offset durable_start_{0};             // the log start that a checkpoint has
  std::optional<Offset> recovery_point_;
  LeaderEpoch epoch_{0};
  std::map<std::int64_t, std::int16_t> producer_epochs_;
  std::int64_t next_producer_ = 1000;
  ByteCount batch_size_max_ = 0;
  bool killed_only_ = false;
  bool may_be_clean_ = false;  // the log was closed and not opened since
  bool offline_ = false;
  std::int64_t appended_batch_count_ = 0;
  std::int64_t crash_count_ = 0;
  ByteCount journaled_bytes_ = 0;
  ByteCount restored_bytes_ = 0;
  std::int64_t cut_bytes_ = 0;
  std::vector<std::string> history_;
  std::string failure_;
};

}  // namespace sillok::tests
