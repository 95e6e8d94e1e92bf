#include <algorithm>

#include "storage/log_recovery.h"
#include "storage/torn_tail.h"

namespace sillok::storage {

Result<void> Log::Impl::Recovery::scan_durable(Segment& segment) {
  SegmentScanPlan plan{FilePosition(0), segment.base_offset(), segment.end()};
  const SegmentScan scan = TRY(scan_anew(segment, plan));
  accept(segment, scan, segment.base_offset());
  return {};
}

Result<SegmentScan> Log::Impl::Recovery::scan_anew(Segment& segment, const SegmentScanPlan& plan) {
  TRY(segment.reset_indexes());
  report_.rebuilt_index_count += 2;
  return scan(segment, plan);
}

Result<SegmentScan> Log::Impl::Recovery::scan(Segment& segment, const SegmentScanPlan& plan) {
  return scan(segment, plan, segment.end());
}

Result<SegmentScan> Log::Impl::Recovery::scan(Segment& segment, const SegmentScanPlan& plan,
                                              FilePosition file_end) {
  const auto file = TRY(segment.file(IoMode::may_block));
  auto scanned = TRY(scan_segment(*file, segment.base_offset(), plan, file_end, [&](const BatchPlace& place) {
    if (place.header.leader_epoch >= LeaderEpoch(0))
      seen_epochs_.assign(place.header.leader_epoch, place.header.base_offset);
    return segment.replay(place, log_.config_);
  }));
  report_.scanned_bytes += scanned.scanned_bytes;
  return scanned;
}

void Log::Impl::Recovery::accept(Segment& segment, const SegmentScan& scan, Offset durable_offset) {
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

Offset Log::Impl::Recovery::durable_end_in(std::size_t i) const {
  const Offset base = list_[i]->base_offset();
  const Offset end =
      i + 1 < list_.size() ? std::min(durable_end_, list_[i + 1]->base_offset()) : durable_end_;
  return std::max(base, end);
}

void Log::Impl::Recovery::doubt_files(const std::string& what) {
  note("durable bytes are damaged: " + what);
  keep_all_ = true;
  log_.mark_degraded();
}

bool Log::Impl::Recovery::may_follow(Offset base) {
  if (base <= end_offset_) return base == end_offset_;
  if (log_.config_.cleanup_compact) return true;
  if (base > gaps_end_ || keep_all_) return false;
  note("no batches at offsets " + std::to_string(end_offset_.value) + " to " +
       std::to_string(base.value - 1) + ", as a compaction may have left it");
  return true;
}

void Log::Impl::Recovery::accept_hole(Segment& segment, Offset next) {
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

bool Log::Impl::Recovery::seek(const RecoveryPoint& point) {
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

Result<void> Log::Impl::Recovery::scan_segments() {
  first_scanned_ = 0;
  const bool with_point = point_ != nullptr && seek(*point_);
  end_offset_ = list_[first_scanned_]->base_offset();
  bool torn = false;
  for (std::size_t i = first_scanned_; i < list_.size(); ++i) {
    if (i > first_scanned_ && !torn) TRY(add_missing_before(i));
    Segment& segment = *list_[i];
    const Offset base = segment.base_offset();
    const bool fits = i == first_scanned_ || may_follow(base);
    if (torn || (!fits && !keep_all_ && std::min(base, end_offset_) >= durable_end_)) {
      TRY(set_aside_from(i));
      break;
    }
    if (!fits) accept_hole(*list_[i - 1], base);
    if (i == first_scanned_ && with_point) {
      TRY(scan_with_point(*point_));
      torn = torn_;
    } else {
      const Offset durable = durable_end_in(i);
      const bool is_durable = keep_all_ || (i + 1 < list_.size() && durable == list_[i + 1]->base_offset());
      const FilePosition durable_end = is_durable ? segment.end() : FilePosition(0);
      const SegmentScan scanned = TRY(scan_anew(segment, {FilePosition(0), base, durable_end, durable}));
      const SegmentScan found = TRY(restore(i, scanned));
      accept(segment, found, durable);
      torn = TRY(cut_tail(segment, found));
    }
    // A roll whose names the crash took is made again.
    if (i + 1 == list_.size() && !torn) TRY(add_missing_before(i + 1));
  }
  if (end_offset_ < durable_end_) accept_hole(*list_.back(), durable_end_);
  return {};
}

Result<void> Log::Impl::Recovery::scan_with_point(const RecoveryPoint& point) {
  Segment& segment = *list_[first_scanned_];
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
                std::to_string(point.offset.value) + " at position " + std::to_string(point.position.value));
  }
  if (!trusted_point_ || (keep_all_ && found.end < segment.end())) {
    plan = {FilePosition(0), segment.base_offset(), segment.end()};
    found = TRY(scan_anew(segment, plan));
  }
  found = TRY(restore(first_scanned_, std::move(found)));
  accept(segment, found, point.offset);
  torn_ = TRY(cut_tail(segment, found));
  return {};
}

Result<SegmentScan> Log::Impl::Recovery::restore(std::size_t i, SegmentScan found) {
  if (options_.journal == nullptr || keep_all_ || !found.damage.empty()) return found;
  Segment& segment = *list_[i];
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
    const Bytes bytes = TRY(journaled_at(i, end));
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

Result<Bytes> Log::Impl::Recovery::journaled_at(std::size_t i, const LogPosition& end) {
  if (report_.is_journal_void) return Bytes();
  Bytes bytes = TRY(options_.journal->read_from(journal_key(), end));
  if (bytes.empty()) return bytes;
  const bool is_in_next = i + 1 < list_.size() && list_[i + 1]->base_offset() == end.offset;
  report_.is_journal_void = is_in_next || TRY(is_overwritten(*list_[i], end.position));
  return report_.is_journal_void ? Bytes() : std::move(bytes);
}

// Below the point nothing was read.
Result<bool> Log::Impl::Recovery::is_overwritten(Segment& segment, FilePosition end) const {
  LogPosition from{segment.base_offset(), segment.base_offset(), FilePosition(0)};
  if (trusted_point_ && point_->segment_base == from.segment_base) from.position = point_->position;
  const auto file = TRY(segment.file(IoMode::may_block));
  return !TRY(options_.journal->agrees_with(journal_key(), *file, from, end));
}

Result<void> Log::Impl::Recovery::add_missing_before(std::size_t i) {
  if (options_.journal == nullptr || keep_all_ || report_.is_journal_void) return {};
  if (i < list_.size() && list_[i]->base_offset() == end_offset_) return {};
  // It was made already, and the journal's batches did not fit.
  if (list_[i - 1]->base_offset() == end_offset_) return {};
  if (!options_.journal->begins_segment(journal_key(), end_offset_)) return {};
  TRY(log_.remove_segment_files(end_offset_));
  const auto place = list_.begin() + static_cast<std::ptrdiff_t>(i);
  list_.insert(place, TRY(Segment::create(&log_.files_, end_offset_)));
  return {};
}

Result<Offset> Log::Impl::Recovery::offset_before(Segment& segment, const OffsetIndexEntry& entry) {
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

Result<bool> Log::Impl::Recovery::cut_tail(Segment& segment, const SegmentScan& scan) {
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

std::string Log::Impl::Recovery::aside_name(const std::string& path) const {
  return path + std::string(kTornInfix) + std::to_string(options_.incarnation);
}

Result<void> Log::Impl::Recovery::set_aside_from(std::size_t first) {
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

}  // namespace sillok::storage
