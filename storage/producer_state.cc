#include "storage/producer_state.h"

#include <algorithm>
#include <limits>

#include "protocol/base/check.h"

namespace sillok::storage {
namespace {

constexpr std::int32_t kSequenceMax = std::numeric_limits<std::int32_t>::max();
// What a producer sends where it numbers nothing.
constexpr std::int32_t kNoSequence = -1;

bool follows(std::int32_t last_sequence, std::int32_t first_sequence) {
  return last_sequence == kSequenceMax ? first_sequence == 0 : first_sequence == last_sequence + 1;
}

// `sequence` - `count`, from 0 back to 2^31 - 1.
std::int32_t sequence_before(std::int32_t sequence, std::int32_t count) {
  return sequence >= count ? sequence - count : kSequenceMax - (count - sequence) + 1;
}

ProducerBatch batch_of(const protocol::RecordBatchHeader& header) {
  return {header.base_sequence, header.last_sequence(), header.base_offset, header.last_offset(),
          header.max_timestamp};
}

// False for batches that no producer made, though their checksum fits: they are in the log, and end up here
// when it is read.
bool is_numbered(const protocol::RecordBatchHeader& header) {
  return header.base_sequence >= 0 && header.last_offset_delta >= 0 && header.base_offset.value >= 0 &&
         header.last_offset() >= header.base_offset;
}

// Keeps the batches in the order of their offsets, and of those the last.
void insert_batch(ProducerEntry& entry, const ProducerBatch& batch) {
  const auto begin = entry.batches.begin();
  auto end = begin + static_cast<std::ptrdiff_t>(entry.batch_count);
  auto place = std::find_if(
      begin, end, [&](const ProducerBatch& known) { return known.last_offset >= batch.last_offset; });
  // Known already, or no batch beside what is known.
  if (place != end && place->base_offset <= batch.last_offset) return;
  if (place != begin && (place - 1)->last_offset >= batch.base_offset) return;
  if (entry.batch_count == kBatchesPerProducer) {
    if (place == begin) return;  // older than all that are kept
    std::copy(begin + 1, place, begin);
    *(place - 1) = batch;
    return;
  }
  std::copy_backward(place, end, end + 1);
  *place = batch;
  ++entry.batch_count;
}

void begin_epoch(ProducerEntry& entry, ProducerEpoch epoch) {
  entry.epoch = epoch;
  entry.batch_count = 0;
}

// Where a transaction is open: from its first batch to its marker.
void note_transaction(ProducerEntry& entry, const protocol::RecordBatchHeader& header) {
  if (header.is_control()) {
    entry.open_transaction_offset = Offset(-1);
  } else if (header.is_transactional() && entry.open_transaction_offset.value < 0) {
    entry.open_transaction_offset = header.base_offset;
  }
}

}  // namespace

ProducerState::ProducerState(std::size_t producer_count_max) : producer_count_max_(producer_count_max) {
  CHECK(producer_count_max > 0);
}

SequenceCheck ProducerState::check(const protocol::RecordBatchHeader& header) const {
  DCHECK(header.has_producer_id());
  const auto found = by_id_.find(header.producer_id);
  if (found == by_id_.end()) return {};
  const ProducerEntry& entry = found->second->entry;
  if (header.producer_epoch < entry.epoch) return {SequenceVerdict::producer_fenced, {}};
  if (header.producer_epoch != entry.epoch) {
    if (header.base_sequence != 0) return {SequenceVerdict::out_of_order_sequence, {}};
    return {};
  }
  for (const ProducerBatch& known : entry.known_batches()) {
    if (known.first_sequence == header.base_sequence && known.last_sequence == header.last_sequence()) {
      return {SequenceVerdict::duplicate, known};
    }
  }
  const std::int32_t last = entry.batch_count == 0 ? kNoSequence : entry.known_batches().back().last_sequence;
  if (!follows(last, header.base_sequence)) return {SequenceVerdict::out_of_order_sequence, {}};
  return {};
}

void ProducerState::append(const protocol::RecordBatchHeader& header, TimestampMs now) {
  DCHECK(header.has_producer_id());
  replay(header, now);
}

void ProducerState::replay(const protocol::RecordBatchHeader& header, TimestampMs now) {
  if (!header.has_producer_id()) return;
  if (const auto found = by_id_.find(header.producer_id); found != by_id_.end()) {
    if (header.producer_epoch < found->second->entry.epoch) return;
  }
  ProducerEntry& entry = touch(header.producer_id, now);
  if (header.producer_epoch != entry.epoch) begin_epoch(entry, header.producer_epoch);
  if (!header.is_control() && is_numbered(header)) insert_batch(entry, batch_of(header));
  if (entry.batch_count == 0 || header.is_control()) {
    entry.last_timestamp = std::max(entry.last_timestamp, header.max_timestamp);
  } else {
    entry.last_timestamp = entry.known_batches().back().timestamp;
  }
  note_transaction(entry, header);
}

std::optional<ProducerEntry> ProducerState::find(ProducerId producer_id) const {
  const auto found = by_id_.find(producer_id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second->entry;
}

void ProducerState::restore(ProducerId producer_id, const std::optional<ProducerEntry>& entry) {
  const auto found = by_id_.find(producer_id);
  if (!entry) {
    if (found == by_id_.end()) return;
    entries_.erase(found->second);
    by_id_.erase(found);
    return;
  }
  touch(producer_id, entry->last_seen) = *entry;
}

std::size_t ProducerState::expire(TimestampMs now, std::int64_t expiration_ms) {
  std::size_t expired = 0;
  for (auto known = entries_.begin(); known != entries_.end();) {
    // Those behind it were heard of later.
    if (now - known->entry.last_seen < expiration_ms) break;
    if (known->entry.open_transaction_offset.value >= 0) {
      ++known;
      continue;
    }
    by_id_.erase(known->producer_id);
    known = entries_.erase(known);
    ++expired;
  }
  return expired;
}

void ProducerState::load(std::span<const ProducerSnapshotEntry> snapshot, TimestampMs now) {
  clear();
  for (const ProducerSnapshotEntry& from : snapshot) {
    ProducerEntry& entry = touch(from.producer_id, now);
    entry.epoch = from.epoch;
    entry.coordinator_epoch = from.coordinator_epoch;
    entry.open_transaction_offset = from.open_transaction_offset;
    entry.last_timestamp = from.timestamp;
    if (from.last_offset.value < 0) continue;
    insert_batch(entry, {sequence_before(from.last_sequence, from.offset_delta), from.last_sequence,
                         from.last_offset - from.offset_delta, from.last_offset, from.timestamp});
  }
}

std::vector<ProducerSnapshotEntry> ProducerState::snapshot() const {
  std::vector<ProducerSnapshotEntry> snapshot;
  snapshot.reserve(entries_.size());
  for (const Known& known : entries_) {
    const ProducerEntry& from = known.entry;
    ProducerSnapshotEntry entry;
    entry.producer_id = known.producer_id;
    entry.epoch = from.epoch;
    entry.coordinator_epoch = from.coordinator_epoch;
    entry.open_transaction_offset = from.open_transaction_offset;
    entry.timestamp = from.last_timestamp;
    if (from.batch_count > 0) {
      const ProducerBatch& last = from.known_batches().back();
      entry.last_sequence = last.last_sequence;
      entry.last_offset = last.last_offset;
      entry.offset_delta = static_cast<std::int32_t>(last.last_offset - last.base_offset);
    }
    snapshot.push_back(entry);
  }
  return snapshot;
}

void ProducerState::clear() {
  entries_.clear();
  by_id_.clear();
}

ProducerEntry& ProducerState::touch(ProducerId producer_id, TimestampMs now) {
  const auto [found, is_new] = by_id_.try_emplace(producer_id);
  if (is_new) {
    found->second = entries_.insert(entries_.end(), Known{producer_id, {}});
    if (entries_.size() > producer_count_max_) evict();
  } else {
    entries_.splice(entries_.end(), entries_, found->second);
  }
  ProducerEntry& entry = entries_.back().entry;
  entry.last_seen = now;
  return entry;
}

void ProducerState::evict() {
  by_id_.erase(entries_.front().producer_id);
  entries_.pop_front();
}

void ProducerState::check_invariants() const {
  CHECK(entries_.size() == by_id_.size());
  CHECK(entries_.size() <= producer_count_max_);
  for (const Known& known : entries_) {
    CHECK(known.entry.batch_count <= kBatchesPerProducer);
    const auto batches = known.entry.known_batches();
    for (std::size_t i = 1; i < batches.size(); ++i)
      CHECK(batches[i - 1].last_offset < batches[i].base_offset);
  }
}

}  // namespace sillok::storage
