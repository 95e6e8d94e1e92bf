// The log of one partition: a run of segments in one directory, with the indexes, the producers' state and
// the leader epochs that belong to it. Byte layouts and crash rules: storage/FORMAT.md.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "protocol/record_batch_view.h"
#include "storage/clock.h"
#include "storage/file_system.h"
#include "storage/log_config.h"
#include "storage/log_position.h"
#include "storage/producer_snapshot.h"

namespace sillok::storage {

class FileCache;
class JournalReplay;   // storage/journal_replay.h
struct RecoveryPoint;  // storage/recovery_points.h

// A range of a log file to send. Owns its file: eviction from the descriptor cache, retention or deletion of
// the topic drops only its own reference.
struct FileSlice {
  std::shared_ptr<const File> file;
  FilePosition position;
  ByteCount size = 0;
  // Of the batch behind it, for which the limit left some room, but not enough: there is more than `size`.
  ByteCount left_out = 0;
  RangeEnd end = RangeEnd::unknown;
};

// Appended bytes within one segment.
struct SegmentRange {
  LogPosition begin;
  Offset next_offset;  // behind the last batch
  FileSlice slice;
};

enum class AppendStatus {
  appended,
  duplicate,  // the producer sent this batch before: base and last offset are those of the original
  out_of_order_sequence,  // not appended
  producer_fenced,        // not appended
  too_large,              // not appended: the batch is larger than segment.bytes
  not_written,            // not appended: no room, or no descriptor, after earlier entries were written
};

// One batch of append_as_leader(): the upper part is the caller's, the lower part is filled in.
struct AppendEntry {
  MutableByteView batch;  // one whole batch that check_batch() accepted; base offset and epoch are written in
  protocol::RecordBatchHeader header;  // of it

  AppendStatus status = AppendStatus::not_written;
  Offset base_offset{-1};
  Offset last_offset{-1};
  TimestampMs original_time = -1;  // where it is a duplicate: the greatest timestamp of the original
  LogPosition begin;  // where the batch starts, and where the next one will; set where status is appended
  LogPosition end;
};

enum class IoMode {
  resident_only,  // Errc::would_block rather than wait for the disk: what a reactor uses
  may_block,
};

struct TimestampAndOffset {
  TimestampMs timestamp;
  Offset offset;
  LeaderEpoch leader_epoch;
};

struct SegmentAge {
  ByteCount size = 0;
  Offset next_offset;      // where the next segment begins, or the log ends
  TimestampMs latest = 0;  // of its records; where they have none, when it was written
};

enum class LogHealth {
  healthy,
  degraded,  // durable bytes are damaged: what lies before and after is served, appends are refused
             // (Errc::corrupt)
  offline,  // a write or flush failed: every append and flush fails (Errc::segment_failed); reads go on while
            // they work
};

// What opening a log found and did.
struct RecoveryReport {
  ByteCount scanned_bytes = 0;
  ByteCount cut_bytes = 0;       // of a torn tail, kept beside the log as <segment>.torn-<incarnation>
  ByteCount restored_bytes = 0;  // from the commit journal
  // Of its batches that find no place in the log, kept beside it as <end of the
  // log>.log.journaled-<incarnation>.
  ByteCount unplaced_bytes = 0;
  bool is_journal_void = false;  // others have written where its batches were
  std::int32_t rebuilt_index_count = 0;
  // It ends where its last stop, which was clean, left it: nobody has seen anything of it that is gone.
  bool was_clean = false;
  std::vector<std::string> notes;  // for the log, one line each
};

// Past every offset.
inline constexpr Offset kOffsetMax{std::numeric_limits<std::int64_t>::max()};

struct LogOptions {
  FileSystem* file_system = nullptr;
  FileCache* file_cache = nullptr;
  const Clock* clock = nullptr;
  std::string directory;  // the partition's
  LogConfig config;
  bool clean = false;                             // the last stop was clean: nothing needs to be scanned
  std::optional<TopicId> topic_id;                // where partition.metadata was read before
  const RecoveryPoint* recovery_point = nullptr;  // null: the whole log is scanned after an unclean stop
  Offset durable_end{0};  // all below was on disk; known also where no recovery point says where it ends
  // Kafka may have compacted what lies below, whatever the policy is now: so offsets may be missing there.
  Offset gaps_end{0};
  const JournalReplay* journal = nullptr;  // null: none, or nothing in it
  PartitionIndex partition;                // its entries there are of the topic's id and this
  Offset log_start_offset{0};              // from the checkpoint; 0 where it has none
  std::int64_t incarnation = 0;
};

class Log;

// A log whose files are written, but not synced: the files are kept open until they are, so that no error
// gets lost. Until then a power cut may leave any part of it, and nothing may be appended.
class LogCreation {
 public:
  // Everything in the directory. Its own name is durable once its parent was synced as well.
  Result<void> sync();
  // Requires: sync() succeeded.
  std::unique_ptr<Log> take();

