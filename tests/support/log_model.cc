#include "tests/support/log_model.h"

#include <algorithm>

#include "protocol/base/check.h"

namespace sillok::tests {
namespace {

using storage::AppendStatus;

constexpr std::size_t kRememberedBatches = 5;

std::int32_t following_sequence(std::int32_t last) { return last == 0x7fffffff ? 0 : last + 1; }

}  // namespace

void LogModel::append(Bytes stored) {
  ModelBatch added;
  added.header = header_of(stored);
  for (const OwnedRecord& record : read_records(stored)) added.timestamps.push_back(record.timestamp);
  added.bytes = std::move(stored);
  CHECK(added.header.base_offset == log_end());
  batches_.push_back(std::move(added));
}

void LogModel::truncate_to(Offset offset) {
  while (!batches_.empty() && batches_.back().header.last_offset() >= offset) batches_.pop_back();
  if (log_end() < log_start_) start_empty_at(log_start_);
}

void LogModel::start_empty_at(Offset offset) {
  batches_.clear();
  first_ = log_start_ = offset;
}

std::size_t LogModel::find(Offset offset) const {
  const auto place = std::lower_bound(
      batches_.begin(), batches_.end(), offset,
      [](const ModelBatch& batch, Offset wanted) { return batch.header.last_offset() < wanted; });
  return static_cast<std::size_t>(place - batches_.begin());
}

bool LogModel::is_boundary(Offset offset) const {
  const std::size_t index = find(offset);
  return index == batches_.size() ? offset == log_end() : batches_[index].header.base_offset == offset;
}

ByteCount LogModel::size_from(Offset offset) const {
  ByteCount size = 0;
  for (std::size_t i = find(offset); i < batches_.size(); ++i)
    size += static_cast<ByteCount>(batches_[i].bytes.size());
  return size;
}

std::vector<protocol::RecordBatchHeader> LogModel::remembered(ProducerId id) const {
  std::vector<protocol::RecordBatchHeader> last;
  for (auto batch = batches_.rbegin(); batch != batches_.rend() && last.size() < kRememberedBatches;
       ++batch) {
    if (batch->header.producer_id != id) continue;
    if (!last.empty() && batch->header.producer_epoch != last.front().producer_epoch) break;
    last.push_back(batch->header);
  }
  std::reverse(last.begin(), last.end());
  return last;
}

LogModel::Verdict LogModel::judge(const protocol::RecordBatchHeader& header) const {
  const Verdict appended{AppendStatus::appended, log_end(), log_end() + header.last_offset_delta};
  if (!header.has_producer_id()) return appended;
  const auto last = remembered(header.producer_id);
  if (last.empty()) return appended;
  const ProducerEpoch epoch = last.back().producer_epoch;
  if (header.producer_epoch < epoch) return {AppendStatus::producer_fenced};
  if (header.producer_epoch > epoch) {
    return header.base_sequence == 0 ? appended : Verdict{AppendStatus::out_of_order_sequence};
  }
  for (const protocol::RecordBatchHeader& seen : last) {
    if (seen.base_sequence == header.base_sequence && seen.last_offset_delta == header.last_offset_delta) {
      return {AppendStatus::duplicate, seen.base_offset, seen.last_offset()};
    }
  }
  const bool follows = header.base_sequence == following_sequence(last.back().last_sequence());
  return follows ? appended : Verdict{AppendStatus::out_of_order_sequence};
}

std::optional<LogModel::Found> LogModel::find_timestamp(TimestampMs timestamp, Offset upper_bound) const {
  for (const ModelBatch& batch : batches_) {
    for (std::size_t i = 0; i < batch.timestamps.size(); ++i) {
      const Offset offset = batch.header.base_offset + static_cast<std::int64_t>(i);
      if (offset < log_start_ || offset >= upper_bound || batch.timestamps[i] < timestamp) continue;
      return Found{batch.timestamps[i], offset};
    }
  }
  return std::nullopt;
}

std::optional<LogModel::Found> LogModel::find_max_timestamp(Offset upper_bound) const {
  std::optional<Found> best;
  for (const ModelBatch& batch : batches_) {
    for (std::size_t i = 0; i < batch.timestamps.size(); ++i) {
      const Offset offset = batch.header.base_offset + static_cast<std::int64_t>(i);
      if (offset < log_start_ || offset >= upper_bound) continue;
      if (!best || batch.timestamps[i] > best->timestamp) best = Found{batch.timestamps[i], offset};
    }
  }
  return best;
}

}  // namespace sillok::tests
