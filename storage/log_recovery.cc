// Opening a log. The rules: storage/FORMAT.md, section 9.
#include <algorithm>
#include <set>

#include "storage/file_cache.h"
#include "storage/journal_replay.h"
#include "storage/log_impl.h"
#include "storage/partition_metadata.h"
#include "storage/segment_recovery.h"
#include "storage/torn_tail.h"

namespace sillok::storage {
namespace {

// A last index entry further from the end of its log than this, and than eight times the interval, is of an
// old copy.
constexpr ByteCount kStaleIndexDistance = 64 << 10;

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

}  // namespace

class Log::Impl::Recovery {
 public:
  Recovery(Impl& log, const LogOptions& options, RecoveryReport& report)
      : log_(log), options_(options), report_(report) {}

  Result<void> run() {
    TRY(open_segments());
    const RecoveryPoint* const point = options_.recovery_point;
    first_scanned_ = list_.size();
    bool is_settled = options_.clean;
    if (is_settled) {
      TRY(settle_clean(*list_.back()));
      is_settled = point == nullptr || end_offset_ == point->offset;
      if (!is_settled) TRY(doubt_clean(*point));
    }
    if (!is_settled) {
      TRY(scan_from(point));
      for (std::size_t i = first_scanned_; i < list_.size(); ++i) (void)list_[i]->give_back_all();
    }
    TRY(rebuild_missing_indexes());
    TRY(remove_leftovers());
    return publish(point);
  }

 private:
  const std::string path_of(Offset base, std::string_view suffix) const {
    return log_.files_.path(base, suffix);
  }
  FileSystem& file_system() const { return *log_.files_.file_system; }
  void note(std::string text) { report_.notes.push_back(log_.files_.directory + ": " + std::move(text)); }

  Result<void> open_segments() {
    std::vector<Offset> bases;
    for (const DirectoryEntry& entry : TRY(file_system().list_directory(log_.files_.directory))) {
      if (ends_with(entry.name, kDeletedSuffix) || ends_with(entry.name, kCutSuffix) ||
          ends_with(entry.name, kCleanedSuffix)) {
        leftovers_.push_back(join_path(log_.files_.directory, entry.name));
        continue;
      }
      const auto name = parse_offset_file_name(entry.name);
      if (!name) continue;
      if (name->suffix == kLogSuffix) bases.push_back(name->base);
      if (name->suffix == kOffsetIndexSuffix) offset_indexes_.insert(name->base);
      if (name->suffix == kTimeIndexSuffix) time_indexes_.insert(name->base);
    }
    for (const Offset base : bases) list_.push_back(TRY(Segment::open(&log_.files_, base)));
    if (list_.empty()) {
      // A crash before the first segment was durable.
      TRY(log_.remove_segment_files(options_.log_start_offset));
      list_.push_back(TRY(Segment::create(&log_.files_, options_.log_start_offset)));
      offset_indexes_ = time_indexes_ = {options_.log_start_offset};
    }
    return {};
  }

  // After a clean stop only the last segment is looked at, and of it only what lies behind its last index
  // entry.
  Result<void> settle_clean(Segment& last) {
    end_offset_ = last.base_offset();
    const auto settled = TRY(walk_tail(last));
    if (settled) return {};
    note("the index of the last segment was built anew");
    return scan_durable(last);
  }

  Result<bool> walk_tail(Segment& last) {
    if (!last.offset_index().open(IoMode::may_block).ok() ||
        !last.time_index().open(IoMode::may_block).ok()) {
      return false;
    }
    const auto entry = last.offset_index().last();
    const FilePosition start(entry ? entry->position : 0);
    if (start > last.end() || (entry && start == last.end())) return false;
    const auto greatest = last.max_timestamp();
    if (!greatest.ok() && greatest.error().code == Errc::io_error) return greatest.error();
    if (!greatest.ok()) return false;
    const auto file = TRY(last.file(IoMode::may_block));
    BatchWalk walk(*file, start, last.end(), IoMode::may_block);
    for (bool first = entry.has_value();; first = false) {
      const auto place = walk.next();
      if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
      if (!place.ok()) return false;
      if (!*place) break;
      const protocol::RecordBatchHeader& header = (*place)->header;
      if (first && header.last_offset() != last.base_offset() + entry->relative_offset) return false;
      if (header.base_offset < end_offset_ && !first) return false;
      if ((*place)->position - start > std::max(kStaleIndexDistance, 8 * log_.config_.index_interval_bytes)) {
        return false;
      }
      end_offset_ = header.next_offset();
      epoch_in_log_ = header.leader_epoch;
    }
    return true;
  }

