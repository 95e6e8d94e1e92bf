#include "storage/log.h"

#include <atomic>
#include <utility>

#include "storage/log_impl.h"
#include "storage/segment_recovery.h"

namespace sillok::storage {

void Log::Impl::publish_log_start(Offset offset) {
  log_start_.store(offset.value, std::memory_order_release);
}

Log::Impl::Impl(const LogOptions& options, const TopicId& topic_id)
    : files_{options.file_system, options.file_cache, options.directory},
      clock_(options.clock),
      topic_id_(topic_id),
      incarnation_(options.incarnation),
      segments_(std::make_shared<const SegmentList>()),
      config_(options.config) {
  CHECK(options.file_system != nullptr && options.file_cache != nullptr && options.clock != nullptr);
}

std::shared_ptr<const SegmentList> Log::Impl::segments() const {
  const std::lock_guard lock(segments_mutex_);
  return segments_;
}

void Log::Impl::publish_segments(SegmentList list) {
  ByteCount size = 0;
  for (const auto& segment : list) size += segment->size();
  auto shared = std::make_shared<const SegmentList>(std::move(list));
  size_.store(size, std::memory_order_relaxed);
  const std::lock_guard lock(segments_mutex_);
  segments_.swap(shared);
}

Error Log::Impl::offline_error() const {
  return Error{Errc::segment_failed, files_.directory + ": an earlier write or flush failed"};
}

Error Log::Impl::go_offline(Error cause) {
  health_.store(LogHealth::offline, std::memory_order_release);
  return cause;
}

void Log::Impl::mark_degraded() {
  LogHealth expected = LogHealth::healthy;
  health_.compare_exchange_strong(expected, LogHealth::degraded, std::memory_order_acq_rel);
}

Result<void> Log::Impl::require_open() const {
  if (is_closed_) return Error{Errc::closed, files_.directory + ": the log is closed, or deleted"};
  return {};
}

Result<void> Log::Impl::require_writable() const {
  TRY(require_open());
  switch (health()) {
    case LogHealth::healthy:
      return {};
    case LogHealth::degraded:
      return Error{Errc::corrupt, files_.directory + ": durable bytes are damaged, so nothing is appended"};
    case LogHealth::offline:
      break;
  }
  return offline_error();
}

LogPosition Log::Impl::end_in_active(Offset offset) const {
  return LogPosition{offset, active().base_offset(), active().end()};
}

Result<void> Log::Impl::roll_to(Offset base) {
  const std::shared_ptr<Segment> old = segments_->back();
  if (old->size() == 0 && old->base_offset() == base) return {};
  auto created = Segment::create(&files_, base);
  if (!created.ok()) {
    // What there is of it is in the way of the next try; but never a file that was there before.
    if (created.error().code != Errc::already_exists) (void)remove_segment_files(base);
    return std::move(created).error();
  }
  sealed_.push_back({old, base, producers_.snapshot()});
  directory_unsynced_ = true;
  SegmentList list = *segments_;
  list.push_back(std::move(*created));
  publish_segments(std::move(list));
  log_end_.store(LogPosition{log_end_.offset(), base, FilePosition(0)});
  return {};
}

Result<void> Log::Impl::prepare_active(TimestampMs now) {
  auto prepared = active().prepare_appends(now);
  if (!prepared.ok()) {
    if (prepared.error().code != Errc::malformed && prepared.error().code != Errc::not_found) return prepared;
    TRY(rebuild_indexes(active(), config_));
    TRY(active().prepare_appends(now));
  }
  // Now, while nothing counts with the batches that come.
  return active().hold_file();
}

Result<void> Log::Impl::give_back_reserved() {
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  return active().give_back_reserved();
}

void Log::Impl::release_if_idle() {
  const LogPosition end = log_end_.load();
  if (end == end_at_last_look_ && end == synced_end_.load()) active().release_file();
  end_at_last_look_ = end;
}

Result<void> Log::Impl::remove_segment_files(Offset base) {
  for (const std::string_view suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix}) {
    files_.forget(base, suffix);
    auto removed = files_.file_system->remove(files_.path(base, suffix));
    if (!removed.ok() && removed.error().code != Errc::not_found) return removed;
  }
  return {};
}

Result<void> Log::Impl::roll() {
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  auto rolled = roll_to(log_end_.offset());
  if (!rolled.ok() && rolled.error().code == Errc::io_error) return go_offline(std::move(rolled).error());
  return rolled;
}

void Log::Impl::retire() {
  const std::scoped_lock nothing_runs(removal_mutex_, flush_mutex_, append_mutex_);
  is_closed_ = true;
  files_.is_retired = true;
  // Whoever still has the log does not keep the blocks of what is deleted.
  for (const SealedSegment& each : sealed_) each.segment->release_file();
  active().release_file();
}

void Log::Impl::set_config(const LogConfig& config) {
  const std::lock_guard lock(append_mutex_);
  config_ = config;
}

void Log::Impl::move_log_start(Offset offset) {
  publish_log_start(offset);
  const std::lock_guard lock(epochs_mutex_);
  epochs_.truncate_from_start(offset);
}

