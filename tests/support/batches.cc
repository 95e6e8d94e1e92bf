#include "tests/support/batches.h"

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"
#include "protocol/record_batch_builder.h"

namespace sillok::tests {
namespace {

constexpr std::int16_t kLogAppendTimeBit = 0x08;
constexpr std::int16_t kTransactionalBit = 0x10;
constexpr std::int16_t kControlBit = 0x20;

std::optional<ByteView> view_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return as_bytes(*text);
}

std::optional<std::string> text_of(const std::optional<ByteView>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

OwnedRecord own(const protocol::Record& record) {
  OwnedRecord owned{record.offset.value, record.timestamp, text_of(record.key), text_of(record.value), {}};
  for (const auto& header : record.headers) owned.headers.emplace_back(header.key, text_of(header.value));
  return owned;
}

}  // namespace

BatchMaker& BatchMaker::at(std::int64_t base_offset) {
  base_offset_ = base_offset;
  return *this;
}

BatchMaker& BatchMaker::leader_epoch(std::int32_t epoch) {
  leader_epoch_ = epoch;
  return *this;
}

BatchMaker& BatchMaker::codec(protocol::Codec codec) {
  codec_ = codec;
  return *this;
}

BatchMaker& BatchMaker::producer(std::int64_t id, std::int16_t epoch, std::int32_t base_sequence) {
  producer_id_ = id;
  producer_epoch_ = epoch;
  base_sequence_ = base_sequence;
  return *this;
}

BatchMaker& BatchMaker::log_append_time() {
  attribute_bits_ |= kLogAppendTimeBit;
  return *this;
}

BatchMaker& BatchMaker::transactional() {
  attribute_bits_ |= kTransactionalBit;
  return *this;
}

BatchMaker& BatchMaker::control() {
  attribute_bits_ |= kControlBit;
  return *this;
}

BatchMaker& BatchMaker::add(OwnedRecord record, std::optional<TimestampMs> timestamp) {
  record.timestamp = timestamp.value_or(kBatchTimestamp + static_cast<TimestampMs>(records_.size()));
  records_.push_back(std::move(record));
  return *this;
}

BatchMaker& BatchMaker::record(std::string_view key, std::string_view value,
                               std::optional<TimestampMs> timestamp) {
  return add({0, 0, std::string(key), std::string(value), {}}, timestamp);
}

BatchMaker& BatchMaker::keyless(std::string_view value, std::optional<TimestampMs> timestamp) {
  return add({0, 0, std::nullopt, std::string(value), {}}, timestamp);
}

BatchMaker& BatchMaker::null_record(std::optional<TimestampMs> timestamp) { return add({}, timestamp); }

BatchMaker& BatchMaker::tombstone(std::string_view key, std::optional<TimestampMs> timestamp) {
  return add({0, 0, std::string(key), std::nullopt, {}}, timestamp);
}

BatchMaker& BatchMaker::records(int count) {
  for (int i = 0; i < count; ++i) record("key-" + std::to_string(i), "value-" + std::to_string(i));
  return *this;
}

BatchMaker& BatchMaker::sized(std::size_t size) {
  CHECK(records_.empty());
  keyless("");
  const std::size_t size_min = bytes().size();
  CHECK(size >= size_min);
  // The two length fields grow with the value: what is too much is taken off again.
  records_[0].value->assign(size - size_min, 'v');
  while (bytes().size() > size) records_[0].value->pop_back();
  CHECK(bytes().size() == size);
  return *this;
}

BatchMaker& BatchMaker::header(std::string_view key, std::optional<std::string_view> value) {
  CHECK(!records_.empty());
  records_.back().headers.emplace_back(key, value);
  return *this;
}

Bytes BatchMaker::bytes() const {
  protocol::BatchOptions options;
  options.codec = codec_;
  options.base_offset = Offset(base_offset_);
  options.leader_epoch = LeaderEpoch(leader_epoch_);
  options.producer_id = ProducerId(producer_id_);
  options.producer_epoch = ProducerEpoch(producer_epoch_);
  options.base_sequence = base_sequence_;
  protocol::RecordBatchBuilder builder(options);
  for (const OwnedRecord& record : records_) {
    std::vector<protocol::RecordHeader> headers;
    for (const auto& [key, value] : record.headers) headers.push_back({key, view_of(value)});
    builder.append(record.timestamp, view_of(record.key), view_of(record.value), headers);
  }
  auto built = builder.build();
  CHECK(built.ok());
  Bytes bytes = std::move(built).value();
  std::byte* const attributes = bytes.data() + protocol::kAttributesPosition;
  store_big_endian(attributes,
                   static_cast<std::int16_t>(load_big_endian<std::int16_t>(attributes) | attribute_bits_));
  renew_crc(bytes);
  return bytes;
}

void renew_crc(MutableByteView batch) {
  store_big_endian(batch.data() + protocol::kCrcPosition,
                   crc32c(batch.subspan(protocol::kAttributesPosition)));
}

Bytes join(std::initializer_list<Bytes> batches) {
  Bytes joined;
  for (const Bytes& bytes : batches) joined.insert(joined.end(), bytes.begin(), bytes.end());
  return joined;
}

protocol::RecordBatchHeader header_of(ByteView bytes) {
  auto header = protocol::parse_record_batch_header(bytes);
  CHECK(header.ok());
  return *header;
}

std::vector<OwnedRecord> read_records(ByteView bytes) {
  std::vector<OwnedRecord> records;
  while (!bytes.empty()) {
    const auto header = header_of(bytes);
    CHECK(header.size() <= bytes.size());
    const ByteView batch = bytes.first(header.size());
    CHECK(protocol::check_crc(header, batch).ok());
    auto reader = protocol::RecordReader::open(header, batch);
    CHECK(reader.ok());
    protocol::Record record;
    while (true) {
      const auto more = reader->next(record);
      CHECK(more.ok());
      if (!*more) break;
      records.push_back(own(record));
    }
    bytes = bytes.subspan(header.size());
  }
  return records;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  bool in_comment = false;
  for (const char character : text) {
    if (character == '#') in_comment = true;
    if (character == '\n') in_comment = false;
    if (in_comment || character == ' ' || character == '\n') continue;
    const std::size_t digit = std::string_view("0123456789abcdef").find(character);
    CHECK(digit != std::string_view::npos);
    if (high >= 0) bytes.push_back(static_cast<std::byte>(high << 4 | static_cast<int>(digit)));
    high = high >= 0 ? -1 : static_cast<int>(digit);
  }
  CHECK(high < 0);
  return bytes;
}

std::string to_hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text.push_back(kDigits[static_cast<std::size_t>(byte >> 4)]);
    text.push_back(kDigits[static_cast<std::size_t>(byte & std::byte{0x0f})]);
  }
  return text;
}

}  // namespace sillok::tests
