#include <algorithm>

#include "storage/log_impl.h"

namespace sillok::storage {
namespace {

// How far before a snapshot the log is read for the batches that the snapshot has no room for: five of each
// producer, if together they are no more than this.
constexpr ByteCount kWindowReplaySizeMax = 8 << 20;

}  // namespace

std::vector<ProducerSnapshotEntry> Log::Impl::producers() const {
  const std::lock_guard lock(append_mutex_);
  return producers_.snapshot();
}

AppendStatus Log::Impl::check_producer(AppendEntry& entry) {
  if (!entry.header.has_producer_id()) return AppendStatus::appended;
  const SequenceCheck check = producers_.check(entry.header);
  switch (check.verdict) {
    case SequenceVerdict::append:
      break;
    case SequenceVerdict::duplicate:
      entry.base_offset = check.original.base_offset;
      entry.last_offset = check.original.last_offset;
      entry.original_time = check.original.timestamp;
      return AppendStatus::duplicate;
    case SequenceVerdict::out_of_order_sequence:
      return AppendStatus::out_of_order_sequence;
    case SequenceVerdict::producer_fenced:
      return AppendStatus::producer_fenced;
  }
  return AppendStatus::appended;
}

Result<std::vector<Offset>> Log::Impl::list_snapshots() const {
  std::vector<Offset> found;
  for (const DirectoryEntry& entry : TRY(files_.file_system->list_directory(files_.directory))) {
    const auto name = parse_offset_file_name(entry.name);
    if (name && name->suffix == kSnapshotSuffix) found.push_back(name->base);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> Log::Impl::load_producers(std::vector<Offset> snapshots) {
  producers_.clear();
  const TimestampMs now = clock_->wall_ms();
  const Offset end = log_end_.offset();
  Offset from = segments_->front()->base_offset();
  for (; !snapshots.empty(); snapshots.pop_back()) {
    if (snapshots.back() > end || snapshots.back() < from) continue;
    const auto entries = read_producer_snapshot(*files_.file_system, files_.directory, snapshots.back());
    if (!entries.ok()) {
      if (entries.error().code == Errc::io_error) return entries.error();
      continue;  // derived: an older one and more of the log say the same
    }
    producers_.load(*entries, now);
    from = snapshots.back();
    break;
  }
  return replay_producers(from, now);
}

Result<void> Log::Impl::replay_producers(Offset from, TimestampMs now) {
  const ByteCount before = producers_.empty() ? 0 : kWindowReplaySizeMax;
  std::size_t first = segments_->size() - 1;
  while (first > 0 && (*segments_)[first]->base_offset() >= from) --first;
  // A producer's last batches may lie in segments before the one that the snapshot stands in.
  for (ByteCount covered = 0; first > 0 && covered < before;) covered += (*segments_)[--first]->size();
  for (std::size_t i = first; i < segments_->size(); ++i) {
    Segment& segment = *(*segments_)[i];
    if (segment.size() == 0) continue;
    FilePosition start(0);
    if (segment.base_offset() < from) {
      const bool is_last = i + 1 == segments_->size();
      start = TRY(
          replay_start(segment, is_last ? from : std::min(from, (*segments_)[i + 1]->base_offset()), before));
    }
    const auto file = TRY(segment.file(IoMode::may_block));
    start = segment.damage_end(start);
    for (FilePosition end = segment.readable_end(start); start < end;) {
      BatchWalk walk(*file, start, end, IoMode::may_block);
      for (;;) {
        auto place = walk.next();
        if (!place.ok() && place.error().code == Errc::corrupt) break;
        if (!place.ok()) return std::move(place).error();
        if (!*place) break;
        producers_.replay((*place)->header, now);
      }
      start = segment.damage_end(end);
      end = segment.readable_end(start);
    }
  }
  return {};
}

// A batch boundary some way before the batch of `from`.
Result<FilePosition> Log::Impl::replay_start(Segment& segment, Offset from, ByteCount before) {
  const auto relative = std::min<std::int64_t>(from - segment.base_offset(), kRelativeOffsetMax);
  const auto floor = segment.offset_index().floor(static_cast<std::int32_t>(relative), IoMode::may_block);
  if (!floor.ok()) return FilePosition(0);  // in doubt: all of it, then
  if (!*floor) return FilePosition(0);
  const std::int64_t wanted = (*floor)->position - before;
  if (wanted <= 0) return FilePosition(0);
  // Entries are no closer than index.interval.bytes, and rise in both: halve towards the wanted position by
  // offset.
  std::int64_t low = 0;
  std::int64_t high = (*floor)->relative_offset;
  std::int64_t best = 0;
  while (low <= high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto entry = segment.offset_index().floor(static_cast<std::int32_t>(middle), IoMode::may_block);
    if (!entry.ok()) return FilePosition(0);
    if (!*entry || (*entry)->position <= wanted) {
      if (*entry) best = std::max<std::int64_t>(best, (*entry)->position);
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return FilePosition(best);
}

}  // namespace sillok::storage
