#include "broker/partition_move.h"

#include <algorithm>
#include <utility>

#include "protocol/record_batch_view.h"

namespace sillok::broker {

using storage::LogPosition;

PartitionMove::PartitionMove(std::shared_ptr<Partition> source, std::size_t to, Device& target,
                             std::shared_ptr<storage::Log> copy)
    : source_(std::move(source)), to_(to), target_(target), copy_(std::move(copy)) {}

std::int64_t PartitionMove::offset_lag() const {
  // The copy's end first: it may only be behind.
  const Offset copied = copy_->log_end().offset;
  return std::max<std::int64_t>(0, source_->log().log_end().offset - copied);
}

void PartitionMove::cancel() {
  is_cancelled_ = true;
  const std::lock_guard no_step(mutex_);
  copy_->retire();
}

Result<PartitionMove::Progress> PartitionMove::step(Bytes& buffer) {
  const std::lock_guard lock(mutex_);
  if (is_cancelled_) return Progress::cancelled;
  if (target_.space().is_short())
    return Error{Errc::no_space, copy_->directory() + ": the disk is nearly full"};
  const LogPosition end = source_->high_watermark();
  const bool is_more = TRY(copy_below(end, buffer));
  // What is dirty here makes whoever waits for a flush wait longer.
  if (copy_->unflushed_size() >= kMoveUnflushedMax) TRY(copy_->flush());
  if (is_more) return Progress::more;
  // Else pause() would have to, while appends wait.
  if (source_->log().unflushed_size() >= kMoveUnflushedMax) TRY(source_->log().flush());
  return Progress::caught_up;
}

Result<void> PartitionMove::finish(Bytes& buffer) {
  const std::lock_guard lock(mutex_);
  const LogPosition end = source_->log().log_end();
  while (TRY(copy_below(end, buffer))) {
  }
  TRY(copy_->set_log_start(source_->log().log_start()));
  TRY(copy_->take_history_of(source_->log()));
  return copy_->close();
}

Result<bool> PartitionMove::copy_below(const LogPosition& end, Bytes& buffer) {
  const Offset start = source_->log().log_start();
  // Retention was quicker, or DeleteRecords: what is in between is wanted no more.
  if (copy_->log_end().offset < start) TRY(copy_->truncate_fully_and_start_at(start));
  const Offset from = copy_->log_end().offset;
  if (from >= end.offset) return false;
  auto batches = read_batches(end, buffer);
  if (!batches.ok() && from < source_->log().log_start()) return true;
  const ByteView found = TRY(std::move(batches));
  const auto first = TRY(protocol::parse_record_batch_header(found));
  // The log may start inside a batch, which is copied whole.
  if (first.base_offset < from && copy_->size() == 0)
    TRY(copy_->truncate_fully_and_start_at(first.base_offset));
  TRY(append(found));
  target_.space().note_written(static_cast<ByteCount>(found.size()));
  copied_ += static_cast<ByteCount>(found.size());
  return copy_->log_end().offset < end.offset;
}

Result<ByteView> PartitionMove::read_batches(const LogPosition& end, Bytes& buffer) const {
  const Offset from = copy_->log_end().offset;
  const storage::FileSlice slice =
      TRY(source_->log().read(from, end, static_cast<ByteCount>(kMoveStepBytes),
                              storage::Log::FirstBatch::whole, storage::IoMode::may_block));
  if (slice.size == 0) {
    return Error{Errc::corrupt,
                 source_->log().directory() + ": no batch from offset " + std::to_string(from.value) + " on"};
  }
  buffer.resize(static_cast<std::size_t>(slice.size));
  // What nobody read before is not to push out of memory what others read.
  const bool was_cold = !slice.file->is_resident(slice.position, slice.size);
  const std::size_t size = TRY(slice.file->read_at(slice.position, buffer));
  if (was_cold) slice.file->give_back(slice.position, slice.size);
  ByteView left = ByteView(buffer).first(size);
  while (!left.empty()) {
    const auto header = protocol::parse_record_batch_header(left);
    if (!header.ok() || header->size() > left.size()) break;
    left = left.subspan(header->size());
  }
  const ByteView whole = ByteView(buffer).first(size - left.size());
  if (whole.empty())
    return Error{Errc::corrupt, source_->log().directory() + ": a batch that is not whole, at offset " +
                                    std::to_string(from.value)};
  return whole;
}

// segment.bytes may have been larger when a batch was written.
Result<void> PartitionMove::append(ByteView batches) {
  auto appended = copy_->append_as_follower(batches);
  if (appended.ok() || appended.error().code != Errc::too_large) return appended;
  const std::shared_ptr<const storage::LogConfig> config = source_->config();
  storage::LogConfig roomy = *config;
  roomy.segment_bytes = std::max(roomy.segment_bytes, static_cast<ByteCount>(batches.size()));
  copy_->set_config(roomy);
  appended = copy_->append_as_follower(batches);
  copy_->set_config(*source_->config());
  return appended;
}

}  // namespace sillok::broker