  // The stop wrote the point when the log ended there. All that the files have is durable, whatever it is.
  Result<void> doubt_clean(const RecoveryPoint& point) {
    note("the clean stop was at offset " + std::to_string(point.offset.value) + ", but the files end at " +
         std::to_string(end_offset_.value) + ": the log is scanned");
    keep_all_ = true;
    list_.back() = TRY(Segment::open(&log_.files_, list_.back()->base_offset()));
    return {};
  }

  // Every byte of the segment is durable, so nothing of it is cut.
  Result<void> scan_durable(Segment& segment) {
    SegmentScanPlan plan{FilePosition(0), segment.base_offset(), segment.end()};
    const SegmentScan scan = TRY(scan_anew(segment, plan));
    accept(segment, scan, segment.base_offset());
    return {};
  }

  Result<SegmentScan> scan_anew(Segment& segment, const SegmentScanPlan& plan) {
    TRY(segment.reset_indexes());
    report_.rebuilt_index_count += 2;
    return scan(segment, plan);
  }

  Result<SegmentScan> scan(Segment& segment, const SegmentScanPlan& plan) {
    return scan(segment, plan, segment.end());
  }

  Result<SegmentScan> scan(Segment& segment, const SegmentScanPlan& plan, FilePosition file_end) {
    const auto file = TRY(segment.file(IoMode::may_block));
    auto scanned = TRY(scan_segment(*file, plan, file_end, [&](const BatchPlace& place) {
      if (place.header.leader_epoch >= LeaderEpoch(0))
        seen_epochs_.assign(place.header.leader_epoch, place.header.base_offset);
      return segment.replay(place, log_.config_);
    }));
    report_.scanned_bytes += scanned.scanned_bytes;
    return scanned;
  }

  // `in_middle`: its epoch may have begun before it.
  void note_epoch(const protocol::RecordBatchHeader& header, bool in_middle) {
    if (header.leader_epoch < LeaderEpoch(0)) return;
    if (in_middle) epoch_in_log_ = header.leader_epoch;
    seen_epochs_.assign(header.leader_epoch, header.base_offset);
  }

  void accept(Segment& segment, const SegmentScan& scan, Offset durable_offset) {
    end_offset_ = scan.next_offset;
    if (scan.damage.empty()) return;
    std::vector<DamagedRange> damage = scan.damage;
    if (damage.back().end == segment.end()) {
      // What was there reached at least to the recovery point.
      end_offset_ = std::max(end_offset_, durable_offset);
      damage.back().next_offset = end_offset_;
    }
    note(path_of(segment.base_offset(), kLogSuffix) + ": durable bytes are damaged: " + scan.problem);
    segment.set_damage(std::move(damage));
    keep_all_ = true;
    log_.mark_degraded();
  }

  // What is below a recovery point was durable: files that say otherwise are damaged, and nothing is cut.
  void doubt_files(const std::string& what) {
    note("durable bytes are damaged: " + what);
    keep_all_ = true;
    log_.mark_degraded();
  }

  // Behind the segment offsets up to `next` are missing, and are never given out again.
  void accept_hole(Segment& segment, Offset next) {
    doubt_files("no batches at offsets " + std::to_string(end_offset_.value) + " to " +
                std::to_string(next.value - 1));
    if (next <= end_offset_) return;
    std::vector<DamagedRange> damage = segment.damage();
    if (damage.empty() || damage.back().end != segment.end()) {
      damage.push_back({segment.end(), segment.end(), end_offset_, next});
    }
    damage.back().next_offset = next;
    segment.set_damage(std::move(damage));
    end_offset_ = next;
  }

