#include "broker/partition.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/device_use.h"
#include "broker/error_mapping.h"
#include "broker/fine_retention.h"
#include "broker/take_out.h"
#include "storage/blocking_guard.h"

namespace sillok::broker {

using protocol::ErrorCode;
using storage::AppendEntry;
using storage::AppendStatus;
using storage::LogPosition;

namespace {

constexpr std::size_t kSpareListsMax = 64;
// Of the lists of notices, in entries. Longer ones are not kept.
constexpr std::size_t kKeptNoticesMax = 256;
// The queue's own memory, in entries, that an empty one keeps.
constexpr std::size_t kKeptQueueMax = 64;

// Of this thread, so that a round of appends allocates nothing and an idle partition holds nothing.
std::vector<std::vector<AppendRequest>>& spare_lists() {
  thread_local std::vector<std::vector<AppendRequest>> lists;
  return lists;
}

ErrorCode append_error(AppendStatus status) {
  switch (status) {
    case AppendStatus::appended:
    case AppendStatus::duplicate:
      return ErrorCode::none;
    case AppendStatus::out_of_order_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case AppendStatus::producer_fenced:
      return ErrorCode::invalid_producer_epoch;
    case AppendStatus::not_written:
      return ErrorCode::kafka_storage_error;
    case AppendStatus::too_large:
      return ErrorCode::message_too_large;
  }
  return ErrorCode::unknown_server_error;
}

std::optional<TimestampMs> append_time(const AppendRequest& request, const AppendEntry& entry) {
  if (entry.status == AppendStatus::duplicate) return entry.original_time;
  if (request.timestamp_type != protocol::TimestampType::log_append_time) return std::nullopt;
  return request.header.max_timestamp;
}

void stamp(AppendRequest& request, TimestampMs now) {
  protocol::set_log_append_time(request.batch, now);
  request.header.max_timestamp = now;
}

}  // namespace

Partition::NoticeLists& Partition::Notices::kept() {
  thread_local NoticeLists lists;
  return lists;
}

Partition::Notices::Notices() : NoticeLists(std::exchange(kept(), {})) {}

Partition::Notices::~Notices() {
  durable.clear();
  woken.clear();
  if (durable.capacity() <= kKeptNoticesMax) kept().durable.swap(durable);
  if (woken.capacity() <= kKeptNoticesMax) kept().woken.swap(woken);
}

Partition::Partition(std::string topic, PartitionIndex index, std::unique_ptr<storage::Log> log,
                     Device& device, const storage::LogConfig& config)
    : topic_(std::move(topic)),
      index_(index),
      device_(device),
      log_(std::move(log)),
      config_(std::make_shared<const storage::LogConfig>(config)) {
  fine_retention_ = broker::has_fine_retention(config);
  const LogPosition durable = log_->journaled_end();
  durable_end_.store(durable);
  high_watermark_.store(durable);
  accounted_end_ = log_->log_end();
}

Partition::~Partition() = default;

std::shared_ptr<const storage::LogConfig> Partition::config() const {
  const std::lock_guard lock(queue_mutex_);
  return config_;
}

void Partition::set_config(const storage::LogConfig& config) {
  auto next = std::make_shared<const storage::LogConfig>(config);
  {
    const std::lock_guard lock(queue_mutex_);
    config_ = std::move(next);
  }
  fine_retention_.store(broker::has_fine_retention(config), std::memory_order_relaxed);
  log_->set_config(config);
}

Result<void> Partition::lead(LeaderEpoch epoch) {
  if (epoch > log_->latest_leader_epoch()) TRY(log_->assign_leader_epoch(epoch));
  leader_epoch_.store(epoch.value, std::memory_order_release);
  const LogPosition end = log_->log_end();
  const LogPosition synced = log_->synced_end();
  epoch_start_.store(end.offset.value, std::memory_order_release);
  if (synced < end) {
    {
      const std::lock_guard lock(state_mutex_);
      const LogPosition durable = durable_end_.load();
      if (durable < end) undurable_.push_back({durable, end, nullptr, 0, {}});
      unflushed_bytes_ = log_->unflushed_size();
      device_.add_unflushed(unflushed_bytes_, shared_from_this());
    }
    device_.flusher().request(shared_from_this());
  }
  return {};
}

void Partition::append(AppendRequest request) {
  DeviceUse::note(device_);
  const Intake intake = take_in(request);
  switch (intake) {
    case Intake::refused:
      return fail({&request, 1}, refusal());
    case Intake::handed_over:
      return successor_->append(std::move(request));  // it never changes
    case Intake::gathered:
    case Intake::queued:
      return;
    case Intake::queued_first:
      return leave_to_writer();
    case Intake::mine:
      break;
  }
  if (AppendRound* const round = AppendRound::current()) return round->add(shared_from_this());
  write({&request, 1});
  drain(kInlineRoundsMax);
}

void Partition::write_gathered() {
  std::vector<AppendRequest> requests;
  {
    const std::lock_guard lock(queue_mutex_);
    requests.swap(gathered_);
    gathering_ = nullptr;
  }
  write(requests);
  requests.clear();
  if (std::vector<std::vector<AppendRequest>>& spare = spare_lists(); spare.size() < kSpareListsMax)
    spare.push_back(std::move(requests));
  drain(kInlineRoundsMax);
}

Partition::Intake Partition::take_in(AppendRequest& request) {
  const std::lock_guard lock(queue_mutex_);
  if (successor_) return Intake::handed_over;
  if (stopped_.load(std::memory_order_relaxed) || storage_failed_.load(std::memory_order_relaxed) ||
      queue_.size() >= kQueuedAppendsMax) {
    return Intake::refused;
  }
  const AppendRound* const round = AppendRound::current();
  // Not before what another thread queued meanwhile, which may be the producer's batch before this one.
  if (round != nullptr && gathering_ == round && queue_.empty()) {
    gathered_.push_back(std::move(request));
    return Intake::gathered;
  }
  const bool is_held = paused_.load(std::memory_order_relaxed);
  const bool first = !is_held && !std::exchange(writing_, true);
  if (first && !device_.is_full() && device_.is_calm()) {
    gathering_ = round;
    if (round != nullptr) {
      if (std::vector<std::vector<AppendRequest>>& spare = spare_lists(); !spare.empty()) {
        gathered_ = std::move(spare.back());
        spare.pop_back();
      }
      gathered_.push_back(std::move(request));
    }
    return Intake::mine;
  }
  Bytes owned(request.batch.begin(), request.batch.end());
  device_.add_queued(static_cast<ByteCount>(owned.size()));
  queue_.push_back({std::move(owned), std::move(request)});
  return first ? Intake::queued_first : Intake::queued;
}

ErrorCode Partition::refusal() const {
  if (storage_failed_.load(std::memory_order_relaxed)) return ErrorCode::kafka_storage_error;
  if (stopped_.load(std::memory_order_acquire)) return stop_error();
  return ErrorCode::request_timed_out;  // too many wait already
}

// Requires: writing_ is this caller's.
void Partition::leave_to_writer() {
  device_.when_not_full([self = shared_from_this()] {
    self->device_.writer().post([self] { self->drain(std::numeric_limits<int>::max()); });
  });
}

// Requires: writing_ was set by the caller. Ends with it cleared, or handed to the writer thread.
void Partition::drain(int rounds_max) {
  std::vector<QueuedAppend> taken;
  std::vector<AppendRequest> requests;
  for (int round = 0;; ++round) {
    taken.clear();
    requests.clear();
    {
      const std::lock_guard lock(queue_mutex_);
      const bool is_held = paused_.load(std::memory_order_relaxed);
      if (is_held || queue_.empty()) {
        writing_ = false;
        if (is_held) idle_.notify_all();
        return;
      }
      if (round < rounds_max && !device_.is_full()) {
        for (std::size_t i = 0; i < queue_.size(); ++i) taken.push_back(std::move(queue_[i]));
        queue_.clear();
        if (taken.size() > kKeptQueueMax) queue_.release();
      }
    }
    if (taken.empty()) return leave_to_writer();
    ByteCount byte_count = 0;
    for (QueuedAppend& queued : taken) {
      byte_count += static_cast<ByteCount>(queued.batch.size());
      queued.request.batch = queued.batch;
      requests.push_back(std::move(queued.request));
    }
    write(requests);
    device_.remove_queued(byte_count);
  }
}

void Partition::write(std::span<AppendRequest> requests) {
  const bool is_over = storage_failed_.load(std::memory_order_relaxed) || is_stopped();
  if (is_over) return fail(requests, refusal());
  // What was queued while there was room may be more than what is kept free.
  if (!has_room()) return fail(requests, ErrorCode::kafka_storage_error);
  entries_.clear();
  for (AppendRequest& request : requests) {
    if (request.timestamp_type == protocol::TimestampType::log_append_time)
      stamp(request, device_.clock().wall_ms());
    AppendEntry& entry = entries_.emplace_back();
    entry.batch = request.batch;
    entry.header = request.header;
  }
  const storage::AllowBlocking until_appended;
  const auto began = device_.clock().steady();
  const Result<void> appended = log_->append_as_leader(entries_, leader_epoch());
  device_.note_append(began, device_.clock().steady());
  if (!appended.ok()) {
    const storage::LogHealth health = log_->health();
    if (health == storage::LogHealth::offline) go_offline(appended.error());
    const bool log_is_ill = health != storage::LogHealth::healthy;
    return fail(requests, log_is_ill ? ErrorCode::kafka_storage_error : produce_error(appended.error()));
  }
  after_write(requests, entries_);
}

void Partition::after_write(std::span<AppendRequest> requests, std::span<const AppendEntry> entries) {
  const std::shared_ptr<const storage::LogConfig> config = this->config();
  const Offset log_start = log_->log_start();
  Written written;
  Notices notices;
  bool will_be_flushed = false;
  bool is_over = false;
  {
    const std::lock_guard lock(state_mutex_);
    // Then stop() or go_offline() have been through the lists, and nobody would answer what comes in.
    is_over = is_stopped() || storage_failed_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      AppendRequest& request = requests[i];
      const AppendEntry& entry = entries[i];
      const bool wrote = entry.status == AppendStatus::appended;
      if (wrote) {
        CHECK(entry.end.offset > accounted_end_.offset);
        written.record_count += request.header.record_count;
        written.byte_count += static_cast<ByteCount>(request.batch.size());
        written.rolled |= entry.end.segment_base != accounted_end_.segment_base;
        accounted_end_ = entry.end;
      }
      bool must_be_durable = request.acks == Acks::all && !config->write_caching;
#ifdef SILLOK_PLANTED_BUG_ANSWER_BEFORE_FSYNC
      must_be_durable = false;
#endif
      if (!must_be_durable || is_over) continue;
      const AppendResult result{ErrorCode::none, entry.base_offset, log_start, append_time(request, entry)};
      if (wrote) {
        undurable_.push_back({entry.begin, entry.end, std::move(request.sink), request.index, result});
        written.has_waiter = true;
      } else if (entry.status == AppendStatus::duplicate && entry.last_offset >= durable_end_.offset()) {
        LogPosition end;
        end.offset = entry.last_offset + 1;
        undurable_repeats_.push_back({end, end, std::move(request.sink), request.index, result});
        written.has_waiter = true;
      }
    }
    // Kafka's flush settings leave flushing to the kernel, whose own limits then are the cap.
    will_be_flushed = written.has_waiter || config->flush_ms != storage::kForever;
    unflushed_records_ += written.record_count;
    if (will_be_flushed) unflushed_bytes_ += written.byte_count;
    advance_high_watermark(notices);
  }
  device_.space().note_written(written.byte_count);
  device_.add_unflushed(will_be_flushed ? written.byte_count : 0, shared_from_this());
  request_flush(written, *config);
  tell(notices);  // before the answers: who has one finds its records in the next fetch
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i].sink) continue;  // waits for the disk
    AppendResult result{append_error(entries[i].status), entries[i].base_offset, log_start,
                        append_time(requests[i], entries[i])};
    if (is_over && result.error == ErrorCode::none && requests[i].acks == Acks::all) result.error = refusal();
    if (result.error != ErrorCode::none) result.base_offset = Offset(-1);
    requests[i].sink->appended(requests[i].index, result);
  }
}

