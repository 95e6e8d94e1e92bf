#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/base/crc32c.h"
#include "storage/log_impl.h"

namespace sillok::storage {
namespace {

constexpr ByteCount kInterimSnapshotDistance = 64 << 20;

}  // namespace
namespace {

// The indexes are written up to the log end, and what lies between the point and it may be gone after a power
// cut: only the entries below the point belong to it.
template <class Entry, class IsBelow>
Result<IndexPrefix> prefix_below(SparseIndex<Entry>& index, const IsBelow& is_below) {
  const IndexPrefix written = TRY(index.written_prefix());
  const auto last = index.last();
  if (!last || is_below(*last)) return written;
  auto entries = TRY(index.entries());
  while (!entries.empty() && !is_below(entries.back())) entries.pop_back();
  Bytes bytes(entries.size() * Entry::kSize);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].encode(bytes.data() + i * Entry::kSize);
  return IndexPrefix{static_cast<std::int32_t>(entries.size()), crc32c(bytes)};
}

}  // namespace

// Indexes and snapshot first have to be whole; they are synced with the log because everything below
// synced_end() is taken for granted by the next recovery.
Result<void> Log::Impl::sync_sealed(const SealedSegment& sealed) {
  Segment& segment = *sealed.segment;
  TRY(segment.seal());
  const auto file = TRY(segment.file(IoMode::may_block));
  TRY(file->sync_data());
  TRY(segment.offset_index().sync());
  TRY(segment.time_index().sync());
  return sealed.producers ? write_snapshot(sealed.end_offset, *sealed.producers) : Result<void>();
}

// Where there is no room for it, the next recovery starts from an older one and replays more.
Result<void> Log::Impl::write_snapshot(Offset offset, std::span<const ProducerSnapshotEntry> producers) {
  auto written = write_producer_snapshot(*files_.file_system, files_.directory, offset, producers);
  const bool lacks_room = !written.ok() && written.error().code == Errc::no_space;
  snapshot_owed_ = lacks_room;
  if (!written.ok() && !lacks_room) return written;
  return {};
}

Result<LogPosition> Log::Impl::flush() {
  const std::lock_guard one_at_a_time(flush_mutex_);
  TRY(require_open());
  if (health() == LogHealth::offline) return offline_error();
  std::vector<SealedSegment> sealed;
  std::shared_ptr<Segment> last;
  LogPosition end;
  ByteCount unflushed = 0;
  bool directory_unsynced = false;
  bool last_is_dirty = false;
  {
    const std::lock_guard lock(append_mutex_);
    end = log_end_.load();
    const LogPosition synced = synced_end_.load();
    last = segments_->back();
    last_is_dirty =
        synced.segment_base == end.segment_base ? synced.position < end.position : end.position.value > 0;
    sealed = std::exchange(sealed_, {});
    directory_unsynced = std::exchange(directory_unsynced_, false);
    unflushed = unflushed_size();
  }
  Result<void> done;
  for (const SealedSegment& each : sealed) {
    if (done.ok()) done = sync_sealed(each);
  }
  // The names of the new segment's files, before anything in it counts.
  if (done.ok() && directory_unsynced) done = files_.file_system->sync_directory(files_.directory);
  if (done.ok() && last_is_dirty) {
    auto file = last->file(IoMode::may_block);
    done = file.ok() ? (*file)->sync_data() : Result<void>(file.error());
  }
  const std::lock_guard lock(append_mutex_);
  if (!done.ok()) {
    // A file that could not even be opened was not synced badly: all of it is still to be done.
    if (done.error().code != Errc::too_many_files) return go_offline(std::move(done).error());
    sealed_.insert(sealed_.begin(), std::make_move_iterator(sealed.begin()),
                   std::make_move_iterator(sealed.end()));
    directory_unsynced_ = directory_unsynced_ || directory_unsynced;
    return std::move(done).error();
  }
  for (const SealedSegment& each : sealed) each.segment->release_file();
  unflushed_size_.fetch_sub(unflushed, std::memory_order_relaxed);
  synced_end_.store(end);
  return end;
}

Result<void> Log::Impl::find_ranges(const LogPosition& from, const LogPosition& to,
                                    std::vector<SegmentRange>& ranges) {
  if (from >= to) return {};
  const auto list = segments();
  const auto first = std::find_if(list->rbegin(), list->rend(), [&](const auto& segment) {
    return segment->base_offset() <= from.segment_base;
  });
  if (first == list->rend() || (*first)->base_offset() != from.segment_base)
    return Error{Errc::not_found, files_.directory + ": the segment is gone"};
  LogPosition begin = from;
  for (auto segment = first.base() - 1; segment != list->end(); ++segment) {
    const bool is_last = (*segment)->base_offset() == to.segment_base;
    const auto next = segment + 1;
    if (!is_last && next == list->end()) break;
    const FilePosition end = is_last ? to.position : (*segment)->end();
    const Offset next_offset = is_last ? to.offset : (*next)->base_offset();
    if (begin.position < end) {
      ranges.push_back({begin,
                        next_offset,
                        {TRY((*segment)->file(IoMode::may_block)), begin.position, end - begin.position}});
    }
    if (is_last) return {};
    begin = {next_offset, next_offset, FilePosition(0)};
  }
  return Error{Errc::not_found, files_.directory + ": the segment is gone"};
}