 private:
  friend class Log;
  FileSystem* file_system_ = nullptr;
  std::unique_ptr<Log> log_;
  std::vector<std::shared_ptr<File>> unsynced_;
};

// Threading: every call from any thread. Appends, truncation, roll and configuration serialise on one lock
// that is held
//   across the write; read(), the offsets and health() do not take it. flush() holds it only to look at what
//   is dirty.
// Durability: an append is in the page cache when it returns. synced_end() is what the segment files have on
// disk; a
//   whole prefix: a roll is a barrier (old log and indexes, directory, new log).
// Failure: the first failed write or flush makes the log offline; nothing is retried, and nothing appended
// after the last
//   successful flush may be called durable. But where a file could not even be opened (Errc::too_many_files),
//   nothing failed that was written: the call fails alone, and a flush may be tried again.
// Invariants: log_start() <= synced_end() <= log_end(); recovery_point() <= synced_end();
//   published positions only ever grow, but for truncate_to().
class Log {
 public:
  // Creates the directory (durably) with an empty first segment.
  static Result<std::unique_ptr<Log>> create(const LogOptions& options, const TopicId& topic_id);
  // The same, but not durably: that is up to the creation. With kNoLeaderEpoch there is no epoch yet.
  static Result<LogCreation> begin_creation(const LogOptions& options, const TopicId& topic_id,
                                            LeaderEpoch first_epoch);
  // Opens what is there. Errors: io_error, and corrupt only where nothing at all can be served.
  static Result<std::unique_ptr<Log>> open(const LogOptions& options, RecoveryReport& report);
  ~Log();

  // Writes the entries' batches one after the other with as few writes as can be. Per-batch refusals are in
  // each entry's status; an error means that nothing of the call is in the log, or that the log is now
  // offline. A full disk or too many open files between two of the writes leave the later entries
  // not_written.
  Result<void> append_as_leader(std::span<AppendEntry> entries, LeaderEpoch epoch);
  // Batches as a leader sent them: offsets and epochs are theirs. Requires: whole batches.
  // Errc::invalid_record where their base offset is below the log end. After a full disk or too many open
  // files those before log_end() are in the log.
  Result<void> append_as_follower(ByteView batches);

  // From the batch that holds `from` (or the first after it) up to `limit` bytes, never past `upper_bound`;
  // at least one whole batch where `first_batch` says so. Whole batches, as far as that can be told without
  // waiting: clients expect a batch that is cut at the end, and throw it away. Empty at upper_bound.
  // Errc::offset_out_of_range below log_start() or past log_end(); Errc::corrupt inside a damaged range.
  enum class FirstBatch { whole, within_limit };
  Result<FileSlice> read(Offset from, const LogPosition& upper_bound, ByteCount limit, FirstBatch first_batch,
                         IoMode mode) const;
  // The first record at or after `timestamp` below `upper_bound`: its own timestamp and offset, inside
  // compressed batches too. nullopt where there is none. May block.
  Result<std::optional<TimestampAndOffset>> find_timestamp(TimestampMs timestamp, Offset upper_bound) const;
  // The record with the greatest timestamp, the earliest of them. May block.
  Result<std::optional<TimestampAndOffset>> find_max_timestamp(Offset upper_bound) const;