void Partition::request_flush(const Written& written, const storage::LogConfig& config) {
  if (written.has_waiter) request_durability();
  // A roll syncs the old segment soon, so that little is left to recover.
  bool now = written.rolled;
  if (!now && written.record_count > 0 && config.flush_messages != storage::kForever) {
    const std::lock_guard lock(state_mutex_);
    now = unflushed_records_ >= config.flush_messages;
  }
  if (now) {
    device_.flusher().request(shared_from_this());
  } else if (written.record_count > 0 && config.flush_ms != storage::kForever) {
    device_.flusher().request_within(shared_from_this(), std::chrono::milliseconds(config.flush_ms));
  }
}

void Partition::fail(std::span<AppendRequest> requests, ErrorCode error) {
  for (AppendRequest& request : requests) {
    if (request.sink) request.sink->appended(request.index, {error});
  }
}

void Partition::flush() {
  // One that moved away: another partition, which may be back in this directory, has its place in the
  // journal.
  if (is_stopped() || storage_failed_.load(std::memory_order_relaxed)) return;
  if (log_->health() == storage::LogHealth::offline) {
    return go_offline({Errc::offline, "an operation on the log failed before"});
  }
  ByteCount bytes = 0;
  {
    const std::lock_guard lock(state_mutex_);
    bytes = std::exchange(unflushed_bytes_, 0);
    unflushed_records_ = 0;
    // Now and then, so that an idle partition holds little.
    if (undurable_.empty()) undurable_.release();
  }
  storage::Journal* const journal = is_journaled() ? device_.journal() : nullptr;
  if (journal != nullptr) journal->sync_begins(journal_key());
  const Result<LogPosition> synced = log_->flush();
  if (journal != nullptr && synced.ok()) journal->sync_succeeded(journal_key());
  if (!synced.ok() && synced.error().code == Errc::too_many_files) return flush_later(bytes);
  device_.remove_unflushed(bytes, this);
  if (!synced.ok() && synced.error().code == Errc::closed) return;
  if (!synced.ok()) return go_offline(synced.error());
  complete_up_to(*synced);
}

