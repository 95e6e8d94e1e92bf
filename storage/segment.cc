#include "storage/segment.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sillok::storage {
namespace {

// Growth by reserve(): small logs stay small, large ones ask rarely.
constexpr ByteCount kReserveSizeMin = 1 << 20;
constexpr ByteCount kReserveStepMax = 64 << 20;
// One reservation takes no more than this part of the free space.
constexpr ByteCount kReservedShareMax = 64;
constexpr ByteCount kUnindexedDistanceMax = 64 << 10;

// Spreads the rolls of many logs over segment.jitter.ms, each segment's share being the same at every look.
std::int64_t jitter_of(Offset base, const std::string& directory, const LogConfig& config) {
  const std::int64_t range = std::min(config.segment_jitter_ms, config.segment_ms);
  if (range <= 0) return 0;
  const std::size_t mixed =
      (std::hash<std::string>{}(directory) ^ static_cast<std::size_t>(base.value)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::int64_t>((mixed >> 1) % static_cast<std::size_t>(range));
}

}  // namespace

Result<std::shared_ptr<Segment>> Segment::create(const LogFiles* files, Offset base) {
  auto segment = std::make_shared<Segment>(files, base);
  TRY(files->file_system->open(files->path(base, kLogSuffix), OpenMode::create));
  TRY(segment->index_.create());
  TRY(segment->times_.create());
  segment->is_index_own_ = true;
  return segment;
}

Result<std::shared_ptr<Segment>> Segment::open(const LogFiles* files, Offset base) {
  auto segment = std::make_shared<Segment>(files, base);
  const FileStatus status = TRY(files->file_system->status(files->path(base, kLogSuffix)));
  segment->set_end(status.size);
  segment->changed_ = status.modified_at.value_or(kNoTimestamp);
  return segment;
}

Result<std::shared_ptr<File>> Segment::file(IoMode mode) const {
  {
    const std::lock_guard lock(mutex_);
    if (file_) return file_;
    if (auto cached = cached_file_.lock()) return cached;
  }
  auto opened = TRY(files_->open(base_, kLogSuffix, mode));
  const std::lock_guard lock(mutex_);
  cached_file_ = opened;
  return opened;
}

std::optional<Segment::Recent> Segment::find_recent(Offset from) const {
  const auto holds = [from](const Recent& recent) {
    return recent.base_offset <= from && from <= recent.last_offset;
  };
  if (const auto found = std::find_if(recent_.begin(), recent_.end(), holds); found != recent_.end())
    return *found;
  if (!read_ends_) return std::nullopt;
  const auto found = std::find_if(read_ends_->begin(), read_ends_->end(), holds);
  return found == read_ends_->end() ? std::nullopt : std::optional(*found);
}

// The batch that begins before `position` and ends behind it, or begins there; `from` is where a batch before
// it begins.
Result<std::optional<BatchPlace>> Segment::batch_across(const File& file, FilePosition from,
                                                        FilePosition position, IoMode mode) {
  const auto is_past = [position](const OffsetIndexEntry& entry) { return entry.position > position.value; };
  const auto entry = TRY(index_.last_before(is_past, mode));
  const bool helps = entry && entry->position > from.value;
  BatchWalk walk(file, helps ? FilePosition(entry->position) : from, end(), mode);
  for (bool first = helps;; first = false) {
    const auto place = TRY(walk.next());
    if (!place) return std::optional<BatchPlace>();
    if (first && place->header.last_offset() != base_ + entry->relative_offset)
      return Error{Errc::malformed, files_->path(base_, kOffsetIndexSuffix) + ": points at another batch"};
    if (is_index_lost(place->position)) return std::optional<BatchPlace>();
    if (place->end() > position) return place;
  }
}

void Segment::cut_to_batches(FileSlice& slice, ByteCount first_batch_size, IoMode mode) {
  if (slice.size < first_batch_size) {
    slice.left_out = std::exchange(slice.size, 0);
    return;
  }
  const FilePosition limit = slice.position + slice.size;
  const auto across = batch_across(*slice.file, slice.position, limit, mode);
  if (!across.ok() || !*across || (*across)->position <= slice.position) return;
  const BatchPlace& batch = **across;
  slice.size = batch.position - slice.position;
  slice.left_out = limit - batch.position;
  // The header behind the end was read, and lies in one block with the last byte.
  if (batch.position.value % kResidentBlockBytes != 0) slice.end = RangeEnd::read_just_now;
  const std::lock_guard lock(mutex_);
  if (!read_ends_) read_ends_ = std::make_unique<std::array<Recent, kRecentCount>>();
  (*read_ends_)[read_ends_next_] = {batch.header.base_offset, batch.header.last_offset(), batch.position,
                                    static_cast<ByteCount>(batch.header.size())};
  read_ends_next_ = (read_ends_next_ + 1) % kRecentCount;
}

FilePosition Segment::readable_end(FilePosition position) const {
  for (const DamagedRange& range : damage_) {
    if (position < range.end) return std::max(position, range.begin);
  }
  return end();
}

FilePosition Segment::damage_end(FilePosition position) const {
  for (const DamagedRange& range : damage_) {
    if (range.begin == position) return range.end;
  }
  return position;
}

// So far on there is an entry at any interval that is in use; where there is not, one new index settles it.
bool Segment::is_index_lost(FilePosition walked) const {
  return walked.value > kUnindexedDistanceMax && !is_index_own_ && index_.entry_count() == 0;
}

Result<std::optional<FoundBatch>> Segment::find(Offset from, IoMode mode) {
  std::optional<Recent> recent;
  {
    const std::lock_guard lock(mutex_);
    recent = find_recent(from);
  }
  if (recent) return std::optional(FoundBatch{TRY(file(mode)), recent->position, recent->size});
  for (const DamagedRange& range : damage_) {
    if (range.first_offset <= from && from < range.next_offset) {
      return Error{Errc::corrupt,
                   files_->path(base_, kLogSuffix) + ": damaged at offset " + std::to_string(from.value)};
    }
  }
  if (size() == 0) return std::optional<FoundBatch>();
  auto opened = TRY(file(mode));
  const auto relative = std::clamp<std::int64_t>(from - base_, 0, kRelativeOffsetMax);
  const auto entry = TRY(index_.floor(static_cast<std::int32_t>(relative), mode));
  FilePosition start(entry ? entry->position : 0);
  if (start >= end())
    return Error{Errc::malformed, files_->path(base_, kOffsetIndexSuffix) + ": points past the log"};
  for (const DamagedRange& range : damage_) {
    if (start < range.end && range.next_offset <= from) start = range.end;
  }
  BatchWalk walk(*opened, start, end(), mode);
  for (bool first = entry.has_value() && start.value == entry->position;; first = false) {
    auto place = walk.next();
    if (!place.ok()) {
      if (place.error().code != Errc::corrupt) return std::move(place).error();
      const Errc code =
          first ? Errc::malformed : Errc::corrupt;  // an index that points anywhere is found out here
      return Error{code, files_->path(base_, kLogSuffix) + ": " + place.error().detail};
    }
    if (!*place) return std::optional<FoundBatch>();
    const protocol::RecordBatchHeader& header = (*place)->header;
    if (first && header.last_offset() != base_ + entry->relative_offset) {
      return Error{Errc::malformed, files_->path(base_, kOffsetIndexSuffix) + ": points at another batch"};
    }
    if (is_index_lost((*place)->position)) {
      return Error{Errc::malformed, files_->path(base_, kOffsetIndexSuffix) + ": has no entries"};
    }
    if (header.last_offset() >= from) {
      return std::optional(FoundBatch{opened, (*place)->position, static_cast<ByteCount>(header.size())});
    }
  }
}

Result<MaxTimestamp> Segment::max_timestamp() {
  {
    const std::lock_guard lock(mutex_);
    if (max_timestamp_) return *max_timestamp_;
  }
  if (!index_.is_open()) TRY(index_.open(IoMode::may_block));
  if (!times_.is_open()) TRY(times_.open(IoMode::may_block));
  const auto last = times_.last();
  const MaxTimestamp found =
      last ? MaxTimestamp{last->timestamp, base_ + last->relative_offset} : MaxTimestamp{kNoTimestamp, base_};
  const auto checked = check_final_time_entry(found);
  const std::lock_guard lock(mutex_);
  if (max_timestamp_) return *max_timestamp_;  // first appends came between, and know better than the files
  TRY(checked);
  max_timestamp_ = found;
  return found;
}

// The final entry of the time index is mandatory: where a batch behind the last entry of the offset index has
// a greater timestamp, this one is an old copy, or lost its end.
Result<void> Segment::check_final_time_entry(const MaxTimestamp& entry) {
  const auto last_indexed = index_.last();
  const FilePosition start(last_indexed ? last_indexed->position : 0);
  if (start >= end()) return {};
  const auto opened = TRY(file(IoMode::may_block));
  BatchWalk walk(*opened, start, end(), IoMode::may_block);
  for (;;) {
    const auto place = walk.next();
    if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
    if (!place.ok() || !*place) return {};
    if ((*place)->header.max_timestamp > entry.timestamp) {
      return Error{Errc::malformed, files_->path(base_, kTimeIndexSuffix) + ": the final entry is missing"};
    }
  }
}

void Segment::set_max_timestamp(const MaxTimestamp& value) {
  const std::lock_guard lock(mutex_);
  max_timestamp_ = value;
}

TimestampMs Segment::last_changed(TimestampMs now) {
  if (changed_ < 0) changed_ = now;
  return changed_;
}

Result<void> Segment::prepare_appends(TimestampMs now) {
  if (prepared_) return {};
  if (!index_.is_open()) TRY(index_.open(IoMode::may_block));
  if (!times_.is_open()) TRY(times_.open(IoMode::may_block));
  TRY(max_timestamp());
  if (const auto last = index_.last()) last_indexed_position_ = last->position;
  created_ = now;
  reserved_end_ = size();
  if (size() > 0) {
    const auto opened = TRY(file(IoMode::may_block));
    BatchWalk walk(*opened, FilePosition(0), end(), IoMode::may_block);
    const auto first = walk.next();
    // A torn one is for the recovery to cut.
    if (!first.ok() && first.error().code != Errc::corrupt) return first.error();
    if (first.ok() && *first) first_timestamp_ = (*first)->header.max_timestamp;
  }
  prepared_ = true;
  return {};
}

bool Segment::should_roll(const LogConfig& config, const AppendedBatch& batch, TimestampMs now) const {
  if (batch.last_offset - base_ > kRelativeOffsetMax) return true;
  if (batch.position.value == 0) return false;
  if (batch.position.value > std::min(config.segment_bytes, kSegmentSizeMax) - batch.size) return true;
  const TimestampMs waited = first_timestamp_ >= 0 ? batch.max_timestamp - first_timestamp_ : now - created_;
  if (waited > config.segment_ms - jitter_of(base_, files_->directory, config)) return true;
  const ByteCount index_bytes = config.segment_index_bytes;
  return index_.entry_count() >= index_bytes / static_cast<ByteCount>(kOffsetIndexEntrySize) ||
         times_.entry_count() >= index_bytes / static_cast<ByteCount>(kTimeIndexEntrySize) - 1;
}

Result<void> Segment::hold_file() {
  if (file_) return {};
  auto opened = TRY(file(IoMode::may_block));
  const std::lock_guard lock(mutex_);
  file_ = std::move(opened);
  return {};
}

Result<void> Segment::give_back_reserved() {
  return reserved_end_ > size() ? give_back_all() : Result<void>();
}

Result<void> Segment::give_back_all() {
  const auto opened = TRY(file(IoMode::may_block));
  if (TRY(opened->size()) != end()) return {};  // bytes past the end are not ours to cut
  reserved_end_ = size();
  return opened->truncate(end());
}

void Segment::release_file() {
  const std::lock_guard lock(mutex_);
  file_.reset();
}

void Segment::reserve(ByteCount more, const LogConfig& config) {
  const ByteCount wanted = size() + more;
  if (wanted <= reserved_end_ || (size() < kReserveSizeMin && !config.preallocate)) return;
  const ByteCount cap = std::min(config.segment_bytes, kSegmentSizeMax);
  ByteCount target = std::min(std::max(wanted, size() + std::min(size(), kReserveStepMax)), cap);
  if (config.preallocate) target = cap;
  if (target <= reserved_end_) return;
  // Many logs reserve at the same time: what they hold together must leave room for records.
  const auto space = files_->file_system->space(files_->directory);
  if (!config.preallocate && (!space.ok() || target - reserved_end_ > space->free / kReservedShareMax))
    return;
  // A hint: where it fails for want of space, the write will say so.
  if (file_->reserve(FilePosition(reserved_end_), target - reserved_end_).ok()) {
    reserved_end_ = target;
  } else {
    reserved_end_ = kSegmentSizeMax;
  }
}

Result<void> Segment::append(std::span<const ByteView> parts, std::span<const AppendedBatch> batches,
                             const LogConfig& config) {
  CHECK(prepared_ && !batches.empty());
  DCHECK(batches.front().position == end());
  const FilePosition new_end = batches.back().position + batches.back().size;
  TRY(hold_file());
  reserve(new_end - end(), config);
  TRY(file_->write_at(end(), parts));
  if (first_timestamp_ < 0) first_timestamp_ = batches.front().max_timestamp;
  note_batches(batches, config);
  end_.store(new_end.value, std::memory_order_release);
  if (!index_.is_pending_full() && !times_.is_pending_full()) return {};
  auto indexed = write_indexes();
  // The batches are written; their entries wait on.
  return indexed.ok() || indexed.error().code == Errc::too_many_files ? Result<void>() : indexed;
}

Result<void> Segment::roll_back() {
  if (!file_) return {};
  reserved_end_ = size();
  return file_->truncate(end());
}

void Segment::note_batches(std::span<const AppendedBatch> batches, const LogConfig& config) {
  const std::lock_guard lock(mutex_);
  for (const AppendedBatch& batch : batches) {
    recent_[recent_next_] = {batch.base_offset, batch.last_offset, batch.position, batch.size};
    recent_next_ = (recent_next_ + 1) % kRecentCount;
    if (batch.max_timestamp > max_timestamp_->timestamp)
      max_timestamp_ = {batch.max_timestamp, batch.last_offset};
    if (batch.position.value - last_indexed_position_ > config.index_interval_bytes) add_index_entry(batch);
  }
}

Result<void> Segment::replay(const BatchPlace& place, const LogConfig& config) {
  const protocol::RecordBatchHeader& header = place.header;
  const AppendedBatch batch{header.base_offset, header.last_offset(), header.max_timestamp, place.position,
                            static_cast<ByteCount>(header.size())};
  if (first_timestamp_ < 0) first_timestamp_ = batch.max_timestamp;
  note_batches({&batch, 1}, config);
  if (index_.is_pending_full() || times_.is_pending_full()) return write_indexes();
  return {};
}

Result<void> Segment::reset_indexes() {
  TRY(index_.replace({}));
  TRY(times_.replace({}));
  is_index_own_ = true;
  set_max_timestamp({kNoTimestamp, base_});
  last_indexed_position_ = 0;
  return {};
}

void Segment::add_index_entry(const AppendedBatch& batch) {
  const auto relative = static_cast<std::int32_t>(batch.last_offset - base_);
  const OffsetIndexEntry place{relative, static_cast<std::int32_t>(batch.position.value)};
  // Offsets rise, but in a damaged log that was believed after a clean stop: there the index stays sparse.
  if (place.can_follow(index_.last())) index_.append(place);
  last_indexed_position_ = batch.position.value;
  const TimeIndexEntry entry{max_timestamp_->timestamp,
                             static_cast<std::int32_t>(max_timestamp_->offset - base_)};
  if (entry.can_follow(times_.last())) times_.append(entry);
}

Result<void> Segment::write_indexes() {
  for (auto written : {index_.write_pending(), times_.write_pending()}) {
    // The entries stay in memory, and the bytes of the log matter more than their index.
    if (!written.ok() && written.error().code != Errc::no_space) return written;
  }
  return {};
}

Result<void> Segment::seal() {
  const MaxTimestamp greatest = TRY(max_timestamp());
  if (!times_.is_open()) TRY(times_.open(IoMode::may_block));
  const TimeIndexEntry entry{greatest.timestamp, static_cast<std::int32_t>(greatest.offset - base_)};
  if (entry.can_follow(times_.last())) times_.append(entry);
  TRY(write_indexes());
  return give_back_reserved();
}

void Segment::check_invariants() {
  const auto entries = index_.entries();
  if (entries.ok()) {
    for (const OffsetIndexEntry& entry : *entries) CHECK(entry.position < size());
  }
  FilePosition previous_end(0);
  for (const DamagedRange& range : damage_) {
    CHECK(previous_end <= range.begin && range.begin <= range.end && range.end <= end());
    previous_end = range.end;
  }
}

}  // namespace sillok::storage
