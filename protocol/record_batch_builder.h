// Makes record batches: for producers, internal topics, and recompression.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/compression.h"
#include "protocol/record_batch_view.h"

namespace sillok::protocol {

struct BatchOptions {
  Codec codec = Codec::none;
  std::optional<int> level;
  TimestampType timestamp_type = TimestampType::create_time;
  Offset base_offset{0};
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = -1;
};

// Threading: not thread-safe. Reusable after build().
class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(BatchOptions options = {});

  void append(TimestampMs timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const RecordHeader> headers = {});
  std::int32_t record_count() const { return record_count_; }
  // Of the records so far, uncompressed, with a batch header.
  std::size_t size_estimate() const { return kRecordBatchHeaderSize + records_.size(); }
  // One whole batch with its CRC. Requires: record_count() > 0.
  Result<Bytes> build();

 private:
  BatchOptions options_;
  Bytes records_;
  std::int32_t record_count_ = 0;
  TimestampMs base_timestamp_ = 0;
  TimestampMs max_timestamp_ = kNoTimestamp;
};

}  // namespace sillok::protocol
