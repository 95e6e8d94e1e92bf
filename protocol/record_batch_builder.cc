#include "protocol/record_batch_builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"
#include "protocol/base/varint.h"

namespace sillok::protocol {
namespace {

constexpr std::size_t kInt32Max = std::numeric_limits<std::int32_t>::max();

std::int32_t length_of(std::size_t size) {
  CHECK(size <= kInt32Max);
  return static_cast<std::int32_t>(size);
}

std::size_t sized_bytes_size(std::size_t size) { return varint_size(length_of(size)) + size; }

std::size_t nullable_bytes_size(const std::optional<ByteView>& bytes) {
  return bytes ? sized_bytes_size(bytes->size()) : varint_size(-1);
}

void append_bytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_sized_bytes(Bytes& out, ByteView bytes) {
  append_varint(out, length_of(bytes.size()));
  append_bytes(out, bytes);
}

void append_nullable_bytes(Bytes& out, const std::optional<ByteView>& bytes) {
  if (!bytes) return append_varint(out, -1);
  append_sized_bytes(out, *bytes);
}

template <class T>
void append_big_endian(Bytes& out, T value) {
  const std::size_t end = out.size();
  out.resize(end + sizeof value);
  store_big_endian(out.data() + end, value);
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(BatchOptions options) : options_(options) {}

void RecordBatchBuilder::append(TimestampMs timestamp, std::optional<ByteView> key,
                                std::optional<ByteView> value, std::span<const RecordHeader> headers) {
  if (record_count_ == 0) {
    base_timestamp_ = timestamp;
    max_timestamp_ = timestamp;
  }
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  const std::int64_t timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp) -
                                                                 static_cast<std::uint64_t>(base_timestamp_));
  const std::int32_t offset_delta = record_count_++;

  constexpr std::size_t kAttributesSize = 1;
  std::size_t size = kAttributesSize + varlong_size(timestamp_delta) + varint_size(offset_delta) +
                     nullable_bytes_size(key) + nullable_bytes_size(value) +
                     varint_size(length_of(headers.size()));
  for (const RecordHeader& header : headers) {
    size += sized_bytes_size(header.key.size()) + nullable_bytes_size(header.value);
  }

  append_varint(records_, length_of(size));
  records_.push_back(std::byte{0});
  append_varlong(records_, timestamp_delta);
  append_varint(records_, offset_delta);
  append_nullable_bytes(records_, key);
  append_nullable_bytes(records_, value);
  append_varint(records_, length_of(headers.size()));
  for (const RecordHeader& header : headers) {
    append_sized_bytes(records_, as_bytes(header.key));
    append_nullable_bytes(records_, header.value);
  }
}

Result<Bytes> RecordBatchBuilder::build() {
  CHECK(record_count_ > 0);
  Bytes records = std::exchange(records_, {});
  const std::int32_t count = std::exchange(record_count_, 0);
  if (options_.codec != Codec::none) records = TRY(compress(options_.codec, records, options_.level));
  const std::size_t size = kRecordBatchHeaderSize + records.size();
  if (size - kRecordBatchOverhead > kInt32Max)
    return Error{Errc::too_large, "a record batch of more than 2 GiB"};

  Bytes batch;
  batch.reserve(size);
  append_big_endian(batch, options_.base_offset.value);
  append_big_endian(batch, static_cast<std::int32_t>(size - kRecordBatchOverhead));
  append_big_endian(batch, options_.leader_epoch.value);
  append_big_endian(batch, kRecordBatchMagic);
  append_big_endian(batch, std::uint32_t{0});
  const int type_bit = options_.timestamp_type == TimestampType::log_append_time ? 0x08 : 0;
  append_big_endian(batch, static_cast<std::int16_t>(static_cast<int>(options_.codec) | type_bit));
  append_big_endian(batch, count - 1);
  append_big_endian(batch, base_timestamp_);
  append_big_endian(batch, max_timestamp_);
  append_big_endian(batch, options_.producer_id.value);
  append_big_endian(batch, options_.producer_epoch.value);
  append_big_endian(batch, options_.base_sequence);
  append_big_endian(batch, count);
  append_bytes(batch, records);
  store_big_endian(batch.data() + kCrcPosition, crc32c(ByteView(batch).subspan(kAttributesPosition)));
  return batch;
}

}  // namespace sillok::protocol