// Nothing failed that was tried: all of it is still to be flushed, and is counted as before.
void Partition::flush_later(ByteCount bytes) {
  {
    const std::lock_guard lock(state_mutex_);
    if (!is_stopped()) unflushed_bytes_ += std::exchange(bytes, 0);
  }
  if (bytes > 0) return device_.remove_unflushed(bytes, this);
  device_.flusher().request_within(shared_from_this(), kFlushRetryDelay);
}

void Partition::take_undurable(Notices& notices) {
  for (std::size_t i = 0; i < undurable_.size(); ++i) notices.durable.push_back(std::move(undurable_[i]));
  std::move(undurable_repeats_.begin(), undurable_repeats_.end(), std::back_inserter(notices.durable));
  undurable_.clear();
  undurable_.release();
  undurable_repeats_.clear();
}

void Partition::advance_durable_end(const LogPosition& synced, Notices& notices) {
  if (synced.offset > durable_end_.offset()) durable_end_.store(synced);
  const Offset durable = durable_end_.offset();
  while (!undurable_.empty() && undurable_.front().end.offset <= durable) {
    notices.durable.push_back(std::move(undurable_.front()));
    undurable_.pop_front();
  }
  take_out(
      undurable_repeats_, [&](const UndurableBatch& repeat) { return repeat.end.offset <= durable; },
      [&](UndurableBatch repeat) { notices.durable.push_back(std::move(repeat)); });
}

