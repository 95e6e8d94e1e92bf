// Record batches of format 2 (Kafka 0.11 and later), as they are on the wire and on disk: a header of 61
// bytes, then records, compressed as a whole or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/compression.h"

namespace sillok::protocol {

inline constexpr std::size_t kRecordBatchHeaderSize = 61;
// baseOffset and batchLength, which come before the bytes that batchLength counts.
inline constexpr std::size_t kRecordBatchOverhead = 12;
inline constexpr std::int8_t kRecordBatchMagic = 2;
// Places in the header that the broker writes or reads by itself; all are below the bytes that the CRC
// covers, or need a new CRC.
inline constexpr std::size_t kBaseOffsetPosition = 0;
inline constexpr std::size_t kBatchLengthPosition = 8;
inline constexpr std::size_t kLeaderEpochPosition = 12;
inline constexpr std::size_t kMagicPosition = 16;
inline constexpr std::size_t kCrcPosition = 17;
inline constexpr std::size_t kAttributesPosition = 21;  // the CRC covers everything from here on
inline constexpr std::size_t kMaxTimestampPosition = 35;

enum class TimestampType : std::uint8_t { create_time = 0, log_append_time = 1 };

// What hostile deltas are added with: signed overflow is undefined.
constexpr std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

struct RecordBatchHeader {
  Offset base_offset;
  std::int32_t batch_length = 0;
  LeaderEpoch leader_epoch;
  std::int8_t magic = 0;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  TimestampMs base_timestamp = 0;
  TimestampMs max_timestamp = 0;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  // Wrap around instead of overflowing: the base offset may be anything, as the CRC does not cover it.
  Offset last_offset() const { return Offset(wrapping_add(base_offset.value, last_offset_delta)); }
  Offset next_offset() const { return Offset(wrapping_add(last_offset().value, 1)); }
  // The whole batch, header included. Meaningful only once the header was checked.
  std::size_t size() const { return kRecordBatchOverhead + static_cast<std::size_t>(batch_length); }
  // An unknown codec number is for the validator to refuse.
  Codec codec() const { return static_cast<Codec>(attributes & 0x07); }
  TimestampType timestamp_type() const {
    return (attributes & 0x08) != 0 ? TimestampType::log_append_time : TimestampType::create_time;
  }
  bool is_transactional() const { return (attributes & 0x10) != 0; }
  bool is_control() const { return (attributes & 0x20) != 0; }
  bool has_producer_id() const { return producer_id > kNoProducerId; }
  // The sequence number of the last record: wraps from 2^31 - 1 to 0. -1 where there are none.
  std::int32_t last_sequence() const;

  bool operator==(const RecordBatchHeader&) const = default;
};

// Reads a header without judging it, but for the least that makes the sizes usable: Errc::truncated with
// fewer than 61 bytes, Errc::malformed for a batchLength below 49, Errc::unsupported_version for a magic
// other than 2.
Result<RecordBatchHeader> parse_record_batch_header(ByteView bytes);

// Errc::corrupt where the CRC does not fit. Requires: `batch` holds exactly header.size() bytes.
Result<void> check_crc(const RecordBatchHeader& header, ByteView batch);

// What the broker writes into a batch that it appends. Requires: at least a header's bytes.
void set_base_offset(MutableByteView batch, Offset base_offset);
void set_leader_epoch(MutableByteView batch, LeaderEpoch epoch);
// Sets type and maximum and computes the CRC anew. Requires: exactly one batch.
void set_log_append_time(MutableByteView batch, TimestampMs now);
// Corrects the maximum and computes the CRC anew. Requires: exactly one batch.
void set_max_timestamp(MutableByteView batch, TimestampMs max_timestamp);
// What an idempotent producer numbers a finished batch with; computes the CRC anew. Requires: exactly one
// batch.
void set_producer(MutableByteView batch, ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence);

// One header of a record. A null value differs from an empty one.
struct RecordHeader {
  std::string_view key;
  std::optional<ByteView> value;
};

// One record, viewing the batch's (decompressed) bytes.
struct Record {
  Offset offset;
  TimestampMs timestamp = 0;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  std::vector<RecordHeader> headers;
};

// The records of a batch as the format has them, decompressed where the batch is not plain.
struct PlainRecords {
  Bytes owned;
  ByteView view;  // of `owned`, which may be moved, or of the batch
};
// Errc::corrupt or budget_exceeded from decompression. Requires: `batch` holds exactly header.size() bytes.
Result<PlainRecords> plain_records(const RecordBatchHeader& header, ByteView batch,
                                   std::size_t decompressed_size_max = kDecompressedSizeMax);

// The records of one batch, one after the other.
// Lifetime: views the batch, or owns the decompressed records; moves keep the views valid.
class RecordReader {
 public:
  // Errc::corrupt or budget_exceeded from decompression. Requires: check_crc() held, or the bytes are
  // trusted.
  static Result<RecordReader> open(const RecordBatchHeader& header, ByteView batch,
                                   std::size_t decompressed_size_max = kDecompressedSizeMax);
  // Views `records`, which plain_records() gave.
  RecordReader(const RecordBatchHeader& header, ByteView records) : header_(header), left_(records) {}

  // False after the last record. Errc::malformed where a record does not fit the format, or where the count
  // in the header is not the count of records. The record is reused: no allocation but for more headers than
  // before.
  Result<bool> next(Record& record);

 private:
  RecordReader(const RecordBatchHeader& header, PlainRecords records)
      : header_(header), owned_(std::move(records.owned)), left_(records.view) {}

  RecordBatchHeader header_;
  Bytes owned_;
  ByteView left_;
  std::int32_t read_count_ = 0;
  std::int64_t next_delta_min_ = 0;  // offset deltas rise
};

}  // namespace sillok::protocol