  // Finds the first segment to scan. True where it is that of the point.
  bool seek(const RecoveryPoint& point) {
    while (first_scanned_ < list_.size() && list_[first_scanned_]->base_offset() < point.segment_base)
      ++first_scanned_;
    if (first_scanned_ < list_.size() && list_[first_scanned_]->base_offset() == point.segment_base)
      return true;
    // Retention took its segment away, and all before it.
    if (first_scanned_ == 0 && list_.front()->base_offset() >= point.offset) return false;
    doubt_files("the segment of the recovery point, " + path_of(point.segment_base, kLogSuffix) +
                ", is missing");
    if (first_scanned_ > 0) --first_scanned_;
    return false;
  }

  // From the recovery point on everything is read; without one, all of the log.
  Result<void> scan_from(const RecoveryPoint* point) {
    first_scanned_ = 0;
    const bool with_point = point != nullptr && seek(*point);
    end_offset_ = list_[first_scanned_]->base_offset();
    bool torn = false;
    for (std::size_t i = first_scanned_; i < list_.size(); ++i) {
      if (i > first_scanned_ && !torn) TRY(add_missing_before(i));
      Segment& segment = *list_[i];
      const Offset base = segment.base_offset();
      const bool fits =
          i == first_scanned_ || base == end_offset_ || (log_.config_.cleanup_compact && base > end_offset_);
      if (torn || (!fits && !keep_all_)) {
        TRY(set_aside_from(i));
        break;
      }
      if (!fits) accept_hole(*list_[i - 1], base);
      if (i == first_scanned_ && with_point) {
        TRY(scan_with_point(segment, *point));
        torn = torn_;
      } else {
        const FilePosition durable_end = keep_all_ ? segment.end() : FilePosition(0);
        const SegmentScan scanned = TRY(scan_anew(segment, {FilePosition(0), base, durable_end}));
        const SegmentScan found = TRY(restore(segment, scanned));
        accept(segment, found, base);
        torn = TRY(cut_tail(segment, found));
      }
      // A roll whose names the crash took is made again.
      if (i + 1 == list_.size() && !torn) TRY(add_missing_before(i + 1));
    }
    if (keep_all_ && point != nullptr && end_offset_ < point->offset)
      accept_hole(*list_.back(), point->offset);
    return {};
  }

  Result<void> scan_with_point(Segment& segment, const RecoveryPoint& point) {
    SegmentScanPlan plan{FilePosition(0), segment.base_offset(), point.position};
    bool kept = segment.offset_index().open_prefix(point.offset_index).ok() &&
                segment.time_index().open_prefix(point.time_index).ok();
    if (kept) {
      if (const auto last = segment.offset_index().last()) {
        plan.from = FilePosition(last->position);
        plan.least_offset = TRY(offset_before(segment, *last));
        kept = plan.from < point.position && plan.from < segment.end();
      }
    }
    if (kept) {
      const auto time = segment.time_index().last();
      segment.set_max_timestamp(
          time ? MaxTimestamp{time->timestamp, segment.base_offset() + time->relative_offset}
               : MaxTimestamp{kNoTimestamp, segment.base_offset()});
      TRY(segment.prepare_appends(log_.clock_->wall_ms()));
    }
    if (!kept) plan = {FilePosition(0), segment.base_offset(), point.position};
    SegmentScan found = kept ? TRY(scan(segment, plan)) : TRY(scan_anew(segment, plan));
    trusted_point_ =
        point.position <= segment.end() &&
        (!found.damage.empty() || (found.met_durable_end && found.offset_at_durable_end == point.offset) ||
         (found.met_durable_end && point.position == plan.from));
    if (!trusted_point_) {
      doubt_files(path_of(segment.base_offset(), kLogSuffix) + " does not fit the recovery point, offset " +
                  std::to_string(point.offset.value) + " at position " +
                  std::to_string(point.position.value));
    }
    if (!trusted_point_ || (keep_all_ && found.end < segment.end())) {
      plan = {FilePosition(0), segment.base_offset(), segment.end()};
      found = TRY(scan_anew(segment, plan));
    }
    found = TRY(restore(segment, std::move(found)));
    accept(segment, found, point.offset);
    torn_ = TRY(cut_tail(segment, found));
    return {};
  }

