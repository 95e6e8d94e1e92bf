#include "protocol/base/check.h"
#include "protocol/base/varint.h"
#include "protocol/record_batch_view.h"

namespace sillok::protocol {
namespace {

// Reads fields from the front of a record. Sticky: after the first failure every read gives nothing.
class Cursor {
 public:
  explicit Cursor(ByteView left) : left_(left) {}

  bool ok() const { return ok_; }
  ByteView left() const { return left_; }

  std::int32_t varint() {
    // Most lengths and deltas take one byte.
    if (!left_.empty() && static_cast<std::uint8_t>(left_[0]) < 0x80) {
      return zigzag_decode(static_cast<std::uint32_t>(take(1)[0]));
    }
    const auto read = read_varint(left_);
    return read ? (take(read->size), read->value) : (fail(), 0);
  }

  std::int64_t varlong() {
    const auto read = read_varlong(left_);
    return read ? (take(read->size), read->value) : (fail(), 0);
  }

  ByteView bytes(std::int32_t size) {
    if (!ok_ || size < 0 || static_cast<std::size_t>(size) > left_.size()) {
      fail();
      return {};
    }
    return take(static_cast<std::size_t>(size));
  }

  // Kafka writes null as length -1; any other negative length is an error.
  std::optional<ByteView> nullable_bytes() {
    const std::int32_t size = varint();
    if (size == -1) return std::nullopt;
    return bytes(size);
  }

  void fail() {
    ok_ = false;
    left_ = {};
  }

 private:
  ByteView take(std::size_t size) {
    const ByteView taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  ByteView left_;
  bool ok_ = true;
};

// A header has at least the lengths of its key and its value.
constexpr std::size_t kHeaderSizeMin = 2;

void read_headers(Cursor& in, std::vector<RecordHeader>& headers) {
  headers.clear();
  const std::int32_t count = in.varint();
  if (count < 0 || static_cast<std::size_t>(count) > in.left().size() / kHeaderSizeMin) return in.fail();
  for (std::int32_t i = 0; i < count && in.ok(); ++i) {
    const std::string_view key = as_text(in.bytes(in.varint()));
    headers.push_back({key, in.nullable_bytes()});
  }
}

}  // namespace

Result<PlainRecords> plain_records(const RecordBatchHeader& header, ByteView batch,
                                   std::size_t decompressed_size_max) {
  CHECK(batch.size() == header.size());
  const ByteView stored = batch.subspan(kRecordBatchHeaderSize);
  if (header.codec() == Codec::none) return PlainRecords{{}, stored};
  PlainRecords records;
  records.owned = TRY(decompress(header.codec(), stored, decompressed_size_max));
  records.view = records.owned;
  return records;
}

Result<RecordReader> RecordReader::open(const RecordBatchHeader& header, ByteView batch,
                                        std::size_t decompressed_size_max) {
  return RecordReader(header, TRY(plain_records(header, batch, decompressed_size_max)));
}

Result<bool> RecordReader::next(Record& record) {
  if (header_.record_count < 0) return Error{Errc::malformed, "a batch of less than no records"};
  if (read_count_ >= header_.record_count) {
    if (left_.empty()) return false;
    return Error{Errc::malformed, "bytes after the last record of a batch"};
  }
  Cursor batch(left_);
  Cursor in(batch.bytes(batch.varint()));
  if (!batch.ok()) return Error{Errc::malformed, "a record ends past its batch"};

  in.bytes(1);  // attributes, which no version uses
  const std::int64_t timestamp_delta = in.varlong();
  const std::int32_t offset_delta = in.varint();
  record.key = in.nullable_bytes();
  record.value = in.nullable_bytes();
  read_headers(in, record.headers);
  if (!in.ok() || !in.left().empty())
    return Error{Errc::malformed, "a record's length does not fit its fields"};
  // Compaction leaves gaps, but never another order.
  if (offset_delta < next_delta_min_ || offset_delta > header_.last_offset_delta) {
    return Error{Errc::malformed, "a record's offset delta is " + std::to_string(offset_delta)};
  }
  record.offset = Offset(wrapping_add(header_.base_offset.value, offset_delta));
  record.timestamp = header_.timestamp_type() == TimestampType::log_append_time
                         ? header_.max_timestamp
                         : wrapping_add(header_.base_timestamp, timestamp_delta);
  left_ = batch.left();
  next_delta_min_ = std::int64_t{offset_delta} + 1;
  ++read_count_;
  return true;
}

}  // namespace sillok::protocol
