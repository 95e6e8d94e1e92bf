#include "protocol/record_batch_validator.h"

#include <algorithm>
#include <string>

namespace sillok::protocol {
namespace {

constexpr std::int8_t kCodecNumberMax = static_cast<std::int8_t>(Codec::zstd);
// Seven fields of at least one byte: length, attributes, timestamp, offset, key, value, header count.
constexpr std::size_t kRecordSizeMin = 7;

// Kafka's Java client reads lz4 frames of independent blocks only, and would stumble over others for ever.
bool has_dependent_lz4_blocks(const RecordBatchHeader& header, ByteView batch) {
  constexpr std::size_t kFlagsPosition = kRecordBatchHeaderSize + 4;  // behind the frame's magic number
  constexpr std::byte kIndependent{0x20};
  if (header.codec() != Codec::lz4 || batch.size() <= kFlagsPosition) return false;
  return (batch[kFlagsPosition] & kIndependent) == std::byte{0};
}

// As in Apache Kafka's ProduceRequest.validateRecords: one batch, and nothing before or after it.
Result<RecordBatchHeader> only_batch(ByteView records) {
  constexpr std::int32_t kOldestLengthMin = 14;  // of a message of format 0
  if (records.size() < kRecordBatchOverhead) return Error{Errc::invalid_record, "no record batch"};
  const auto length = load_big_endian<std::int32_t>(records.data() + kBatchLengthPosition);
  if (length < kOldestLengthMin) return Error{Errc::corrupt, "record batch length " + std::to_string(length)};
  if (records.size() <= kMagicPosition) return Error{Errc::invalid_record, "no record batch"};
  const auto magic = load_big_endian<std::int8_t>(records.data() + kMagicPosition);
  if (magic < 0 || magic > kRecordBatchMagic) {
    return Error{Errc::corrupt, "record batch magic " + std::to_string(magic)};
  }
  if (magic != kRecordBatchMagic) {
    return Error{Errc::unsupported_version, "messages of format " + std::to_string(magic)};
  }
  const bool is_whole = kRecordBatchOverhead + static_cast<std::size_t>(length) <= records.size();
  if (is_whole && length < static_cast<std::int32_t>(kRecordBatchHeaderSize - kRecordBatchOverhead)) {
    return Error{Errc::corrupt, "record batch length " + std::to_string(length)};
  }
  if (kRecordBatchOverhead + static_cast<std::size_t>(length) != records.size()) {
    return Error{Errc::invalid_record, "not exactly one record batch: length " + std::to_string(length) +
                                           " in " + std::to_string(records.size()) + " bytes"};
  }
  return parse_record_batch_header(records);
}

Result<void> check_counts(const RecordBatchHeader& header) {
  const std::int32_t count = header.record_count;
  if (count <= 0 || header.last_offset_delta != count - 1) {
    return Error{Errc::invalid_record, std::to_string(count) + " records with last offset delta " +
                                           std::to_string(header.last_offset_delta)};
  }
  const std::size_t size_max =
      header.codec() == Codec::none ? header.size() - kRecordBatchHeaderSize : kDecompressedSizeMax;
  if (static_cast<std::size_t>(count) > size_max / kRecordSizeMin) {
    return Error{Errc::invalid_record, std::to_string(count) + " records do not fit the batch"};
  }
  return {};
}

Result<void> check_timestamp(TimestampMs timestamp, const BatchRules& rules, TimestampMs now) {
  if (rules.timestamp_type == TimestampType::log_append_time || timestamp == kNoTimestamp) return {};
  // Unsigned, since the distance of two timestamps may not fit the signed type.
  const auto apart = [](TimestampMs late, TimestampMs early) {
    return static_cast<std::uint64_t>(late) - static_cast<std::uint64_t>(early);
  };
  const auto limit = [](TimestampMs limit_ms) {
    return static_cast<std::uint64_t>(std::max<TimestampMs>(limit_ms, 0));
  };
  const bool too_old = timestamp < now && apart(now, timestamp) > limit(rules.timestamp_before_max_ms);
  const bool too_new = timestamp > now && apart(timestamp, now) > limit(rules.timestamp_after_max_ms);
  if (!too_old && !too_new) return {};
  return Error{Errc::invalid_timestamp,
               "timestamp " + std::to_string(timestamp) + " at " + std::to_string(now)};
}

// Why the record is wrong by itself, or an empty text.
std::string fault_of_record(const RecordBatchHeader& header, const Record& record, const BatchRules& rules,
                            KeyRule keys, TimestampMs now) {
  if (header.timestamp_type() == TimestampType::log_append_time) return "log append time from a producer";
  if (auto timely = check_timestamp(record.timestamp, rules, now); !timely.ok()) return timely.error().detail;
  if (keys == KeyRule::required && !record.key) return "a record without a key in a compacted topic";
  return {};
}

}  // namespace

bool is_one_batch(ByteView records) { return only_batch(records).ok(); }

Result<RecordBatchHeader> check_batch(ByteView records, const BatchRules& rules, TimestampMs now) {
  const RecordBatchHeader header = TRY(only_batch(records));
  if (header.base_offset != Offset(0)) {
    return Error{Errc::invalid_record,
                 "a producer's batch with base offset " + std::to_string(header.base_offset.value)};
  }
  if (records.size() > rules.size_max) {
    return Error{Errc::too_large,
                 std::to_string(records.size()) + " bytes, the limit is " + std::to_string(rules.size_max)};
  }
#ifndef SILLOK_PLANTED_BUG_CRC_UNCHECKED
  if (auto checked = check_crc(header, records); !checked.ok()) return std::move(checked).error();
#endif
  if ((header.attributes & 0x07) > kCodecNumberMax) {
    return Error{Errc::invalid_record, "compression codec " + std::to_string(header.attributes & 0x07)};
  }
  if (auto counts = check_counts(header); !counts.ok()) return std::move(counts).error();
  if (header.is_control()) return Error{Errc::invalid_record, "a control batch from a client"};
  if (has_dependent_lz4_blocks(header, records)) {
    return Error{Errc::invalid_record, "an lz4 frame whose blocks depend on each other"};
  }
  if (header.has_producer_id() && header.base_sequence < 0) {
    return Error{Errc::invalid_record,
                 "sequence " + std::to_string(header.base_sequence) + " of a producer with an id"};
  }
  if (header.timestamp_type() == TimestampType::log_append_time) {
    return Error{Errc::invalid_timestamp, "a producer's batch with log append time"};
  }
  for (const TimestampMs timestamp : {header.base_timestamp, header.max_timestamp}) {
    if (auto timely = check_timestamp(timestamp, rules, now); !timely.ok()) return std::move(timely).error();
  }
  return header;
}

Result<TimestampMs> check_records(const RecordBatchHeader& header, ByteView records, const BatchRules& rules,
                                  KeyRule keys, TimestampMs now) {
  RecordReader reader(header, records);
  TimestampMs max_timestamp = kNoTimestamp;
  std::int64_t expected_delta = 0;
  Record record;
  while (true) {
    const auto more = reader.next(record);
    if (!more.ok()) return Error{Errc::invalid_record, more.error().detail};
    if (!*more) return max_timestamp;
    if (record.offset.value != wrapping_add(header.base_offset.value, expected_delta++)) {
      return Error{Errc::invalid_record, "record offsets with a gap"};
    }
    if (keys == KeyRule::required && !record.key) {
      return Error{Errc::invalid_record, "a record without a key in a compacted topic"};
    }
    if (auto timely = check_timestamp(record.timestamp, rules, now); !timely.ok())
      return std::move(timely).error();
    max_timestamp = std::max(max_timestamp, record.timestamp);
  }
}

std::vector<RecordFault> faults_of_records(const RecordBatchHeader& header, ByteView batch,
                                           const BatchRules& rules, KeyRule keys, TimestampMs now) {
  std::vector<RecordFault> faults;
  auto opened = RecordReader::open(header, batch);
  if (!opened.ok()) return faults;
  RecordReader reader = std::move(opened).value();
  Record record;
  for (std::int32_t index = 0; faults.size() < kRecordFaultsMax; ++index) {
    const auto more = reader.next(record);
    if (!more.ok() || !*more) break;
    if (std::string reason = fault_of_record(header, record, rules, keys, now); !reason.empty())
      faults.push_back({index, std::move(reason)});
  }
  return faults;
}

}  // namespace sillok::protocol