  // Writes back what the commit journal has of the batches that should follow, and goes on with the scan.
  // Nothing of a damaged log: what follows damage was not scanned from batch to batch.
  Result<SegmentScan> restore(Segment& segment, SegmentScan found) {
    if (options_.journal == nullptr || keep_all_ || !found.damage.empty()) return found;
    const auto file = TRY(segment.file(IoMode::may_block));
    const auto go_on = [&](FilePosition file_end) -> Result<void> {
      SegmentScan more = TRY(scan(segment, {found.end, found.next_offset, FilePosition(0)}, file_end));
      found.end = more.end;
      found.next_offset = more.next_offset;
      found.problem = std::move(more.problem);
      return {};
    };
    for (bool has_seen_rest = true;;) {
      const LogPosition end{found.next_offset, segment.base_offset(), found.end};
      const Bytes bytes = TRY(options_.journal->read_from(journal_key(), end));
      if (bytes.empty() && has_seen_rest) return found;
      if (bytes.empty()) {
        TRY(go_on(segment.end()));
        has_seen_rest = true;
        continue;
      }
      const ByteView part = bytes;
      TRY(file->write_at(found.end, {&part, 1}));
      const FilePosition written_end = found.end + static_cast<std::int64_t>(bytes.size());
      segment.set_end(std::max(segment.end(), written_end));
      TRY(go_on(written_end));
      if (found.end == end.position) return Error{Errc::corrupt, "the commit journal has no whole batches"};
      report_.restored_bytes += static_cast<ByteCount>(bytes.size());
      has_seen_rest = found.end >= segment.end();
    }
  }

  // The segment that the journal knows of between the one before `i` and the next that is there.
  Result<void> add_missing_before(std::size_t i) {
    if (options_.journal == nullptr || keep_all_) return {};
    if (i < list_.size() && list_[i]->base_offset() == end_offset_) return {};
    if (!options_.journal->begins_segment(journal_key(), end_offset_)) return {};
    TRY(log_.remove_segment_files(end_offset_));
    const auto place = list_.begin() + static_cast<std::ptrdiff_t>(i);
    list_.insert(place, TRY(Segment::create(&log_.files_, end_offset_)));
    return {};
  }

  JournalKey journal_key() const { return {log_.topic_id_, options_.partition}; }

  // Where the batches before that of an index entry end.
  Result<Offset> offset_before(Segment& segment, const OffsetIndexEntry& entry) {
    const auto before = TRY(segment.offset_index().floor(entry.relative_offset - 1, IoMode::may_block));
    Offset offset = before ? segment.base_offset() + before->relative_offset + 1 : segment.base_offset();
    const auto file = TRY(segment.file(IoMode::may_block));
    const FilePosition end(std::min<std::int64_t>(entry.position, segment.size()));
    BatchWalk walk(*file, FilePosition(before ? before->position : 0), end, IoMode::may_block);
    for (;;) {
      const auto place = walk.next();
      if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
      if (!place.ok() || !*place) return offset;
      offset = std::max(offset, (*place)->header.next_offset());
    }
  }

  // Takes what is behind the last whole batch out of the log, keeping it aside. True where there was
  // something.
  Result<bool> cut_tail(Segment& segment, const SegmentScan& scan) {
    if (scan.end >= segment.end()) return false;
    const std::string path = path_of(segment.base_offset(), kLogSuffix);
    const ByteCount size = segment.end() - scan.end;
    const auto file = TRY(segment.file(IoMode::may_block));
    TRY(keep_aside(file_system(), *file, scan.end, segment.end(), aside_name(path)));
    TRY(file_system().sync_directory(log_.files_.directory));
    TRY(file->truncate(scan.end));
    TRY(file->sync_data());
    segment.set_end(scan.end);
    report_.cut_bytes += size;
    note(path + ": cut " + std::to_string(size) + " bytes of a torn tail: " + scan.problem);
    return true;
  }

  std::string aside_name(const std::string& path) const {
    return path + std::string(kTornInfix) + std::to_string(options_.incarnation);
  }

  // Segments behind a hole hold batches that nobody may see again.
  Result<void> set_aside_from(std::size_t first) {
    for (std::size_t i = first; i < list_.size(); ++i) {
      const Offset base = list_[i]->base_offset();
      const std::string path = path_of(base, kLogSuffix);
      if (list_[i]->size() > 0) {
        log_.files_.forget(base, kLogSuffix);
        TRY(file_system().rename(path, aside_name(path)));
        report_.cut_bytes += list_[i]->size();
        note(path + ": set aside, since the log before it ends at " + std::to_string(end_offset_.value));
      }
      TRY(log_.remove_segment_files(base));
    }
    list_.resize(first);
    return file_system().sync_directory(log_.files_.directory);
  }

