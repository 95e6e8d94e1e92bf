#include "client/accumulator.h"

#include <algorithm>

namespace sillok::client {
namespace {

std::optional<ByteView> view(const std::optional<std::string>& text) {
  return text ? std::optional<ByteView>(as_bytes(*text)) : std::nullopt;
}

// Sequence numbers run from 0 to 2^31 - 1 and begin again.
std::int32_t advance(std::int32_t sequence, std::int32_t count) {
  return static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(count)) & 0x7fffffff);
}

}  // namespace

void report_failure(const ProducerBatch& batch, const Error& error) {
  const Delivery delivery{error, batch.where, Offset(-1)};
  for (const DeliveryReport& report : batch.reports) {
    if (report) report(delivery);
  }
}

bool Accumulator::has_room(const TopicPartition& where, std::size_t size) const {
  const auto found = queues_.find(where);
  if (found == queues_.end() || !found->second.last_is_open) return false;
  return found->second.batches.back()->bytes + size <= options_.batch_bytes;
}

void Accumulator::append(const TopicPartition& where, const ProducerRecord& record, DeliveryReport report,
                         SteadyTime now) {
  Queue& queue = queues_[where];
  const std::size_t size = record.size();
  if (queue.last_is_open && queue.batches.back()->bytes + size > options_.batch_bytes)
    queue.last_is_open = false;
  if (!queue.last_is_open) {
    protocol::BatchOptions batch_options;
    batch_options.codec = options_.codec;
    batch_options.level = options_.codec_level;
    auto batch = std::make_unique<ProducerBatch>();
    batch->where = where;
    batch->builder = protocol::RecordBatchBuilder(batch_options);
    batch->number = queue.next_number++;
    batch->opened = now;
    batch->expires = now + options_.delivery_timeout;
    queue.batches.push_back(std::move(batch));
    queue.last_is_open = true;
  }
  ProducerBatch& batch = *queue.batches.back();
  std::vector<protocol::RecordHeader> headers;
  headers.reserve(record.headers.size());
  for (const Header& header : record.headers) headers.push_back({header.key, view(header.value)});
  batch.builder.append(record.timestamp, view(record.key), view(record.value), headers);
  batch.reports.push_back(std::move(report));
  batch.bytes += size;
}

bool Accumulator::may_take(const Queue& queue, SteadyTime now, Flush flush) const {
  if (queue.batches.empty() || now < queue.not_before) return false;
  if (queue.is_retrying && queue.in_flight > 0) return false;
  const ProducerBatch& first = *queue.batches.front();
  // Numbers of an older identity would not stop a newer batch from overtaking on a retry.
  const bool one_at_a_time = options_.idempotence == Idempotence::off ||
                             (!first.encoded.empty() && first.identity != identity_ && first.maybe_stored);
  if (queue.in_flight >= (one_at_a_time ? 1 : options_.in_flight_max)) return false;
  const bool is_open = queue.last_is_open && queue.batches.size() == 1;
  return !is_open || flush == Flush::yes || now >= first.opened + options_.linger;
}

Result<void> Accumulator::prepare(Queue& queue, ProducerBatch& batch) {
  const bool is_new = batch.encoded.empty();
  if (is_new) batch.encoded = TRY(batch.builder.build());
  if (options_.idempotence == Idempotence::off) return {};
  if (!is_new && (batch.maybe_stored || batch.identity == identity_)) return {};
  batch.identity = identity_;
  batch.sequence = queue.next_sequence;
  queue.next_sequence = advance(queue.next_sequence, batch.record_count());
  protocol::set_producer(batch.encoded, identity_.id, identity_.epoch, batch.sequence);
  return {};
}

BatchPointer Accumulator::take(const TopicPartition& where, SteadyTime now, Flush flush) {
  const auto found = queues_.find(where);
  if (found == queues_.end()) return nullptr;
  Queue& queue = found->second;
  while (may_take(queue, now, flush)) {
    BatchPointer batch = std::move(queue.batches.front());
    queue.batches.pop_front();
    if (queue.batches.empty()) queue.last_is_open = false;
    if (const auto prepared = prepare(queue, *batch); !prepared.ok()) {
      report_failure(*batch, prepared.error());
      continue;
    }
    queue.is_retrying = false;
    ++queue.in_flight;
    ++in_flight_;
    return batch;
  }
  return nullptr;
}

void Accumulator::finish(const TopicPartition& where) {
  Queue& queue = queues_[where];
  CHECK(queue.in_flight > 0);
  --queue.in_flight;
  --in_flight_;
}

void Accumulator::retry(BatchPointer batch, SteadyTime not_before) {
  finish(batch->where);
  Queue& queue = queues_[batch->where];
  queue.is_retrying = true;
  queue.not_before = std::max(queue.not_before, not_before);
  // Batches come back in any order.
  const auto place =
      std::find_if(queue.batches.begin(), queue.batches.end(),
                   [&](const BatchPointer& waiting) { return waiting->number > batch->number; });
  queue.batches.insert(place, std::move(batch));
}

bool Accumulator::is_behind_a_retry(const ProducerBatch& batch) const {
  const auto found = queues_.find(batch.where);
  if (found == queues_.end() || found->second.batches.empty()) return false;
  return found->second.is_retrying && found->second.batches.front()->number < batch.number;
}

std::vector<BatchPointer> Accumulator::take_expired(SteadyTime now) {
  std::vector<BatchPointer> expired;
  for (auto& [where, queue] : queues_) {
    while (!queue.batches.empty() && queue.batches.front()->expires <= now) {
      expired.push_back(std::move(queue.batches.front()));
      queue.batches.pop_front();
    }
    if (queue.batches.empty()) queue.last_is_open = false;
  }
  return expired;
}

std::vector<BatchPointer> Accumulator::take_all() { return take_expired(SteadyTime::max()); }

void Accumulator::set_identity(ProducerIdentity identity) {
  identity_ = identity;
  for (auto& [where, queue] : queues_) queue.next_sequence = 0;
}

std::vector<TopicPartition> Accumulator::waiting() const {
  std::vector<TopicPartition> partitions;
  for (const auto& [where, queue] : queues_) {
    if (!queue.batches.empty()) partitions.push_back(where);
  }
  return partitions;
}

std::optional<SteadyTime> Accumulator::next_event(SteadyTime now) const {
  std::optional<SteadyTime> next;
  for (const auto& [where, queue] : queues_) {
    if (queue.batches.empty()) continue;
    const ProducerBatch& first = *queue.batches.front();
    const SteadyTime ready = std::max(queue.not_before, first.opened + options_.linger);
    const SteadyTime event = ready > now ? std::min(ready, first.expires) : first.expires;
    if (!next || event < *next) next = event;
  }
  return next;
}

bool Accumulator::empty() const {
  if (in_flight_ > 0) return false;
  return std::all_of(queues_.begin(), queues_.end(),
                     [](const auto& entry) { return entry.second.batches.empty(); });
}

}  // namespace sillok::client