Result<void> Log::Impl::set_log_start(Offset offset) {
  const std::lock_guard lock(append_mutex_);
  if (offset > log_end_.offset()) {
    return Error{Errc::offset_out_of_range,
                 "log start " + std::to_string(offset.value) + " is past the log end"};
  }
  if (offset > log_start()) move_log_start(offset);
  return {};
}

void Log::Impl::check_invariants() {
  const std::lock_guard lock(append_mutex_);
  const LogPosition end = log_end_.load();
  const LogPosition synced = synced_end_.load();
  CHECK(!segments_->empty());
  CHECK(log_start() <= end.offset && synced.offset <= end.offset);
  CHECK(end.segment_base == active().base_offset() && end.position == active().end());
  ByteCount size = 0;
  for (std::size_t i = 0; i < segments_->size(); ++i) {
    Segment& segment = *(*segments_)[i];
    CHECK(i == 0 || (*segments_)[i - 1]->base_offset() < segment.base_offset());
    CHECK(segment.base_offset() <= end.offset);
    segment.check_invariants();
    size += segment.size();
  }
  CHECK(size == this->size());
  CHECK(unflushed_size() >= 0);
  if (health() == LogHealth::healthy && unflushed_size() == 0)
    CHECK(sealed_.empty() || synced.offset == end.offset);
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options, RecoveryReport& report) {
  // Not TRY inside `new`: it would return between the allocation and the constructor.
  auto impl = TRY(Impl::open(options, report));
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}
Result<void> Log::append_as_leader(std::span<AppendEntry> entries, LeaderEpoch epoch) {
  return impl_->append_as_leader(entries, epoch);
}
Result<void> Log::append_as_follower(ByteView batches) { return impl_->append_as_follower(batches); }
Result<FileSlice> Log::read(Offset from, const LogPosition& upper_bound, ByteCount limit,
                            FirstBatch first_batch, IoMode mode) const {
  return impl_->read(from, upper_bound, limit, first_batch, mode);
}
Result<std::optional<TimestampAndOffset>> Log::find_timestamp(TimestampMs timestamp,
                                                              Offset upper_bound) const {
  return impl_->find_timestamp(timestamp, upper_bound);
}
Result<Offset> Log::find_expired_end(TimestampMs deadline, TimestampMs now, Offset upper_bound) {
  return impl_->find_expired_end(deadline, now, upper_bound);
}
Result<std::optional<TimestampAndOffset>> Log::find_max_timestamp(Offset upper_bound) const {
  return impl_->find_max_timestamp(upper_bound);
}
Result<void> Log::give_back_reserved() { return impl_->give_back_reserved(); }
Offset Log::log_start() const { return impl_->log_start(); }
LogPosition Log::log_end() const { return impl_->log_end(); }
LogPosition Log::synced_end() const { return impl_->synced_end(); }
LogPosition Log::journaled_end() const { return impl_->journaled_end(); }
LogHealth Log::health() const { return impl_->health(); }
ByteCount Log::size() const { return impl_->size(); }
ByteCount Log::unflushed_size() const { return impl_->unflushed_size(); }
std::size_t Log::segment_count() const { return impl_->segment_count(); }
const TopicId& Log::topic_id() const { return impl_->topic_id(); }
const std::string& Log::directory() const { return impl_->directory(); }
Result<LogPosition> Log::flush() { return impl_->flush(); }
Result<void> Log::find_ranges(const LogPosition& from, const LogPosition& to,
                              std::vector<SegmentRange>& ranges) const {
  return impl_->find_ranges(from, to, ranges);
}
RecoveryPoint Log::recovery_point() const { return impl_->recovery_point(); }
Result<std::int32_t> Log::clean_up(TimestampMs now, Offset high_watermark) {
  return impl_->clean_up(now, high_watermark);
}
Result<void> Log::remove_deleted_files(SteadyTime now) { return impl_->remove_deleted_files(now); }
Result<std::vector<SegmentAge>> Log::segment_ages(TimestampMs now) { return impl_->segment_ages(now); }
Result<void> Log::set_log_start(Offset offset) { return impl_->set_log_start(offset); }
Result<void> Log::truncate_to(Offset offset) { return impl_->truncate_to(offset); }
Result<void> Log::truncate_fully_and_start_at(Offset offset) {
  return impl_->truncate_fully_and_start_at(offset);
}
Result<void> Log::roll() { return impl_->roll(); }
void Log::set_config(const LogConfig& config) { impl_->set_config(config); }
LeaderEpoch Log::latest_leader_epoch() const { return impl_->latest_leader_epoch(); }
Result<void> Log::assign_leader_epoch(LeaderEpoch epoch) { return impl_->assign_leader_epoch(epoch); }
Log::EpochEnd Log::end_offset_for_epoch(LeaderEpoch requested) const {
  return impl_->end_offset_for_epoch(requested);
}
LeaderEpoch Log::leader_epoch_at(Offset offset) const { return impl_->leader_epoch_at(offset); }
std::vector<ProducerSnapshotEntry> Log::producers() const { return impl_->producers(); }
Result<void> Log::take_history_of(const Log& other) { return impl_->take_history_of(*other.impl_); }
Result<void> Log::close() { return impl_->close(); }
void Log::retire() { impl_->retire(); }
bool Log::is_retired() const { return impl_->is_retired(); }
void Log::check_invariants() const { impl_->check_invariants(); }

}  // namespace sillok::storage