void Partition::advance_high_watermark(Notices& notices) {
  // What waited was refused, is in no list any more, and may be lost: a round or append that was under way
  // must not show it.
  if (storage_failed_.load(std::memory_order_relaxed)) return;
  LogPosition next = undurable_.empty() ? accounted_end_ : undurable_.front().begin;
#ifdef SILLOK_PLANTED_BUG_HIGH_WATERMARK_AHEAD
  next = accounted_end_;
#endif
  if (next.offset <= high_watermark_.offset()) return;
  high_watermark_.store(next);
  take_out(
      waiters_, [&](const Waiter& waiter) { return waiter.offset < next.offset; },
      [&](Waiter waiter) { notices.woken.push_back(std::move(waiter)); });
}

void Partition::tell(Notices& notices) {
  for (Waiter& waiter : notices.woken) {
    MoveListener& listener = *waiter.listener;
    listener.moved(waiter.tag, std::move(waiter.listener));
  }
  for (UndurableBatch& batch : notices.durable) {
    if (batch.sink) batch.sink->appended(batch.index, batch.result);
  }
}

bool Partition::wait_beyond(Offset offset, std::shared_ptr<MoveListener> listener, std::uint64_t tag) {
  const std::lock_guard lock(state_mutex_);
  if (high_watermark_.offset() > offset || stopped_.load(std::memory_order_acquire)) return false;
  waiters_.push_back({offset, std::move(listener), tag});
  return true;
}

