#include <algorithm>

#include "storage/log_impl.h"
#include "storage/segment_recovery.h"
#include "storage/torn_tail.h"

namespace sillok::storage {

Result<LogPosition> Log::Impl::cut_position(Segment& segment, Offset offset) {
  auto found = segment.find(offset, IoMode::may_block);
  if (!found.ok() && (found.error().code == Errc::malformed || found.error().code == Errc::not_found)) {
    TRY(rebuild_indexes(segment, config_));
    found = segment.find(offset, IoMode::may_block);
  }
  if (!found.ok()) return std::move(found).error();
  if (!*found) return LogPosition{offset, segment.base_offset(), segment.end()};
  BatchWalk walk(*(*found)->file, (*found)->position, segment.end(), IoMode::may_block);
  const auto place = TRY(walk.next());
  const Offset base = place ? place->header.base_offset : offset;
  return LogPosition{std::min(base, offset), segment.base_offset(), (*found)->position};
}

// Sockets may still send pages of the old file: its bytes stay as they are, and the kept ones get a new file.
Result<std::shared_ptr<Segment>> Log::Impl::cut_segment(Segment& segment, FilePosition position) {
  const Offset base = segment.base_offset();
  const std::string path = files_.path(base, kLogSuffix);
  const std::string cut_path = path + std::string(kCutSuffix);
  const auto old = TRY(segment.file(IoMode::may_block));
  const auto copy = TRY(files_.file_system->open(cut_path, OpenMode::open_or_create));
  TRY(copy->truncate(FilePosition(0)));
  TRY(copy_range(*old, FilePosition(0), position, *copy, FilePosition(0)));
  TRY(copy->sync_data());
  TRY(files_.file_system->rename(cut_path, path));
  files_.forget(base, kLogSuffix);
  TRY(files_.file_system->sync_directory(files_.directory));
  auto cut = TRY(Segment::open(&files_, base));
  TRY(rebuild_indexes(*cut, config_));
  return cut;
}

Result<void> Log::Impl::write_epochs() {
  LeaderEpochs epochs;
  {
    const std::lock_guard lock(epochs_mutex_);
    epochs = epochs_;
  }
  return epochs.write(*files_.file_system, files_.directory);
}

Result<void> Log::Impl::truncate_to(Offset offset) {
  Offset start = offset;
  {
    const std::lock_guard no_flush(flush_mutex_);
    const std::lock_guard lock(append_mutex_);
    TRY(require_writable());
    if (offset >= log_end_.offset()) return {};
    if (offset >= log_start()) {
      const auto cut = cut_from(offset);
      if (!cut.ok()) return go_offline(cut.error());
      if (*cut == Cut::made) return {};
      start = log_start();
    }
  }
  return truncate_fully_and_start_at(start);
}

Result<Log::Impl::Cut> Log::Impl::cut_from(Offset offset) {
  SegmentList list = *segments_;
  const auto holder = std::find_if(
      list.rbegin(), list.rend(),
      [offset](const std::shared_ptr<Segment>& segment) { return segment->base_offset() <= offset; });
  const LogPosition end = TRY(cut_position(holder == list.rend() ? *list.front() : **holder, offset));
  // The batch that holds the log start would go, and with it all that is visible. A log that then grew from
  // below the log start would hide what it got once a crash has it forget that its start had moved.
  if (end.offset < log_start()) return Cut::below_log_start;
  last_point_.reset();
  closed_end_.reset();
  interim_snapshot_.reset();
  // Durably, before the log ends below them: it may grow past them again, and then they would tell of
  // producers that are gone.
  TRY(delete_snapshots_outside(log_start(), end.offset));
  TRY(files_.file_system->sync_directory(files_.directory));
  while (list.size() > 1 && list.back()->base_offset() > offset) {
    // The newest first: a crash between two leaves no hole.
    TRY(delete_segment(*list.back()));
    list.pop_back();
  }
  if (end.position < list.back()->end()) list.back() = TRY(cut_segment(*list.back(), end.position));
  const Offset last_base = list.back()->base_offset();
  std::erase_if(sealed_,
                [&](const SealedSegment& sealed) { return sealed.segment->base_offset() >= last_base; });
  publish_segments(std::move(list));
  log_end_.store(end);
  if (synced_end_.load() > end) synced_end_.store(end);
  directory_unsynced_ = true;  // before anything that is appended now counts, what went is gone for good
  recount_unflushed();
  bool epochs_changed = false;
  {
    const std::lock_guard lock(epochs_mutex_);
    epochs_changed = epochs_.truncate_from_end(end.offset);
  }
  if (epochs_changed) TRY(write_epochs());
  TRY(load_producers(TRY(list_snapshots())));
  return Cut::made;
}

Result<void> Log::Impl::truncate_fully_and_start_at(Offset offset) {
  const std::lock_guard no_flush(flush_mutex_);
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  auto emptied = start_empty_at(offset);
  if (!emptied.ok()) return go_offline(std::move(emptied).error());
  return {};
}

void Log::Impl::hold_empty(std::shared_ptr<Segment> segment) {
  const Offset offset = segment->base_offset();
  sealed_.clear();
  directory_unsynced_ = false;
  publish_segments({std::move(segment)});
  const LogPosition end = end_in_active(offset);
  log_end_.store(end);
  synced_end_.store(end);
  unflushed_size_.store(0, std::memory_order_relaxed);
  publish_log_start(offset);
  producers_.clear();
}

Result<void> Log::Impl::start_empty_at(Offset offset) {
  last_point_.reset();
  closed_end_.reset();
  const SegmentList old = *segments_;
  if (!old.empty()) {
    for (const Offset snapshot : TRY(list_snapshots()))
      TRY(delete_file(files_.path(snapshot, kSnapshotSuffix)));
    TRY(files_.file_system->sync_directory(files_.directory));
  }
  for (auto segment = old.rbegin(); segment != old.rend(); ++segment) TRY(delete_segment(**segment));
  auto first = TRY(Segment::create(&files_, offset));
  TRY(files_.file_system->sync_directory(files_.directory));
  hold_empty(std::move(first));
  bool had_epochs = false;
  {
    const std::lock_guard lock(epochs_mutex_);
    had_epochs = !epochs_.entries().empty();
    epochs_.clear();
  }
  return had_epochs ? write_epochs() : Result<void>();
}

}  // namespace sillok::storage
