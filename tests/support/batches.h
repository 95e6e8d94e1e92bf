// A small language for record batches in tests:
//   batch().at(100).record("key", "value").record("key", "other").codec(Codec::zstd).bytes()
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/compression.h"
#include "protocol/record_batch_view.h"

namespace sillok::tests {

// 2026-01-01 00:00 UTC, where ManualClock starts. The n-th record without a timestamp of its own is n ms
// later.
inline constexpr TimestampMs kBatchTimestamp = 1'767'225'600'000;

// A record that owns its bytes: what batches are made of, and what read_records() gives back.
struct OwnedRecord {
  std::int64_t offset = 0;
  TimestampMs timestamp = kNoTimestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  bool operator==(const OwnedRecord&) const = default;
};

class BatchMaker {
 public:
  // The base offset: 0 where it is not said, as in what producers send.
  BatchMaker& at(std::int64_t base_offset);
  BatchMaker& leader_epoch(std::int32_t epoch);
  BatchMaker& codec(protocol::Codec codec);
  BatchMaker& producer(std::int64_t id, std::int16_t epoch, std::int32_t base_sequence);
  BatchMaker& log_append_time();
  BatchMaker& transactional();
  BatchMaker& control();

  BatchMaker& record(std::string_view key, std::string_view value,
                     std::optional<TimestampMs> timestamp = std::nullopt);
  BatchMaker& keyless(std::string_view value, std::optional<TimestampMs> timestamp = std::nullopt);
  BatchMaker& null_record(std::optional<TimestampMs> timestamp = std::nullopt);  // neither key nor value
  BatchMaker& tombstone(std::string_view key, std::optional<TimestampMs> timestamp = std::nullopt);
  // `count` records "key-0" = "value-0" and so on.
  BatchMaker& records(int count);
  // One record without key whose value makes an uncompressed batch of exactly `size` bytes. Requires: the
  // only record.
  BatchMaker& sized(std::size_t size);
  // Of the last record.
  BatchMaker& header(std::string_view key, std::optional<std::string_view> value);

  Bytes bytes() const;
  operator Bytes() const { return bytes(); }  // NOLINT(google-explicit-constructor)

 private:
  BatchMaker& add(OwnedRecord record, std::optional<TimestampMs> timestamp);

  std::int64_t base_offset_ = 0;
  std::int32_t leader_epoch_ = -1;
  protocol::Codec codec_ = protocol::Codec::none;
  std::int64_t producer_id_ = -1;
  std::int16_t producer_epoch_ = -1;
  std::int32_t base_sequence_ = -1;
  std::int16_t attribute_bits_ = 0;
  std::vector<OwnedRecord> records_;
};

inline BatchMaker batch() { return {}; }

// After a test has changed bytes that the CRC covers.
void renew_crc(MutableByteView batch);

Bytes join(std::initializer_list<Bytes> batches);

// Requires: a whole batch at the front.
protocol::RecordBatchHeader header_of(ByteView bytes);

// Every record of every batch in `bytes`, their CRCs checked. Aborts on bytes that are not whole batches.
std::vector<OwnedRecord> read_records(ByteView bytes);

inline protocol::RecordBatchHeader header_of(const BatchMaker& maker) { return header_of(maker.bytes()); }
inline std::vector<OwnedRecord> read_records(const BatchMaker& maker) { return read_records(maker.bytes()); }

// "0a 1b\n2c" -> three bytes; '#' starts a comment. Aborts on anything else.
Bytes from_hex(std::string_view text);
std::string to_hex(ByteView bytes);

}  // namespace sillok::tests