RecoveryPoint Log::Impl::recovery_point() {
  const std::lock_guard no_flush(flush_mutex_);
  return take_recovery_point();
}

RecoveryPoint Log::Impl::take_recovery_point() {
  RecoveryPoint point;
  std::shared_ptr<Segment> segment;
  {
    const std::lock_guard lock(append_mutex_);
    const LogPosition synced = synced_end_.load();
    point.offset = synced.offset;
    point.segment_base = synced.segment_base;
    point.position = synced.position;
    for (const auto& each : *segments_) {
      if (each->base_offset() == synced.segment_base) segment = each;
    }
    if (!is_closed_) release_if_idle();
    if (segment && !is_closed_ && health() == LogHealth::healthy) (void)segment->write_indexes();
  }
  {
    const std::lock_guard lock(epochs_mutex_);
    point.leader_epoch = epochs_.epoch_at(point.offset - 1).value_or(kNoLeaderEpoch);
  }
  if (!segment) return point;
  const bool owes_snapshot = snapshot_owed_ && !is_closed_;
  if (!owes_snapshot && last_point_ && last_point_->offset == point.offset &&
      last_point_->segment_base == point.segment_base && last_point_->position == point.position) {
    return *last_point_;
  }
  if (is_closed_) return point;
  write_interim_snapshot();
  // Where an index fails here, its prefix stays empty and it is built anew by a recovery from this point.
  const auto offsets = prefix_below(segment->offset_index(), [&](const OffsetIndexEntry& entry) {
    return entry.position < point.position.value;
  });
  if (offsets.ok() && segment->offset_index().sync().ok()) point.offset_index = *offsets;
  const auto times = prefix_below(segment->time_index(), [&](const TimeIndexEntry& entry) {
    return entry.relative_offset < point.offset - point.segment_base;
  });
  if (times.ok() && segment->time_index().sync().ok()) point.time_index = *times;
  last_point_ = point;
  return point;
}

void Log::Impl::write_interim_snapshot() {
  LogPosition end;
  std::vector<ProducerSnapshotEntry> producers;
  {
    const std::lock_guard lock(append_mutex_);
    end = log_end_.load();
    const bool same_segment = interim_snapshot_ && interim_snapshot_->segment_base == end.segment_base;
    const FilePosition last = same_segment ? interim_snapshot_->position : FilePosition(0);
    if (health() != LogHealth::healthy || (end.position - last < kInterimSnapshotDistance && !snapshot_owed_))
      return;
    producers = producers_.snapshot();
  }
  // Derived: where it cannot be written, the next recovery replays more.
  if (!write_producer_snapshot(*files_.file_system, files_.directory, end.offset, producers).ok()) return;
  const auto list = segments();
  const bool belongs_to_roll =
      interim_snapshot_ && std::any_of(list->begin(), list->end(), [&](const auto& segment) {
        return segment->base_offset() == interim_snapshot_->offset;
      });
  if (interim_snapshot_ && interim_snapshot_->offset != end.offset && !belongs_to_roll) {
    (void)files_.file_system->remove(files_.path(interim_snapshot_->offset, kSnapshotSuffix));
  }
  interim_snapshot_ = end;
  snapshot_owed_ = false;
}

Result<void> Log::Impl::close() {
  const auto flushed = flush();
  const std::lock_guard no_removal(removal_mutex_);
  const std::lock_guard no_flush(flush_mutex_);
  Result<void> sealed;
  if (!flushed.ok()) {
    sealed = flushed.error();
  } else if (!is_as_closed()) {
    sealed = seal_at_close();
  }
  if (sealed.ok()) (void)take_recovery_point();  // remembered: it cannot be taken later
  const std::lock_guard lock(append_mutex_);
  active().release_file();
  is_closed_ = true;
  return sealed;
}

// Nothing was appended since the last close: its files need not be written again.
bool Log::Impl::is_as_closed() const {
  const LogPosition end = log_end_.load();
  return closed_end_ && last_point_ && !snapshot_owed_ && closed_end_->offset == end.offset &&
         closed_end_->segment_base == end.segment_base && closed_end_->position == end.position;
}

Result<void> Log::Impl::seal_at_close() {
  const std::lock_guard lock(append_mutex_);
  // Appends may have come since the flush: the producers' state is that of here and now.
  const Offset end = log_end_.offset();
  if (health() == LogHealth::degraded) return {};
  Segment& last = active();
  auto sealed = last.seal();
  if (sealed.ok()) sealed = last.offset_index().sync();
  if (sealed.ok()) sealed = last.time_index().sync();
  if (sealed.ok()) sealed = write_snapshot(end, producers_.snapshot());
  if (!sealed.ok()) return go_offline(std::move(sealed).error());
  return {};
}

}  // namespace sillok::storage