  Result<void> rebuild_missing_indexes() {
    for (std::size_t i = 0; i < std::min(first_scanned_, list_.size()); ++i) {
      Segment& segment = *list_[i];
      if (segment.offset_index().is_open() && segment.time_index().is_open()) continue;
      const Offset base = segment.base_offset();
      if (offset_indexes_.count(base) != 0 && time_indexes_.count(base) != 0) continue;
      note(path_of(base, kLogSuffix) + ": an index was missing, and was built anew");
      TRY(rebuild_indexes(segment, log_.config_));
      TRY(segment.seal());
      report_.rebuilt_index_count += 2;
    }
    return {};
  }

  Result<void> remove_leftovers() {
    for (const auto& indexes :
         {std::pair{&offset_indexes_, kOffsetIndexSuffix}, {&time_indexes_, kTimeIndexSuffix}}) {
      for (const Offset base : *indexes.first) {
        const bool used = std::any_of(list_.begin(), list_.end(),
                                      [base](const auto& segment) { return segment->base_offset() == base; });
        if (!used) leftovers_.push_back(path_of(base, indexes.second));
      }
    }
    for (const std::string& path : leftovers_) {
      log_.files_.file_cache->forget(path);
      auto removed = file_system().remove(path);
      if (!removed.ok() && removed.error().code != Errc::not_found) return removed;
    }
    return {};
  }

  Result<void> publish(const RecoveryPoint* point) {
    log_.publish_segments(list_);
    const LogPosition end = log_.end_in_active(end_offset_);
    log_.log_end_.store(end);
    log_.synced_end_.store(end);
    log_.move_log_start(std::max(options_.log_start_offset, list_.front()->base_offset()));
    if (log_.log_start() > end.offset) {
      note("the log ends before its start, and begins there anew, empty");
      TRY(log_.start_empty_at(log_.log_start()));
    } else if (first_scanned_ < list_.size()) {
      mark_unsynced(point);
    }
    note_journaled_end();
    if (options_.clean && options_.recovery_point != nullptr &&
        options_.recovery_point->offset == end.offset &&
        options_.recovery_point->segment_base == end.segment_base &&
        options_.recovery_point->position == end.position) {
      log_.last_point_ = *options_.recovery_point;
    }
    TRY(load_epochs());
    TRY(remove_late_snapshots());
    TRY(log_.load_producers());
    if (log_.log_start() > log_.synced_end_.offset()) TRY(log_.flush());
    return {};
  }

  // What was scanned may be in the page cache only: the next flush sees to it.
  void mark_unsynced(const RecoveryPoint* point) {
    const Segment& first = *list_[std::min(first_scanned_, list_.size() - 1)];
    LogPosition synced{first.base_offset(), first.base_offset(), FilePosition(0)};
    if (trusted_point_ && point->offset <= end_offset_)
      synced = {point->offset, point->segment_base, point->position};
    ByteCount unflushed = first.end() - synced.position;
    for (std::size_t i = first_scanned_; i + 1 < list_.size(); ++i) {
      log_.sealed_.push_back({list_[i], list_[i + 1]->base_offset(), std::nullopt});
      unflushed += list_[i + 1]->size();
    }
    log_.directory_unsynced_ = true;
    log_.unflushed_size_.store(unflushed);
    log_.synced_end_.store(synced);
  }

  void note_journaled_end() {
    const LogPosition synced = log_.synced_end_.load();
    log_.journaled_end_ = synced;
    if (options_.journal == nullptr) return;
    if (report_.restored_bytes > 0)
      note(std::to_string(report_.restored_bytes) + " bytes were restored from the commit journal");
    const auto end = options_.journal->end_of(journal_key());
    if (!end || *end <= synced) return;
    if (end->offset > log_.log_end_.offset()) {
      note("the commit journal has batches up to offset " + std::to_string(end->offset.value) +
           ", but what would lead to them is missing");
      return;
    }
    log_.journaled_end_ = *end;
  }

