#include <algorithm>
#include <optional>
#include <utility>

#include "storage/log_impl.h"

namespace sillok::storage {

using protocol::RecordBatchHeader;

// The batches of one call that go to the same segment, and so into one write.
struct Log::Impl::AppendGroup {
  std::vector<ByteView> parts;
  std::vector<AppendedBatch> batches;
  // What was known of the producers of its batches: they count with them before they are written.
  std::vector<std::pair<ProducerId, std::optional<ProducerEntry>>> producers_before;
  FilePosition end;  // in the segment
  Offset next_offset;
  TimestampMs now = kNoTimestamp;

  void start(FilePosition position) {
    parts.clear();
    batches.clear();
    producers_before.clear();
    end = position;
  }
  AppendedBatch next_batch(const RecordBatchHeader& header, Offset base) const {
    return {base, base + header.last_offset_delta, header.max_timestamp, end,
            static_cast<ByteCount>(header.size())};
  }
  void add(ByteView bytes, const AppendedBatch& batch) {
    parts.push_back(bytes);
    batches.push_back(batch);
    end += batch.size;
    next_offset = batch.last_offset + 1;
  }
  // One per thread, so that appends allocate nothing once it has grown.
  static AppendGroup& of_this_thread() {
    thread_local AppendGroup group;
    return group;
  }
};

namespace {

// From the first that is not in the log: whatever came after it was judged with it in there.
void mark_not_written(std::span<AppendEntry> entries, Offset log_end) {
  const auto is_left_out = [&](const AppendEntry& entry) {
    return entry.status == AppendStatus::not_written ||
           (entry.status == AppendStatus::appended && entry.last_offset >= log_end);
  };
  for (auto entry = std::find_if(entries.begin(), entries.end(), is_left_out); entry != entries.end();
       ++entry) {
    entry->status = AppendStatus::not_written;
    entry->base_offset = entry->last_offset = Offset(-1);
  }
}

Error too_large(ByteCount size, ByteCount limit) {
  return Error{Errc::too_large,
               "a batch of " + std::to_string(size) + " bytes, segment.bytes is " + std::to_string(limit)};
}

}  // namespace

Result<void> Log::Impl::write_group(AppendGroup& group) {
  if (group.batches.empty()) return {};
  const ByteCount size = group.end - active().end();
  TRY(active().append(group.parts, group.batches, config_));
  active().note_change(group.now);
  size_.fetch_add(size, std::memory_order_relaxed);
  unflushed_size_.fetch_add(size, std::memory_order_relaxed);
  log_end_.store(end_in_active(group.next_offset));
  group.start(active().end());
  return {};
}

// What of the call was written stays in the log. Where there was no room, or no descriptor, for the rest,
// that is as if it had never come.
Error Log::Impl::write_failed(Error cause, AppendGroup& group) {
  const bool rolled_back = active().roll_back().ok();
  const bool may_go_on = cause.code == Errc::no_space || cause.code == Errc::too_many_files;
  if (!may_go_on || !rolled_back) return go_offline(std::move(cause));
  for (auto before = group.producers_before.rbegin(); before != group.producers_before.rend(); ++before) {
    producers_.restore(before->first, before->second);
  }
  group.start(active().end());
  return cause;
}

void Log::Impl::update_producer(const RecordBatchHeader& header, AppendGroup& group, TimestampMs now) {
  if (!header.has_producer_id()) return;
  group.producers_before.emplace_back(header.producer_id, producers_.find(header.producer_id));
  producers_.append(header, now);
}

// The batch's place: behind the group, or in a new segment. Writes the group first where a new segment is
// due.
Result<AppendedBatch> Log::Impl::place(const RecordBatchHeader& header, Offset base, AppendGroup& group,
                                       TimestampMs now) {
  const AppendedBatch batch = group.next_batch(header, base);
  if (!active().should_roll(config_, batch, now)) return batch;
  TRY(write_group(group));
  TRY(roll_to(base));
  TRY(prepare_active(now));
  group.start(active().end());
  return group.next_batch(header, base);
}

Result<void> Log::Impl::add_entry(AppendEntry& entry, LeaderEpoch epoch, Offset base, AppendGroup& group,
                                  TimestampMs now) {
  const AppendedBatch batch = TRY(place(entry.header, base, group, now));
  entry.header.base_offset = base;
  entry.header.leader_epoch = epoch;
  protocol::set_base_offset(entry.batch, base);
  protocol::set_leader_epoch(entry.batch, epoch);
  entry.base_offset = base;
  entry.last_offset = batch.last_offset;
  entry.begin = LogPosition{base, active().base_offset(), batch.position};
  group.add(entry.batch, batch);
  entry.end = LogPosition{group.next_offset, active().base_offset(), group.end};
  return {};
}

Result<void> Log::Impl::append_as_leader(std::span<AppendEntry> entries, LeaderEpoch epoch) {
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  for (AppendEntry& entry : entries) {
    CHECK(entry.batch.size() == entry.header.size());
    entry.status = AppendStatus::not_written;
    entry.base_offset = entry.last_offset = Offset(-1);
  }
  const TimestampMs now = clock_->wall_ms();
  const LogPosition begin = log_end_.load();
  TRY(prepare_active(now));
  AppendGroup& group = AppendGroup::of_this_thread();
  group.now = now;
  group.start(active().end());
  const auto failed = [&](Error cause) -> Result<void> {
    Error error = write_failed(std::move(cause), group);
    if (health() == LogHealth::offline || log_end_.offset() == begin.offset) return error;
    mark_not_written(entries, log_end_.offset());
    return {};
  };
  Offset next = begin.offset;
  bool epoch_is_known = false;
  for (AppendEntry& entry : entries) {
    const bool fits = static_cast<ByteCount>(entry.batch.size()) <= config_.segment_bytes;
    const AppendStatus verdict = fits ? check_producer(entry) : AppendStatus::too_large;
    if (verdict != AppendStatus::appended) {
      entry.status = verdict;
      continue;
    }
    Result<void> done;
    if (!epoch_is_known) done = note_leader_epoch(epoch, next);
    epoch_is_known = true;
    if (done.ok()) done = add_entry(entry, epoch, next, group, now);
    if (!done.ok()) return failed(std::move(done).error());
    entry.status = AppendStatus::appended;
    update_producer(entry.header, group, now);
    next = entry.end.offset;
  }
  auto written = write_group(group);
  if (!written.ok()) return failed(std::move(written).error());
  return {};
}

Result<void> Log::Impl::append_as_follower(ByteView batches) {
  const std::lock_guard lock(append_mutex_);
  TRY(require_writable());
  const TimestampMs now = clock_->wall_ms();
  const LogPosition begin = log_end_.load();
  Offset next = begin.offset;
  // All of it is judged before any of it is written.
  std::vector<RecordBatchHeader> headers;
  for (ByteView left = batches; !left.empty(); left = left.subspan(headers.back().size())) {
    const RecordBatchHeader header = TRY(protocol::parse_record_batch_header(left));
    if (!is_plausible(header) || header.size() > left.size()) {
      return Error{Errc::invalid_record, "a batch that is not whole"};
    }
    if (header.base_offset < next) {
      return Error{Errc::invalid_record, "base offset " + std::to_string(header.base_offset.value) +
                                             " is below " + std::to_string(next.value) + ", the log end"};
    }
    TRY(protocol::check_crc(header, left.first(header.size())));
    if (static_cast<ByteCount>(header.size()) > config_.segment_bytes) {
      return too_large(static_cast<ByteCount>(header.size()), config_.segment_bytes);
    }
    headers.push_back(header);
    next = header.next_offset();
  }
  TRY(prepare_active(now));
  AppendGroup& group = AppendGroup::of_this_thread();
  group.now = now;
  group.start(active().end());
  for (const RecordBatchHeader& header : headers) {
    auto known = note_leader_epoch(header.leader_epoch, header.base_offset);
    if (!known.ok()) return write_failed(std::move(known).error(), group);
    const auto batch = place(header, header.base_offset, group, now);
    if (!batch.ok()) return write_failed(batch.error(), group);
    update_producer(header, group, now);
    group.add(batches.first(header.size()), *batch);
    batches = batches.subspan(header.size());
  }
  auto written = write_group(group);
  if (!written.ok()) return write_failed(std::move(written).error(), group);
  return {};
}

}  // namespace sillok::storage
