#include "protocol/record_batch_view.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <string>

#include "tests/support/batches.h"
#include "tests/support/seed.h"

namespace sillok::protocol {
namespace {

using tests::batch;
using tests::from_hex;
using tests::header_of;
using tests::read_records;

constexpr std::size_t kLastOffsetDeltaPosition = 23;
constexpr std::size_t kRecordCountPosition = 57;

// An uncompressed batch with these bytes for records.
Bytes batch_with(std::string_view records_hex, std::int32_t count, std::int32_t last_offset_delta) {
  Bytes bytes = batch().at(100).record("", "").bytes();
  bytes.resize(kRecordBatchHeaderSize);
  const Bytes records = from_hex(records_hex);
  bytes.insert(bytes.end(), records.begin(), records.end());
  store_big_endian(bytes.data() + kBatchLengthPosition,
                   static_cast<std::int32_t>(bytes.size() - kRecordBatchOverhead));
  store_big_endian(bytes.data() + kRecordCountPosition, count);
  store_big_endian(bytes.data() + kLastOffsetDeltaPosition, last_offset_delta);
  tests::renew_crc(bytes);
  return bytes;
}

// ok() with the number of records, or the first error.
Result<int> count_records(ByteView bytes, std::size_t limit = kDecompressedSizeMax) {
  auto reader = TRY(RecordReader::open(header_of(bytes), bytes, limit));
  Record record;
  int count = 0;
  while (TRY(reader.next(record))) ++count;
  return count;
}

Errc refusal(ByteView bytes) {
  const auto result = count_records(bytes);
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

}  // namespace

TEST_CASE("record batch: a header with a size or magic that cannot be used is refused") {
  const Bytes good = batch().record("k", "v");
  const auto code_of = [](ByteView bytes) {
    const auto header = parse_record_batch_header(bytes);
    return header.ok() ? std::nullopt : std::optional(header.error().code);
  };
  CHECK_FALSE(code_of(good));
  CHECK_FALSE(code_of(ByteView(good).first(kRecordBatchHeaderSize)));
  CHECK(code_of(ByteView(good).first(kRecordBatchHeaderSize - 1)) == Errc::truncated);
  CHECK(code_of({}) == Errc::truncated);
  for (const std::int32_t length : {48, 0, -1, std::numeric_limits<std::int32_t>::min()}) {
    Bytes bad = good;
    store_big_endian(bad.data() + kBatchLengthPosition, length);
    CHECK(code_of(bad) == Errc::malformed);
  }
  for (const int magic : {0, 1, 3, -1}) {
    Bytes bad = good;
    bad[kMagicPosition] = static_cast<std::byte>(magic);
    CHECK(code_of(bad) == Errc::unsupported_version);
  }
}

TEST_CASE("record batch: what the broker writes is outside of the CRC") {
  Bytes bytes = batch().records(3);
  set_base_offset(bytes, Offset(1234567890123));
  set_leader_epoch(bytes, LeaderEpoch(42));
  const auto header = header_of(bytes);
  CHECK(header.base_offset == Offset(1234567890123));
  CHECK(header.leader_epoch == LeaderEpoch(42));
  CHECK(header.last_offset() == Offset(1234567890125));
  CHECK(header.next_offset() == Offset(1234567890126));
  CHECK(check_crc(header, bytes).ok());
}

TEST_CASE("record batch: log append time is every record's time, under a new CRC") {
  Bytes bytes = batch().records(3);
  const TimestampMs now = tests::kBatchTimestamp + 5000;
  set_log_append_time(bytes, now);
  const auto header = header_of(bytes);
  CHECK(header.timestamp_type() == TimestampType::log_append_time);
  CHECK(header.max_timestamp == now);
  CHECK(header.base_timestamp == tests::kBatchTimestamp);
  for (const auto& record : read_records(bytes)) CHECK(record.timestamp == now);
}

TEST_CASE("record batch: a corrected maximum timestamp keeps the type and gets a new CRC") {
  Bytes bytes = batch().records(2);
  set_max_timestamp(bytes, 77);
  const auto header = header_of(bytes);
  CHECK(header.max_timestamp == 77);
  CHECK(header.timestamp_type() == TimestampType::create_time);
  CHECK(check_crc(header, bytes).ok());
}

TEST_CASE("record batch: a changed byte under the CRC is corrupt") {
  const Bytes good = batch().records(3);
  const auto header = header_of(good);
  for (std::size_t position = kAttributesPosition; position < good.size(); ++position) {
    Bytes bad = good;
    bad[position] ^= std::byte{0x10};
    const auto checked = check_crc(header, bad);
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code == Errc::corrupt);
  }
}

TEST_CASE("record batch: the last sequence wraps to zero, and is -1 without sequences") {
  CHECK(header_of(batch().producer(1, 0, 10).records(5)).last_sequence() == 14);
  CHECK(header_of(batch().producer(1, 0, 2147483646).records(2)).last_sequence() == 2147483647);
  CHECK(header_of(batch().producer(1, 0, 2147483646).records(3)).last_sequence() == 0);
  CHECK(header_of(batch().producer(1, 0, 2147483647).records(4)).last_sequence() == 2);
  CHECK(header_of(batch().records(5)).last_sequence() == -1);
}

TEST_CASE("record batch: offsets at the end of their range wrap instead of overflowing") {
  const Bytes bytes = batch().at(std::numeric_limits<std::int64_t>::max()).records(3);
  CHECK(header_of(bytes).last_offset().value == std::numeric_limits<std::int64_t>::min() + 1);
  CHECK(count_records(bytes).value() == 3);
}

TEST_CASE("record reader: a null differs from an empty key or value") {
  const auto records = read_records(batch().at(7).tombstone("key").keyless("value").record("", ""));
  REQUIRE(records.size() == 3);
  CHECK(records[0].offset == 7);
  CHECK(records[0].key == "key");
  CHECK(records[0].value == std::nullopt);
  CHECK(records[1].key == std::nullopt);
  CHECK(records[1].value == "value");
  CHECK(records[2].offset == 9);
  CHECK(records[2].key == "");
  CHECK(records[2].value == "");
}

TEST_CASE("record reader: records that do not fit the format are malformed") {
  constexpr std::string_view kGood = "0c 00 00 00 01 01 00";
  CHECK(count_records(batch_with(kGood, 1, 0)).value() == 1);
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"negative record length", "01 00 00 00 01 01 00"},
      {"record longer than the batch", "0e 00 00 00 01 01 00"},
      {"record length of 2^31 - 1", "feffffff0f 00 00 00 01 01 00"},
      {"record length of -2^31", "ffffffff0f 00 00 00 01 01 00"},
      {"record length of ten bytes", "ffffffffffffffffff01 00 00 00 01 01 00"},
      {"record length cut short", "8c"},
      {"empty record", "00"},
      {"record shorter than its fields", "0a 00 00 00 01 01 00"},
      {"record longer than its fields", "0e 00 00 00 01 01 00 00"},
      {"key length of -2", "0c 00 00 00 03 01 00"},
      {"key length of 2^31 - 1", "14 00 00 00 feffffff0f 01 00"},
      {"key over the record's end, within the batch", "0c 00 00 00 0a 01 00 0000000000"},
      {"value length past the end", "0c 00 00 00 01 10 00"},
      {"value length of -2^31", "14 00 00 00 01 ffffffff0f 00"},
      {"header count of -1", "0c 00 00 00 01 01 01"},
      {"header count over what can be there", "10 00 00 00 01 01 04 00 01"},
      {"header count of 2^31 - 1", "14 00 00 00 01 01 feffffff0f"},
      {"header without a name", "10 00 00 00 01 01 02 01 01"},
      {"header value past the end", "10 00 00 00 01 01 02 00 02"},
      {"offset delta of -1", "0c 00 00 01 01 01 00"},
      {"offset delta past the last", "0c 00 00 02 01 01 00"},
      {"timestamp delta of eleven bytes", "20 00 ffffffffffffffffffff01 00 01 01 00"},
      {"bytes after the last record", "0c 00 00 00 01 01 00 00"},
      {"one more record than the header says", "0c 00 00 00 01 01 00 0c 00 00 02 01 01 00"},
      {"no record", ""},
  };
  for (const auto& [what, hex] : cases) {
    INFO(what);
    CHECK(refusal(batch_with(hex, 1, 0)) == Errc::malformed);
  }
}