  // They tell of batches that are lost, and other batches may get their offsets.
  Result<void> remove_late_snapshots() {
    for (const Offset snapshot : TRY(log_.list_snapshots())) {
      if (snapshot > log_.log_end_.offset()) TRY(file_system().remove(path_of(snapshot, kSnapshotSuffix)));
    }
    return {};
  }

  Result<void> load_epochs() {
    auto read = LeaderEpochs::read(file_system(), log_.files_.directory);
    if (!read.ok() && read.error().code == Errc::io_error) return std::move(read).error();
    const auto latest = read.ok() ? read->latest() : std::nullopt;
    const bool lost = latest ? latest->epoch < epoch_in_log_ : end_offset_ > log_.log_start();
    if (lost) TRY(collect_epochs());
    LeaderEpochs epochs = read.ok() ? *read : LeaderEpochs();
    const LeaderEpochs before = epochs;
    for (const LeaderEpochEntry& entry : seen_epochs_.entries()) {
      const auto known = epochs.latest();
      if (!known || entry.epoch > known->epoch) epochs.assign(entry.epoch, entry.start_offset);
    }
    const auto greatest = epochs.latest();
    epochs.truncate_from_end(log_.log_end_.offset());
    // An epoch that lost all its batches was seen by clients all the same: the next one must be greater.
    if (greatest && log_.log_end_.offset() >= log_.log_start())
      epochs.assign(greatest->epoch, log_.log_end_.offset());
    epochs.truncate_from_start(log_.log_start());
    if (!read.ok() || epochs.entries() != before.entries()) {
      TRY(epochs.write(file_system(), log_.files_.directory));
    }
    log_.epochs_ = std::move(epochs);
    return {};
  }

  // The file is lost: the batches know it all.
  Result<void> collect_epochs() {
    seen_epochs_.clear();
    note("the leader epochs were read from the batches");
    for (const auto& segment : list_) {
      const auto file = TRY(segment->file(IoMode::may_block));
      BatchWalk walk(*file, FilePosition(0), segment->readable_end(FilePosition(0)), IoMode::may_block);
      for (;;) {
        const auto place = walk.next();
        if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
        if (!place.ok() || !*place) break;
        const protocol::RecordBatchHeader& header = (*place)->header;
        if (header.leader_epoch >= LeaderEpoch(0))
          seen_epochs_.assign(header.leader_epoch, header.base_offset);
      }
    }
    return {};
  }

  Impl& log_;
  const LogOptions& options_;
  RecoveryReport& report_;
  SegmentList list_;
  std::set<Offset> offset_indexes_;
  std::set<Offset> time_indexes_;
  std::vector<std::string> leftovers_;
  std::size_t first_scanned_ = 0;
  bool trusted_point_ = false;
  bool keep_all_ = false;  // nothing is cut or set aside any more
  bool torn_ = false;
  Offset end_offset_;
  LeaderEpochs seen_epochs_;                   // of the batches that were read
  LeaderEpoch epoch_in_log_ = kNoLeaderEpoch;  // of a batch that may not be its first
};

Result<std::unique_ptr<Log::Impl>> Log::Impl::open(const LogOptions& options, RecoveryReport& report) {
  auto topic_id = read_partition_metadata(*options.file_system, options.directory);
  if (!topic_id.ok()) {
    if (topic_id.error().code == Errc::io_error) return std::move(topic_id).error();
    report.notes.push_back(options.directory + ": " + topic_id.error().describe());
  }
  const TopicId id = topic_id.ok() && *topic_id ? **topic_id : TopicId{};
  auto log = std::make_unique<Impl>(options, id);
  TRY(Recovery(*log, options, report).run());
  return log;
}

Result<std::unique_ptr<Log::Impl>> Log::Impl::create(const LogOptions& options, const TopicId& topic_id) {
  FileSystem& file_system = *options.file_system;
  TRY(file_system.make_directory(options.directory));
  auto log = std::make_unique<Impl>(options, topic_id);
  if (!topic_id.is_zero()) TRY(write_partition_metadata(file_system, options.directory, topic_id));
  TRY(log->start_empty_at(options.log_start_offset));
  TRY(file_system.sync_directory(parent_path(options.directory)));
  return log;
}

}  // namespace sillok::storage
