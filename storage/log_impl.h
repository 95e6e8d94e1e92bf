// What is behind Log. One file an idea: log_append.cc, log_read.cc, log_flush.cc, log_recovery.cc,
// log_truncate.cc, log_producers.cc, log_epochs.cc, retention.cc, timestamp_search.cc; log.cc has the rest.
//
// Locks, in this order: removal_mutex_, flush_mutex_, append_mutex_, segments_mutex_, the lock of a Segment,
// the lock of an index. The last three are held for copies only, never across a call to the file system.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/leader_epochs.h"
#include "storage/log.h"
#include "storage/producer_state.h"
#include "storage/recovery_points.h"
#include "storage/segment.h"

namespace sillok::storage {

using SegmentList = std::vector<std::shared_ptr<Segment>>;

// A segment that was rolled away and is not synced yet, and the producers' state at its end.
struct SealedSegment {
  std::shared_ptr<Segment> segment;
  Offset end_offset;
  // nullopt: none is written.
  std::optional<std::vector<ProducerSnapshotEntry>> producers;
};

// A file that waits for file.delete.delay.ms.
struct DeletedFile {
  std::string path;
  SteadyTime due;
};

class Log::Impl {
 public:
  Impl(const LogOptions& options, const TopicId& topic_id);

  // log_creation.cc. Adds the files that are to be synced to `unsynced`.
  static Result<std::unique_ptr<Impl>> create(const LogOptions& options, const TopicId& topic_id,
                                              LeaderEpoch first_epoch,
                                              std::vector<std::shared_ptr<File>>& unsynced);
  static Result<std::unique_ptr<Impl>> open(const LogOptions& options, RecoveryReport& report);

  Result<void> append_as_leader(std::span<AppendEntry> entries, LeaderEpoch epoch);
  Result<void> append_as_follower(ByteView batches);
  Result<FileSlice> read(Offset from, const LogPosition& upper_bound, ByteCount limit, FirstBatch first_batch,
                         IoMode mode);
  Result<std::optional<TimestampAndOffset>> find_timestamp(TimestampMs timestamp, Offset upper_bound);
  Result<std::optional<TimestampAndOffset>> find_max_timestamp(Offset upper_bound);
  Result<LogPosition> flush();
  Result<void> find_ranges(const LogPosition& from, const LogPosition& to, std::vector<SegmentRange>& ranges);
  RecoveryPoint recovery_point();
  Result<std::vector<SegmentAge>> segment_ages(TimestampMs now);
  Result<Offset> find_expired_end(TimestampMs deadline, TimestampMs now, Offset upper_bound);
  Result<Offset> find_expired_end_in(Segment& segment, TimestampMs deadline, Offset expired_end,
                                     Offset upper_bound) const;
  Result<std::int32_t> clean_up(TimestampMs now, Offset high_watermark);
  Result<void> remove_deleted_files(SteadyTime now);
  Result<void> set_log_start(Offset offset);
  Result<void> truncate_to(Offset offset);
  Result<void> truncate_fully_and_start_at(Offset offset);
  Result<void> roll();
  Result<void> give_back_reserved();
  void set_config(const LogConfig& config);
  LeaderEpoch latest_leader_epoch() const;
  Result<void> assign_leader_epoch(LeaderEpoch epoch);
  EpochEnd end_offset_for_epoch(LeaderEpoch requested) const;
  LeaderEpoch leader_epoch_at(Offset offset) const;
  std::vector<ProducerSnapshotEntry> producers() const;
  Result<void> take_history_of(const Impl& other);
  Result<void> close();
  void retire();
  bool is_retired() const { return files_.is_retired; }
  void check_invariants();

  Offset log_start() const { return Offset(log_start_.load(std::memory_order_acquire)); }
  LogPosition log_end() const { return log_end_.load(); }
  LogPosition synced_end() const { return synced_end_.load(); }
  LogPosition journaled_end() const { return std::max(journaled_end_, synced_end_.load()); }
  LogHealth health() const { return health_.load(std::memory_order_acquire); }
  ByteCount size() const { return size_.load(std::memory_order_relaxed); }
  ByteCount unflushed_size() const { return unflushed_size_.load(std::memory_order_relaxed); }
  std::size_t segment_count() const { return segments()->size(); }
  const TopicId& topic_id() const { return topic_id_; }
  const std::string& directory() const { return files_.directory; }

 private:
  class Recovery;  // log_recovery.cc

  // log.cc
  std::shared_ptr<const SegmentList> segments() const;
  void publish_segments(SegmentList list);
  Error offline_error() const;
  Error go_offline(Error cause);
  void mark_degraded();
  Result<void> require_open() const;
  Result<void> require_writable() const;
  // Everything that follows here requires append_mutex_.
  Segment& active() const { return *segments_->back(); }
  Result<void> roll_to(Offset base);
  LogPosition end_in_active(Offset offset) const;
  Result<void> remove_segment_files(Offset base);
  // To be called now and then: a log that nobody appends to holds no descriptor.
  void release_if_idle();
  void move_log_start(Offset offset);
  void publish_log_start(Offset offset);

  // log_epochs.cc
  Result<void> note_leader_epoch(LeaderEpoch epoch, Offset start);