TEST_CASE("record reader: a count over the records there are is malformed") {
  constexpr std::string_view kTwo = "0c 00 00 00 01 01 00 0c 00 00 02 01 01 00";
  CHECK(count_records(batch_with(kTwo, 2, 1)).value() == 2);
  CHECK(refusal(batch_with(kTwo, 3, 2)) == Errc::malformed);
  CHECK(refusal(batch_with(kTwo, 0x7fffffff, 0x7ffffffe)) == Errc::malformed);
  CHECK(refusal(batch_with(kTwo, 0, 1)) == Errc::malformed);
  CHECK(refusal(batch_with(kTwo, -1, 1)) == Errc::malformed);
}

TEST_CASE("record reader: a count below zero is malformed, though no records are there") {
  CHECK(count_records(batch_with("", 0, 0)).value() == 0);
  CHECK(refusal(batch_with("", -1, 0)) == Errc::malformed);
  CHECK(refusal(batch_with("", -2'147'483'647, 0)) == Errc::malformed);
}

TEST_CASE("record reader: offsets rise, with gaps where compaction made them") {
  CHECK(count_records(batch_with("0c 00 00 04 01 01 00 0c 00 00 0a 01 01 00", 2, 9)).value() == 2);
  CHECK(refusal(batch_with("0c 00 00 04 01 01 00 0c 00 00 04 01 01 00", 2, 9)) == Errc::malformed);
  CHECK(refusal(batch_with("0c 00 00 04 01 01 00 0c 00 00 02 01 01 00", 2, 9)) == Errc::malformed);
}

TEST_CASE("record reader: a batch that decompresses past its budget is refused") {
  const Bytes bytes = batch().codec(Codec::zstd).record("k", std::string(100000, 'v'));
  const auto result = count_records(bytes, 50000);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::budget_exceeded);
}

TEST_CASE("record reader: views stay valid when the reader moves") {
  const Bytes bytes = batch().codec(Codec::lz4).record("key", "a value").record("key", "another value");
  auto opened = RecordReader::open(header_of(bytes), bytes);
  REQUIRE(opened.ok());
  RecordReader first = std::move(opened).value();
  Record record;
  REQUIRE(first.next(record).value());
  RecordReader second = std::move(first);
  CHECK(as_text(*record.value) == "a value");
  REQUIRE(second.next(record).value());
  CHECK(as_text(*record.value) == "another value");
  CHECK_FALSE(second.next(record).value());
  CHECK_FALSE(second.next(record).value());
}

TEST_CASE("record reader: damaged batches end in an error or in records, never outside of their bytes") {
  constexpr int kRounds = 4000;
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    const auto codec = static_cast<Codec>(random() % 5);
    Bytes bytes = batch().codec(codec).records(20).header("trace", "abc").header("none", std::nullopt);
    for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      const std::size_t position = kAttributesPosition + random() % (bytes.size() - kAttributesPosition);
      bytes[position] = static_cast<std::byte>(random());
    }
    const auto result = count_records(bytes, 1 << 20);
    if (result.ok() && *result != header_of(bytes).record_count) FAIL("the count is not the header's");
  }
}

}  // namespace sillok::protocol
