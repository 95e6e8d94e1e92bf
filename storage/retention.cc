#include "storage/retention.h"

#include <algorithm>

#include "storage/file_cache.h"
#include "storage/log_impl.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kSegmentSuffixes[] = {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix,
                                                 kTransactionIndexSuffix};

}  // namespace

std::size_t expired_prefix(std::span<const SegmentAge> segments, const LogConfig& config,
                           const RetentionBounds& bounds) {
  ByteCount excess = 0;
  for (const SegmentAge& segment : segments) excess += segment.size;
  excess -= config.retention_bytes;
  std::size_t count = 0;
  for (const SegmentAge& segment : segments) {
    const bool is_last = count + 1 == segments.size();
    if (segment.next_offset > bounds.high_watermark || (is_last && segment.size == 0)) break;
    const bool below_start = segment.next_offset <= bounds.log_start;
    const bool too_old = config.cleanup_delete && config.retention_ms >= 0 &&
                         bounds.now - segment.latest > config.retention_ms;
    const bool too_much = config.cleanup_delete && config.retention_bytes >= 0 && excess >= segment.size;
    if (!below_start && !too_old && !too_much) break;
    excess -= segment.size;
    ++count;
  }
  return count;
}

Result<std::vector<SegmentAge>> Log::Impl::segment_ages(TimestampMs now) {
  const std::lock_guard lock(append_mutex_);
  TRY(require_open());
  return ages(now);
}

Result<std::vector<SegmentAge>> Log::Impl::ages(TimestampMs now) const {
  std::vector<SegmentAge> ages;
  ages.reserve(segments_->size());
  for (std::size_t i = 0; i < segments_->size(); ++i) {
    Segment& segment = *(*segments_)[i];
    const bool is_last = i + 1 == segments_->size();
    const Offset next = is_last ? log_end_.offset() : (*segments_)[i + 1]->base_offset();
    const auto greatest = segment.max_timestamp();
    if (!greatest.ok() && greatest.error().code == Errc::io_error) return greatest.error();
    const TimestampMs latest =
        greatest.ok() && greatest->timestamp >= 0 ? greatest->timestamp : segment.last_changed(now);
    ages.push_back({segment.size(), next, latest});
  }
  return ages;
}

Result<std::size_t> Log::Impl::expired_count(TimestampMs now, Offset high_watermark) const {
  return expired_prefix(TRY(ages(now)), config_, {now, log_start(), high_watermark});
}

struct Log::Impl::Expired {
  SegmentList segments;  // oldest first
  Offset first;          // of what is left
  LogPosition synced;    // before they were taken out
  bool directory_unsynced = false;
  // The producers' state at `producers_end`; it waits for no flush where `must_write` is set.
  std::vector<ProducerSnapshotEntry> producers;
  Offset producers_end;
  bool must_write = false;
  SteadyTime due;
};

SteadyTime Log::Impl::deletion_time() const {
  return clock_->steady() + std::chrono::milliseconds(config_.file_delete_delay_ms);
}

Result<void> Log::Impl::rename_away(const std::string& path, SteadyTime due,
                                    std::vector<DeletedFile>& deleted) {
  const std::string new_path = path + std::string(kDeletedSuffix);
  auto renamed = files_.file_system->rename(path, new_path);
  files_.file_cache->forget(path);
  if (!renamed.ok()) return renamed.error().code == Errc::not_found ? Result<void>() : renamed;
  deleted.push_back({new_path, due});
  return {};
}

Result<void> Log::Impl::delete_file(const std::string& path) {
  return rename_away(path, deletion_time(), deleted_files_);
}

Result<void> Log::Impl::delete_segment(const Segment& segment) {
  for (const std::string_view suffix : kSegmentSuffixes) {
    TRY(delete_file(files_.path(segment.base_offset(), suffix)));
  }
  return {};
}

// The snapshots of what goes go as well, so a later one must be durable first. The names may become durable
// in any order, and an old segment that comes back without the next one is a hole: each waits for the one
// before.
Result<void> Log::Impl::delete_durably(const Expired& expired, const std::vector<Offset>& snapshots,
                                       std::vector<DeletedFile>& deleted) {
  const bool has_snapshot = std::any_of(snapshots.begin(), snapshots.end(), [&](Offset offset) {
    return expired.first <= offset && offset <= expired.producers_end;
  });
  if (expired.must_write || (!has_snapshot && !expired.producers.empty())) {
    // On a full disk it may not be written, and the room that this makes comes first: after a crash that
    // follows, a batch of a deleted segment that is sent again may not be known.
    TRY(write_snapshot(expired.producers_end, expired.producers));
  }
  if (expired.directory_unsynced) TRY(files_.file_system->sync_directory(files_.directory));
  for (const auto& segment : expired.segments) {
    for (const std::string_view suffix : kSegmentSuffixes) {
      TRY(rename_away(files_.path(segment->base_offset(), suffix), expired.due, deleted));
    }
    TRY(files_.file_system->sync_directory(files_.directory));
  }
  for (const Offset snapshot : snapshots) {
    if (snapshot < expired.first)
      TRY(rename_away(files_.path(snapshot, kSnapshotSuffix), expired.due, deleted));
  }
  return {};
}