  // log_append.cc
  struct AppendGroup;
  Result<void> write_group(AppendGroup& group);
  Error write_failed(Error cause, AppendGroup& group);
  void update_producer(const protocol::RecordBatchHeader& header, AppendGroup& group, TimestampMs now);
  Result<AppendedBatch> place(const protocol::RecordBatchHeader& header, Offset base, AppendGroup& group,
                              TimestampMs now);
  Result<void> add_entry(AppendEntry& entry, LeaderEpoch epoch, Offset base, AppendGroup& group,
                         TimestampMs now);
  Result<void> prepare_active(TimestampMs now);

  // log_read.cc
  // Builds both indexes of a segment anew, if they are still in doubt.
  Result<void> repair_indexes(Segment& segment);

  // log_flush.cc
  // Bounds what load_producers() replays after kill -9.
  void write_interim_snapshot();
  RecoveryPoint take_recovery_point();  // requires flush_mutex_
  Result<void> seal_at_close();
  bool is_as_closed() const;
  Result<void> sync_sealed(const SealedSegment& sealed);
  Result<void> write_snapshot(Offset offset, std::span<const ProducerSnapshotEntry> producers);

  // log_producers.cc
  AppendStatus check_producer(AppendEntry& entry);
  // From the newest of these snapshots and the log behind it.
  Result<void> load_producers(std::vector<Offset> snapshots);
  Result<std::vector<Offset>> list_snapshots() const;  // oldest first
  Result<void> replay_producers(Offset from, TimestampMs now);
  static Result<FilePosition> replay_start(Segment& segment, Offset from, ByteCount before);

  // timestamp_search.cc
  Result<MaxTimestamp> greatest_timestamp(Segment& segment);

  // retention.cc
  struct Expired;
  // Takes what may go out of the log, but leaves its files.
  Result<Expired> take_expired(TimestampMs now, Offset high_watermark);
  Result<std::vector<SegmentAge>> ages(TimestampMs now) const;
  Result<std::size_t> expired_count(TimestampMs now, Offset high_watermark) const;
  Result<void> delete_segment(const Segment& segment);
  // The files go into `deleted`. Requires flush_mutex_ alone, for it waits for the disk.
  Result<void> delete_durably(const Expired& expired, const std::vector<Offset>& snapshots,
                              std::vector<DeletedFile>& deleted);
  Result<void> rename_away(const std::string& path, SteadyTime due, std::vector<DeletedFile>& deleted);
  SteadyTime deletion_time() const;
  Result<void> delete_file(const std::string& path);
  Result<void> delete_snapshots_outside(Offset first, Offset last);
  // After segments went: what of the rest is not synced yet.
  void recount_unflushed();

  // log_truncate.cc
  Result<std::shared_ptr<Segment>> cut_segment(Segment& segment, FilePosition position);
  // Where a log must be cut so that it ends no later than `offset`.
  Result<LogPosition> cut_position(Segment& segment, Offset offset);
  enum class Cut { made, below_log_start };
  Result<Cut> cut_from(Offset offset);
  Result<void> start_empty_at(Offset offset);
  // The log has this one segment, which is durably empty or will be, and nothing else.
  void hold_empty(std::shared_ptr<Segment> segment);
  Result<void> write_epochs();

  LogFiles files_;
  const Clock* const clock_;
  const TopicId topic_id_;
  const std::int64_t incarnation_;

  PublishedPosition log_end_;     // stored under append_mutex_
  PublishedPosition synced_end_;  // stored under append_mutex_
  LogPosition journaled_end_;     // set before the log is shared
  std::atomic<std::int64_t> log_start_{0};
  std::atomic<LogHealth> health_{LogHealth::healthy};
  std::atomic<ByteCount> size_{0};
  std::atomic<ByteCount> unflushed_size_{0};

  std::mutex removal_mutex_;  // while files whose delay is over go
  // Nothing is written any more. Set under all of removal_mutex_, flush_mutex_ and append_mutex_, so that
  // whoever holds one of them and finds it unset may go on.
  std::atomic<bool> is_closed_{false};

  std::mutex flush_mutex_;
  // Under flush_mutex_.
  std::optional<RecoveryPoint> last_point_;  // while nothing was synced since
  // Where the log ended when its files last were as a close leaves them.
  std::optional<LogPosition> closed_end_;
  std::optional<LogPosition>
      interim_snapshot_;        // in the middle of the active segment, and goes with the next
  bool snapshot_owed_ = false;  // the last one found no room
  mutable std::mutex append_mutex_;
  mutable std::mutex segments_mutex_;
  std::shared_ptr<const SegmentList>
      segments_;  // replaced as a whole, under both append_mutex_ and segments_mutex_

  // Under append_mutex_.
  LogConfig config_;
  std::vector<SealedSegment> sealed_;  // oldest first
  bool directory_unsynced_ = false;    // has names that are not durable
  std::vector<DeletedFile> deleted_files_;
  LogPosition end_at_last_look_;  // of release_if_idle()
  ProducerState producers_;

  mutable std::mutex epochs_mutex_;  // taken last, and held for copies only
  LeaderEpochs epochs_;              // changed under append_mutex_ as well
};

}  // namespace sillok::storage
