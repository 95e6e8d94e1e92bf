// The batches that wait to be sent, by partition, and the rules of their order.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/producer_options.h"
#include "client/producer_record.h"
#include "protocol/record_batch_builder.h"

namespace sillok::client {

using SteadyTime = std::chrono::steady_clock::time_point;

struct ProducerIdentity {
  ProducerId id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
  bool operator==(const ProducerIdentity&) const = default;
};

struct ProducerBatch {
  TopicPartition where;
  protocol::RecordBatchBuilder builder;
  std::uint64_t number = 0;             // rises within a partition
  std::vector<DeliveryReport> reports;  // one per record
  std::size_t bytes = 0;                // of records, as they were given
  SteadyTime opened;
  SteadyTime expires;
  Bytes encoded;  // once it was taken
  ProducerIdentity identity;
  std::int32_t sequence = -1;
  bool maybe_stored = false;  // some try had no answer

  std::int32_t record_count() const { return static_cast<std::int32_t>(reports.size()); }
};
using BatchPointer = std::unique_ptr<ProducerBatch>;

// Threading: not thread-safe. Time comes from the caller.
// Invariants: batches of one partition are taken in the order of their records. After one comes back for a
// retry nothing
//   more is taken from its partition until all that were under way are back, and then the oldest goes first.
class Accumulator {
 public:
  explicit Accumulator(ProducerOptions options) : options_(options) {}

  void append(const TopicPartition& where, const ProducerRecord& record, DeliveryReport report,
              SteadyTime now);
  // Whether a batch of the partition is open that a record of `size` still fits into.
  bool has_room(const TopicPartition& where, std::size_t size) const;

  // What may be sent now: its batch closed, numbered and encoded. nullptr where nothing may. A batch that
  // cannot be encoded is dropped, and its reports are called.
  enum class Flush { no, yes };
  BatchPointer take(const TopicPartition& where, SteadyTime now, Flush flush);
  // The answer to a taken batch is there, and it is not to be sent again.
  void finish(const TopicPartition& where);
  // A taken batch is to be sent again, not before `not_before`.
  void retry(BatchPointer batch, SteadyTime not_before);
  // Whether an older batch of its partition waits for a retry, which is then why this one was refused.
  bool is_behind_a_retry(const ProducerBatch& batch) const;

  // Removes what has expired while waiting.
  std::vector<BatchPointer> take_expired(SteadyTime now);
  std::vector<BatchPointer> take_all();

  // Sequences start again with the next batch that is numbered. Batches numbered before keep their numbers if
  // they may be stored, and are numbered anew if not.
  void set_identity(ProducerIdentity identity);
  const ProducerIdentity& identity() const { return identity_; }

  // Partitions with anything waiting.
  std::vector<TopicPartition> waiting() const;
  // The earliest moment at which take() or take_expired() may find something that they do not find at `now`.
  std::optional<SteadyTime> next_event(SteadyTime now) const;
  std::int32_t in_flight() const { return in_flight_; }
  bool empty() const;

 private:
  struct Queue {
    std::deque<BatchPointer> batches;  // oldest first; only the last may be open
    bool last_is_open = false;
    bool is_retrying = false;
    std::int32_t in_flight = 0;
    std::int32_t next_sequence = 0;
    std::uint64_t next_number = 0;
    SteadyTime not_before;
  };

  bool may_take(const Queue& queue, SteadyTime now, Flush flush) const;
  Result<void> prepare(Queue& queue, ProducerBatch& batch);

  ProducerOptions options_;
  ProducerIdentity identity_;
  std::map<TopicPartition, Queue> queues_;
  std::int32_t in_flight_ = 0;
};

// Calls every report of a batch with the same error.
void report_failure(const ProducerBatch& batch, const Error& error);

}  // namespace sillok::client