  Offset log_start() const;
  LogPosition log_end() const;
  LogPosition synced_end() const;
  // As the log was opened: how far the commit journal has it, at least synced_end().
  LogPosition journaled_end() const;
  LogHealth health() const;
  ByteCount size() const;  // of all .log files
  ByteCount unflushed_size() const;
  std::size_t segment_count() const;
  // The oldest first, the active one last. May block.
  Result<std::vector<SegmentAge>> segment_ages(TimestampMs now);
  // Where the records end that lie at the log start, below `upper_bound`, and are from before `deadline`: at
  // the first that is not. A record without a timestamp is as old as the next one that has one, or else as
  // the last append to its segment. May block.
  Result<Offset> find_expired_end(TimestampMs deadline, TimestampMs now, Offset upper_bound);
  const TopicId& topic_id() const;  // all zero where partition.metadata is missing
  const std::string& directory() const;

  // fdatasync of everything appended before the call, in order. Returns the new synced_end(). One at a time.
  // May block.
  Result<LogPosition> flush();
  // Where the bytes from `from` up to `to` lie, a range for each segment with some, in order, added to
  // `ranges`. Requires: both are places that this log told. Errc::not_found where some are gone.
  Result<void> find_ranges(const LogPosition& from, const LogPosition& to,
                           std::vector<SegmentRange>& ranges) const;
  // What bounds the next recovery: synced_end() with what belongs to it. Call after flush(), write it to the
  // sidecar.
  RecoveryPoint recovery_point() const;

  // Retention by time and size, the active segment included; deleted segments' files become `.deleted` and go
  // after file.delete.delay.ms. Also expires producers. Returns the number of segments that went. May block.
  // `high_watermark` bounds what may go.
  Result<std::int32_t> clean_up(TimestampMs now, Offset high_watermark);
  // Removes `.deleted` files whose delay is over.
  Result<void> remove_deleted_files(SteadyTime now);
  // Moves the log start forward (DeleteRecords); the checkpoint must be durable before clean_up() takes files
  // away.
  Result<void> set_log_start(Offset offset);
  // Cuts everything from `offset` on; below bytes that were visible the cut makes a new file.
  Result<void> truncate_to(Offset offset);
  // Empties the log and starts it at `offset`.
  Result<void> truncate_fully_and_start_at(Offset offset);
  // Starts a new segment at log_end(). Nothing where the active one is empty.
  Result<void> roll();
  // The active segment has disk blocks for what is to come; on a full disk they are wanted elsewhere. May
  // block.
  Result<void> give_back_reserved();
  void set_config(const LogConfig& config);

  // Leader epochs (KIP-101, KIP-320).
  LeaderEpoch latest_leader_epoch() const;  // -1 where the log has none
  // Starts at log_end(); durable when it returns. Nothing on a degraded log, which gets no batches.
  Result<void> assign_leader_epoch(LeaderEpoch epoch);
  struct EpochEnd {
    LeaderEpoch epoch;
    Offset end_offset;
  };
  // The greatest epoch not past `requested`, and where it ends; {-1, -1} where unknown.
  EpochEnd end_offset_for_epoch(LeaderEpoch requested) const;
  // The epoch of the batch at `offset`; -1 where unknown.
  LeaderEpoch leader_epoch_at(Offset offset) const;

  // For a copy of the batches of `other`, which ends where that does: what they do not bring, the leader
  // epochs as the other has them and the producers whose batches are gone. The epochs are durable when it
  // returns, the producers with close(), which has to follow. Requires: nothing is appended to either
  // meanwhile.
  Result<void> take_history_of(const Log& other);

  // What each producer with an id has written, in no order. Waits for the append that runs.
  std::vector<ProducerSnapshotEntry> producers() const;

  // Orderly stop: flush, seal indexes, trim reserved space, write the producer snapshot. Afterwards nothing
  // is written: what would do so answers Errc::closed, and recovery_point() is that of the end.
  Result<void> close();
  // To be called before the folder is renamed away: a new log may then take its name. Waits for the flush,
  // append or other change that runs. Afterwards nothing is written, and no file opened, created, renamed or
  // removed by its path: what would need to answers Errc::closed, remove_deleted_files() does nothing,
  // recovery_point() is the last there was; files that are open are read on. May block.
  void retire();
  bool is_retired() const;

  void check_invariants() const;

 private:
  class Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sillok::storage
