#include "protocol/record_batch_view.h"

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"

namespace sillok::protocol {
namespace {

constexpr std::size_t kLastOffsetDeltaPosition = 23;
constexpr std::size_t kBaseTimestampPosition = 27;
constexpr std::size_t kProducerIdPosition = 43;
constexpr std::size_t kProducerEpochPosition = 51;
constexpr std::size_t kBaseSequencePosition = 53;
constexpr std::size_t kRecordCountPosition = 57;
static_assert(kRecordCountPosition + sizeof(std::int32_t) == kRecordBatchHeaderSize);

constexpr std::int16_t kLogAppendTimeBit = 0x08;

std::uint32_t crc_of(ByteView batch) { return crc32c(batch.subspan(kAttributesPosition)); }

void renew_crc(MutableByteView batch) { store_big_endian(batch.data() + kCrcPosition, crc_of(batch)); }

}  // namespace

std::int32_t RecordBatchHeader::last_sequence() const {
  if (base_sequence < 0) return -1;
  const std::uint32_t sum =
      static_cast<std::uint32_t>(base_sequence) + static_cast<std::uint32_t>(last_offset_delta);
  return static_cast<std::int32_t>(sum & 0x7fffffff);
}

Result<RecordBatchHeader> parse_record_batch_header(ByteView bytes) {
  if (bytes.size() < kRecordBatchHeaderSize)
    return Error{Errc::truncated, "less than the header of a record batch"};
  const std::byte* const from = bytes.data();
  RecordBatchHeader header;
  header.base_offset = Offset(load_big_endian<std::int64_t>(from + kBaseOffsetPosition));
  header.batch_length = load_big_endian<std::int32_t>(from + kBatchLengthPosition);
  header.leader_epoch = LeaderEpoch(load_big_endian<std::int32_t>(from + kLeaderEpochPosition));
  header.magic = load_big_endian<std::int8_t>(from + kMagicPosition);
  header.crc = load_big_endian<std::uint32_t>(from + kCrcPosition);
  header.attributes = load_big_endian<std::int16_t>(from + kAttributesPosition);
  header.last_offset_delta = load_big_endian<std::int32_t>(from + kLastOffsetDeltaPosition);
  header.base_timestamp = load_big_endian<std::int64_t>(from + kBaseTimestampPosition);
  header.max_timestamp = load_big_endian<std::int64_t>(from + kMaxTimestampPosition);
  header.producer_id = ProducerId(load_big_endian<std::int64_t>(from + kProducerIdPosition));
  header.producer_epoch = ProducerEpoch(load_big_endian<std::int16_t>(from + kProducerEpochPosition));
  header.base_sequence = load_big_endian<std::int32_t>(from + kBaseSequencePosition);
  header.record_count = load_big_endian<std::int32_t>(from + kRecordCountPosition);

  if (header.magic != kRecordBatchMagic) {
    return Error{Errc::unsupported_version, "record batch magic " + std::to_string(header.magic)};
  }
  if (header.batch_length < static_cast<std::int32_t>(kRecordBatchHeaderSize - kRecordBatchOverhead)) {
    return Error{Errc::malformed, "record batch length " + std::to_string(header.batch_length)};
  }
  return header;
}

Result<void> check_crc(const RecordBatchHeader& header, ByteView batch) {
  CHECK(batch.size() == header.size());
  const std::uint32_t computed = crc_of(batch);
  if (computed == header.crc) return {};
  return Error{Errc::corrupt, "record batch CRC is " + std::to_string(computed) + ", its header says " +
                                  std::to_string(header.crc)};
}

void set_base_offset(MutableByteView batch, Offset base_offset) {
  DCHECK(batch.size() >= kRecordBatchHeaderSize);
  store_big_endian(batch.data() + kBaseOffsetPosition, base_offset.value);
}

void set_leader_epoch(MutableByteView batch, LeaderEpoch epoch) {
  DCHECK(batch.size() >= kRecordBatchHeaderSize);
  store_big_endian(batch.data() + kLeaderEpochPosition, epoch.value);
}

void set_log_append_time(MutableByteView batch, TimestampMs now) {
  CHECK(batch.size() >= kRecordBatchHeaderSize);
  const auto attributes = load_big_endian<std::int16_t>(batch.data() + kAttributesPosition);
  store_big_endian(batch.data() + kAttributesPosition,
                   static_cast<std::int16_t>(attributes | kLogAppendTimeBit));
  set_max_timestamp(batch, now);
}

void set_max_timestamp(MutableByteView batch, TimestampMs max_timestamp) {
  CHECK(batch.size() >= kRecordBatchHeaderSize);
  store_big_endian(batch.data() + kMaxTimestampPosition, max_timestamp);
  renew_crc(batch);
}

void set_producer(MutableByteView batch, ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence) {
  CHECK(batch.size() >= kRecordBatchHeaderSize);
  store_big_endian(batch.data() + kProducerIdPosition, id.value);
  store_big_endian(batch.data() + kProducerEpochPosition, epoch.value);
  store_big_endian(batch.data() + kBaseSequencePosition, base_sequence);
  renew_crc(batch);
}

}  // namespace sillok::protocol