Result<void> Log::Impl::delete_snapshots_outside(Offset first, Offset last) {
  for (const Offset snapshot : TRY(list_snapshots())) {
    if (snapshot < first || snapshot > last) TRY(delete_file(files_.path(snapshot, kSnapshotSuffix)));
  }
  return {};
}

void Log::Impl::recount_unflushed() {
  const LogPosition synced = synced_end_.load();
  ByteCount unflushed = 0;
  for (const auto& segment : *segments_) {
    if (segment->base_offset() == synced.segment_base) unflushed += segment->end() - synced.position;
    if (segment->base_offset() > synced.segment_base) unflushed += segment->size();
  }
  unflushed_size_.store(unflushed, std::memory_order_relaxed);
}

Result<Log::Impl::Expired> Log::Impl::take_expired(TimestampMs now, Offset high_watermark) {
  TRY(require_open());
  if (health() == LogHealth::offline) return offline_error();
  release_if_idle();
  producers_.expire(now, config_.producer_id_expiration_ms);
  std::size_t count = TRY(expired_count(now, high_watermark));
  if (count == segments_->size()) {
    const bool may_roll = health() == LogHealth::healthy;
    const auto rolled = may_roll ? roll_to(log_end_.offset()) : Result<void>();
    const bool lacks_room = !rolled.ok() && (rolled.error().code == Errc::no_space ||
                                             rolled.error().code == Errc::too_many_files);
    if (!rolled.ok() && !lacks_room) return rolled.error();
    if (!may_roll || lacks_room) --count;  // the active one stays
  }
  Expired expired;
  if (count == 0) return expired;
  const auto rest = segments_->begin() + static_cast<std::ptrdiff_t>(count);
  expired.segments.assign(segments_->begin(), rest);
  expired.first = (*rest)->base_offset();
  expired.synced = synced_end_.load();
  expired.directory_unsynced = directory_unsynced_;
  expired.due = deletion_time();
  expired.producers = producers_.snapshot();
  expired.producers_end = log_end_.offset();
  for (const SealedSegment& sealed : sealed_) {
    if (sealed.end_offset != expired.first || !sealed.producers) continue;
    expired.producers = *sealed.producers;
    expired.producers_end = sealed.end_offset;
    expired.must_write = true;
  }
  // Readers turn to the new start before anything is taken away; those that have a slice keep its file.
  if (expired.first > log_start()) move_log_start(expired.first);
  publish_segments(SegmentList(rest, segments_->end()));
  std::erase_if(sealed_,
                [&](const SealedSegment& sealed) { return sealed.segment->base_offset() < expired.first; });
  if (expired.synced.segment_base < expired.first)
    synced_end_.store(LogPosition{expired.first, expired.first, FilePosition(0)});
  recount_unflushed();
  return expired;
}

Result<std::int32_t> Log::Impl::clean_up(TimestampMs now, Offset high_watermark) {
  const std::lock_guard no_flush(flush_mutex_);
  // While nothing is taken out yet: where there is no descriptor, this fails alone.
  const std::vector<Offset> snapshots = TRY(list_snapshots());
  Expired expired;
  {
    const std::lock_guard lock(append_mutex_);
    expired = TRY(take_expired(now, high_watermark));
  }
  if (expired.segments.empty()) return 0;
  std::vector<DeletedFile> deleted;
  auto done = delete_durably(expired, snapshots, deleted);
  const std::lock_guard lock(append_mutex_);
  deleted_files_.insert(deleted_files_.end(), deleted.begin(), deleted.end());
  if (!done.ok()) {
    // What of the old segments was never flushed may come back, and then must not lie below a recovery point.
    synced_end_.store(expired.synced);
    return go_offline(std::move(done).error());
  }
  return static_cast<std::int32_t>(expired.segments.size());
}

Result<void> Log::Impl::remove_deleted_files(SteadyTime now) {
  std::vector<std::string> due;
  const std::lock_guard one_at_a_time(removal_mutex_);
  {
    const std::lock_guard lock(append_mutex_);
    if (is_closed_) return {};
    const auto later = std::partition(deleted_files_.begin(), deleted_files_.end(),
                                      [now](const DeletedFile& file) { return file.due > now; });
    for (auto file = later; file != deleted_files_.end(); ++file) due.push_back(std::move(file->path));
    deleted_files_.erase(later, deleted_files_.end());
  }
  Result<void> first_failure;
  for (const std::string& path : due) {
    auto removed = files_.file_system->remove(path);
    if (!removed.ok() && removed.error().code != Errc::not_found && first_failure.ok())
      first_failure = removed;
  }
  return first_failure;
}

}  // namespace sillok::storage