void Partition::cancel_wait(const MoveListener* listener) {
  Notices cancelled;  // destroyed after the lock is gone
  const std::lock_guard lock(state_mutex_);
  take_out(
      waiters_, [&](const Waiter& entry) { return entry.listener.get() == listener; },
      [&](Waiter entry) { cancelled.woken.push_back(std::move(entry)); });
}

void Partition::go_offline(const Error& error) {
  if (storage_failed_.exchange(true)) return;
  spdlog::error("partition {}-{} is offline: {}", topic_, index_.value, error.describe());
  Notices notices;
  ByteCount bytes = 0;
  {
    const std::lock_guard lock(state_mutex_);
    take_undurable(notices);
    bytes = std::exchange(unflushed_bytes_, 0);
  }
  device_.remove_unflushed(bytes, this);
  for (UndurableBatch& batch : notices.durable)
    batch.result = {ErrorCode::kafka_storage_error, Offset(-1), Offset(-1)};
  tell(notices);
}

void Partition::stop(ErrorCode error) {
  Notices notices;
  Ring<QueuedAppend> queued;
  ByteCount bytes = 0;
  {
    const std::lock_guard queue_lock(queue_mutex_);
    stop_error_.store(error, std::memory_order_relaxed);
    stopped_.store(true, std::memory_order_release);
    queued = std::exchange(queue_, {});
    const std::lock_guard lock(state_mutex_);
    take_undurable(notices);
    for (Waiter& waiter : waiters_) notices.woken.push_back(std::move(waiter));
    waiters_.clear();
    bytes = std::exchange(unflushed_bytes_, 0);
  }
  device_.remove_unflushed(bytes, this);
  for (UndurableBatch& batch : notices.durable) batch.result = {error, Offset(-1), Offset(-1)};
  tell(notices);
  refuse_queued(queued, error);
}

void Partition::refuse_queued(Ring<QueuedAppend>& queued, ErrorCode error) {
  for (std::size_t i = 0; i < queued.size(); ++i) {
    QueuedAppend& append = queued[i];
    device_.remove_queued(static_cast<ByteCount>(append.batch.size()));
    fail({&append.request, 1}, error);
  }
}

void Partition::check_invariants() const {
  const std::lock_guard lock(state_mutex_);
  const Offset end = log_->log_end().offset;
  CHECK(durable_end_.offset() <= end);
  CHECK(high_watermark_.offset() <= end);
  if (!undurable_.empty()) CHECK(high_watermark_.offset() <= undurable_.front().begin.offset);
}

}  // namespace sillok::broker
