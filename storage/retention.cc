#include "storage/retention.h"

#include <algorithm>

#include "storage/file_cache.h"
#include "storage/log_impl.h"

namespace sillok::storage {

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

Result<std::size_t> Log::Impl::expired_count(TimestampMs now, Offset high_watermark) const {
  std::vector<SegmentAge> ages;
  ages.reserve(segments_->size());
  for (std::size_t i = 0; i < segments_->size(); ++i) {
    Segment& segment = *(*segments_)[i];
    const bool is_last = i + 1 == segments_->size();
    const Offset next = is_last ? log_end_.offset() : (*segments_)[i + 1]->base_offset();
    const auto greatest = segment.max_timestamp();
    if (!greatest.ok() && greatest.error().code == Errc::io_error) return greatest.error();
    const TimestampMs latest =
        greatest.ok() && greatest->timestamp >= 0 ? greatest->timestamp : segment.known_since(now);
    ages.push_back({segment.size(), next, latest});
  }
  return expired_prefix(ages, config_, {now, log_start(), high_watermark});
}

Result<void> Log::Impl::delete_file(const std::string& path) {
  const std::string deleted = path + std::string(kDeletedSuffix);
  auto renamed = files_.file_system->rename(path, deleted);
  files_.file_cache->forget(path);
  if (!renamed.ok()) return renamed.error().code == Errc::not_found ? Result<void>() : renamed;
  deleted_files_.push_back(
      {deleted, clock_->steady() + std::chrono::milliseconds(config_.file_delete_delay_ms)});
  return {};
}

Result<void> Log::Impl::delete_segment(const Segment& segment) {
  for (const std::string_view suffix :
       {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
    TRY(delete_file(files_.path(segment.base_offset(), suffix)));
  }
  return {};
}

// The names may become durable in any order, and an old segment that comes back without the next one is a
// hole.
Result<void> Log::Impl::delete_durably(std::span<const std::shared_ptr<Segment>> segments) {
  for (const auto& segment : segments) {
    TRY(delete_segment(*segment));
    TRY(files_.file_system->sync_directory(files_.directory));
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

Result<std::int32_t> Log::Impl::clean_up(TimestampMs now, Offset high_watermark) {
  const std::lock_guard no_flush(flush_mutex_);
  const std::lock_guard lock(append_mutex_);
  if (health() == LogHealth::offline) return offline_error();
  producers_.expire(now, producer_id_expiration_ms_);
  std::size_t count = TRY(expired_count(now, high_watermark));
  if (count == segments_->size()) {
    if (health() == LogHealth::healthy) {
      TRY(roll_to(log_end_.offset()));
    } else {
      --count;
    }
  }
  if (count == 0) return 0;
  const SegmentList old = *segments_;
  SegmentList rest(old.begin() + static_cast<std::ptrdiff_t>(count), old.end());
  const Offset first = rest.front()->base_offset();
  // Readers turn to the new start before anything is taken away; those that have a slice keep its file.
  if (first > log_start()) move_log_start(first);
  publish_segments(std::move(rest));
  std::erase_if(sealed_, [&](const SealedSegment& sealed) { return sealed.segment->base_offset() < first; });
  const LogPosition synced = synced_end_.load();
  if (synced.segment_base < first) synced_end_.store(LogPosition{first, first, FilePosition(0)});
  recount_unflushed();
  auto deleted = delete_durably(std::span(old).first(count));
  if (!deleted.ok()) {
    // What of the old segments was never flushed may come back, and then must not lie below a recovery point.
    synced_end_.store(synced);
    return go_offline(std::move(deleted).error());
  }
  TRY(delete_snapshots_outside(first, log_end_.offset()));
  return static_cast<std::int32_t>(count);
}

Result<void> Log::Impl::remove_deleted_files(SteadyTime now) {
  std::vector<std::string> due;
  {
    const std::lock_guard lock(append_mutex_);
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
