// What a partition remembers of its idempotent producers, so that a batch that is sent twice is stored once
// (KIP-98).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/record_batch_view.h"
#include "storage/producer_snapshot.h"

namespace sillok::storage {

// As many batches as a producer may have in flight (max.in.flight.requests.per.connection).
inline constexpr std::size_t kBatchesPerProducer = 5;
inline constexpr std::size_t kProducerCountMax = 100'000;

// One batch that is in the log.
struct ProducerBatch {
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;  // below the first where it wrapped from 2^31 - 1 to 0
  Offset base_offset{-1};
  Offset last_offset{-1};
  TimestampMs timestamp = kNoTimestamp;  // the greatest of its records
  friend bool operator==(const ProducerBatch&, const ProducerBatch&) = default;
};

struct ProducerEntry {
  ProducerEpoch epoch = kNoProducerEpoch;
  std::int32_t coordinator_epoch = -1;
  Offset open_transaction_offset{-1};
  TimestampMs last_timestamp = kNoTimestamp;
  TimestampMs last_seen = kNoTimestamp;                    // when this broker appended or loaded it
  std::array<ProducerBatch, kBatchesPerProducer> batches;  // the oldest first
  std::size_t batch_count = 0;

  std::span<const ProducerBatch> known_batches() const { return {batches.data(), batch_count}; }
  friend bool operator==(const ProducerEntry&, const ProducerEntry&) = default;
};

enum class SequenceVerdict {
  append,
  duplicate,
  out_of_order_sequence,
  producer_fenced,  // of an epoch before the producer's present one
};

struct SequenceCheck {
  SequenceVerdict verdict = SequenceVerdict::append;
  ProducerBatch original;  // where it is a duplicate
};

// Kafka 4.3's rules: a producer that is not known may begin with any sequence; a known one goes on where it
// stopped, or sends one of its last five batches again; a new epoch begins at 0.
//
// Threading: not thread-safe; under the append lock of its log.
// Invariants: size() <= the limit: past it the producer unheard of for longest is forgotten, as if it had
// expired.
class ProducerState {
 public:
  explicit ProducerState(std::size_t producer_count_max = kProducerCountMax);

  // What to do with a batch that a client sent. Changes nothing. Requires: header.has_producer_id().
  SequenceCheck check(const protocol::RecordBatchHeader& header) const;
  // The batch is in the log, at the offsets that its header now has. Requires: check() said append, or the
  // leader that it was copied from did; header.has_producer_id(). `now` is when the clock for its expiry
  // starts.
  void append(const protocol::RecordBatchHeader& header, TimestampMs now);
  // As append(), for a batch that is read back from the log in any order: one that is known already, or too
  // old to matter, changes nothing. Batches without a producer id are ignored.
  void replay(const protocol::RecordBatchHeader& header, TimestampMs now);

  // For undoing an append() whose write failed: the entry before it, and putting that back (nullopt: it was
  // unknown).
  std::optional<ProducerEntry> find(ProducerId producer_id) const;
  void restore(ProducerId producer_id, const std::optional<ProducerEntry>& entry);

  // Forgets producers that appended nothing for `expiration_ms` (producer.id.expiration.ms). It counts from
  // the append, or from the load after a restart, not from the records' timestamps: copied records are often
  // old. Returns how many went.
  std::size_t expire(TimestampMs now, std::int64_t expiration_ms);

  // Replaces everything by a snapshot. What lies past its offset, and the batches before the last that it has
  // no room for, come from replay().
  void load(std::span<const ProducerSnapshotEntry> snapshot, TimestampMs now);
  std::vector<ProducerSnapshotEntry> snapshot() const;
  void clear();

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  void check_invariants() const;

 private:
  struct Known {
    ProducerId producer_id;
    ProducerEntry entry;
  };
  using Entries = std::list<Known>;

  ProducerEntry& touch(ProducerId producer_id, TimestampMs now);
  void evict();

  const std::size_t producer_count_max_;
  Entries entries_;  // the one heard of last is at the end
  std::unordered_map<ProducerId, Entries::iterator> by_id_;
};

}  // namespace sillok::storage
