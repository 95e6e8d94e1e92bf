// Opening a log: what Log::Impl::open() goes through, once. The rules: storage/FORMAT.md, section 9.
// log_recovery.cc has the way from the files to an open log, log_recovery_scan.cc what is read after a stop
// that was not clean.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "storage/journal_replay.h"
#include "storage/log_impl.h"
#include "storage/segment_recovery.h"

namespace sillok::storage {

// Threading: one thread, before the log is shared.
class Log::Impl::Recovery {
 public:
  Recovery(Impl& log, const LogOptions& options, RecoveryReport& report)
      : log_(log),
        options_(options),
        point_(options.recovery_point),
        gaps_end_(options.gaps_end),
        durable_end_(std::max(options.durable_end,
                              options.recovery_point ? options.recovery_point->offset : Offset(0))),
        report_(report) {}

  Result<void> run();

 private:
  std::string path_of(Offset base, std::string_view suffix) const;
  FileSystem& file_system() const { return *log_.files_.file_system; }
  void note(std::string text) { report_.notes.push_back(log_.files_.directory + ": " + std::move(text)); }
  Result<void> open_segments();
  // After a clean stop only the last segment is looked at, and of it only what lies behind its last index
  // entry.
  Result<void> settle_clean(Segment& last);
  Result<bool> walk_tail(Segment& last);
  // The stop noted that the log ended at `end`. All that the files have is durable, whatever it is.
  Result<void> doubt_clean(Offset end);
  // Every byte of the segment is durable, so nothing of it is cut.
  Result<void> scan_durable(Segment& segment);
  Result<SegmentScan> scan_anew(Segment& segment, const SegmentScanPlan& plan);
  Result<SegmentScan> scan(Segment& segment, const SegmentScanPlan& plan);
  Result<SegmentScan> scan(Segment& segment, const SegmentScanPlan& plan, FilePosition file_end);
  void accept(Segment& segment, const SegmentScan& scan, Offset durable_offset);
  // Of what was durable, `list_[i]` has what lies below it.
  Offset durable_end_in(std::size_t i) const;
  // What was durable is there: files that say otherwise are damaged, and nothing is cut.
  void doubt_files(const std::string& what);
  // Whether a segment that begins at `base` may follow a log that ends before it.
  bool may_follow(Offset base);
  // Behind the segment offsets up to `next` are missing, and are never given out again.
  void accept_hole(Segment& segment, Offset next);
  // Finds the first segment to scan. True where it is that of the point.
  bool seek(const RecoveryPoint& point);
  // From the recovery point on everything is read; without one, all of the log.
  Result<void> scan_segments();
  Result<void> scan_with_point(const RecoveryPoint& point);
  // Writes back what the commit journal has of the batches that should follow, and goes on with the scan.
  // Nothing of a damaged log: what follows damage was not scanned from batch to batch.
  Result<SegmentScan> restore(std::size_t i, SegmentScan found);
  // What of the journal follows there; nothing any more once others have written since.
  Result<Bytes> journaled_at(std::size_t i, const LogPosition& end);
  // By others, before `end`.
  Result<bool> is_overwritten(Segment& segment, FilePosition end) const;
  // The segment that the journal knows of between the one before `i` and the next that is there.
  Result<void> add_missing_before(std::size_t i);
  JournalKey journal_key() const { return {log_.topic_id_, options_.partition}; }
  // Where the batches before that of an index entry end.
  Result<Offset> offset_before(Segment& segment, const OffsetIndexEntry& entry);
  // Takes what is behind the last whole batch out of the log, keeping it aside. True where there was
  // something.
  Result<bool> cut_tail(Segment& segment, const SegmentScan& scan);
  std::string aside_name(const std::string& path) const;
  // Segments behind a hole hold batches that nobody may see again.
  Result<void> set_aside_from(std::size_t first);
  Result<void> rebuild_missing_indexes();
  Result<void> remove_leftovers();
  Result<void> publish();
  // What was scanned may be in the page cache only: the next flush sees to it.
  void mark_unsynced();
  Result<void> note_journaled_end();
  Result<void> keep_journaled(Offset past, const std::string& why);
  // They tell of batches that are lost, and other batches may get their offsets.
  Result<void> remove_late_snapshots();
  Result<void> load_epochs();
  // The file is lost: the batches know it all.
  Result<void> collect_epochs();

  Impl& log_;
  const LogOptions& options_;
  const RecoveryPoint* point_;  // null as well where it cannot be of these files
  Offset gaps_end_;
  const Offset durable_end_;  // by the recovery point, or by what else is known
  RecoveryReport& report_;
  SegmentList list_;
  std::set<Offset> offset_indexes_;
  std::set<Offset> time_indexes_;
  std::vector<Offset> snapshots_;  // in the order of their offsets
  std::vector<std::string> leftovers_;
  std::size_t first_scanned_ = 0;
  bool trusted_point_ = false;
  bool keep_all_ = false;  // nothing is cut or set aside any more
  bool torn_ = false;
  Offset end_offset_;
  LeaderEpochs seen_epochs_;                   // of the batches that were read
  LeaderEpoch epoch_in_log_ = kNoLeaderEpoch;  // of a batch that may not be its first
};

}  // namespace sillok::storage
