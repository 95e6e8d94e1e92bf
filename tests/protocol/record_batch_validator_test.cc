#include "protocol/record_batch_validator.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/batches.h"

namespace sillok::protocol {
namespace {

using tests::batch;
using tests::header_of;
using tests::kBatchTimestamp;

constexpr std::size_t kLastOffsetDeltaPosition = 23;
constexpr std::size_t kRecordCountPosition = 57;
constexpr TimestampMs kHourMs = 3'600'000;

std::optional<Errc> refusal(ByteView bytes, const BatchRules& rules = {}, TimestampMs now = kBatchTimestamp) {
  const auto checked = check_batch(bytes, rules, now);
  if (checked.ok()) return std::nullopt;
  return checked.error().code;
}

std::optional<Errc> refusal(const tests::BatchMaker& maker, const BatchRules& rules = {}) {
  return refusal(maker.bytes(), rules);
}

template <class T>
Bytes patched(Bytes bytes, std::size_t position, T value) {
  store_big_endian(bytes.data() + position, value);
  tests::renew_crc(bytes);
  return bytes;
}

Bytes with_counts(std::int32_t count, std::int32_t last_offset_delta) {
  return patched(patched(batch().records(3).bytes(), kRecordCountPosition, count), kLastOffsetDeltaPosition,
                 last_offset_delta);
}

Result<TimestampMs> check_all(ByteView bytes, KeyRule keys, const BatchRules& rules = {}) {
  const PlainRecords records = TRY(plain_records(header_of(bytes), bytes));
  return check_records(header_of(bytes), records.view, rules, keys, kBatchTimestamp);
}

std::optional<Errc> records_refusal(ByteView bytes, KeyRule keys = KeyRule::optional) {
  const auto checked = check_all(bytes, keys);
  if (checked.ok()) return std::nullopt;
  return checked.error().code;
}

std::optional<Errc> records_refusal(const tests::BatchMaker& maker, KeyRule keys) {
  return records_refusal(maker.bytes(), keys);
}

}  // namespace

TEST_CASE("check_batch: what producers send is accepted, and its header given back") {
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const Bytes bytes = batch().codec(codec).producer(5, 1, 0).records(10);
    const auto checked = check_batch(bytes, {}, kBatchTimestamp);
    REQUIRE(checked.ok());
    CHECK(*checked == header_of(bytes));
  }
  CHECK_FALSE(refusal(batch().producer(5, 1, 3).transactional().records(1)));
}

TEST_CASE(
    "check_batch: any flipped bit of a header is refused, but for the leader epoch, which the broker "
    "writes") {
  const Bytes good = batch().producer(5, 1, 3).records(3);
  for (std::size_t bit = 0; bit < kRecordBatchHeaderSize * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    const bool in_leader_epoch = bit / 8 >= kLeaderEpochPosition && bit / 8 < kMagicPosition;
    if (refusal(bad).has_value() == in_leader_epoch) FAIL("bit " << bit % 8 << " of byte " << bit / 8);
  }
}

TEST_CASE("check_batch: a flipped bit of a record is corrupt") {
  const Bytes good = batch().records(3);
  for (std::size_t position = kRecordBatchHeaderSize; position < good.size(); ++position) {
    Bytes bad = good;
    bad[position] ^= std::byte{1};
    CHECK(refusal(bad) == Errc::corrupt);
  }
}

TEST_CASE("check_batch: not exactly one batch is an invalid record") {
  const Bytes one = batch().records(3);
  CHECK(refusal(Bytes{}) == Errc::invalid_record);
  CHECK(refusal(tests::join({one, one})) == Errc::invalid_record);
  CHECK(refusal(tests::join({one, Bytes(1)})) == Errc::invalid_record);
  for (std::size_t size = 0; size < one.size(); ++size) {
    if (refusal(ByteView(one).first(size)) != Errc::invalid_record) FAIL("cut at " << size);
  }
  for (const std::int32_t length : {49, 100000, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = one;
    store_big_endian(bytes.data() + kBatchLengthPosition, length);
    CHECK(refusal(bytes) == Errc::invalid_record);
  }
}

TEST_CASE("check_batch: a length that no batch has is corrupt") {
  for (const std::int32_t length : {48, 0, -1, std::numeric_limits<std::int32_t>::min()}) {
    Bytes bytes = batch().records(3);
    store_big_endian(bytes.data() + kBatchLengthPosition, length);
    CHECK(refusal(bytes) == Errc::corrupt);
  }
}

TEST_CASE("check_batch: the old message formats are unsupported, unknown ones corrupt") {
  Bytes bytes = batch().records(3);
  for (const int magic : {0, 1}) {
    bytes[kMagicPosition] = static_cast<std::byte>(magic);
    CHECK(refusal(bytes) == Errc::unsupported_version);
  }
  for (const int magic : {3, 127, -1, -128}) {
    bytes[kMagicPosition] = static_cast<std::byte>(magic);
    CHECK(refusal(bytes) == Errc::corrupt);
  }
}

TEST_CASE("check_batch: producers count offsets from zero") {
  CHECK(refusal(batch().at(1).records(1)) == Errc::invalid_record);
  CHECK(refusal(batch().at(-1).records(1)) == Errc::invalid_record);
}

TEST_CASE("check_batch: counts must agree, and be possible") {
  CHECK_FALSE(refusal(with_counts(3, 2)));
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  const std::pair<std::int32_t, std::int32_t> wrong[] = {
      {0, -1}, {0, 0}, {-1, -2},         {-1, 2},   {3, 3},
      {3, 1},  {2, 2}, {kMax, kMax - 1}, {kMax, 2}, {-kMax - 1, kMax}};
  for (const auto& [count, delta] : wrong) {
    INFO(count << " records, last offset delta " << delta);
    CHECK(refusal(with_counts(count, delta)) == Errc::invalid_record);
  }
  Bytes compressed = patched(batch().codec(Codec::zstd).records(3).bytes(), kRecordCountPosition, kMax);
  compressed = patched(compressed, kLastOffsetDeltaPosition, kMax - 1);
  CHECK(refusal(compressed) == Errc::invalid_record);
}

TEST_CASE(
    "check_batch: lz4 blocks that depend on each other are refused, since Kafka's client cannot read them") {
  Bytes bytes = batch().codec(Codec::lz4).records(3);
  CHECK(check_batch(bytes, {}, kBatchTimestamp).ok());
  bytes[kRecordBatchHeaderSize + 4] &= std::byte{0xdf};
  tests::renew_crc(bytes);
  CHECK(refusal(bytes) == Errc::invalid_record);
}

TEST_CASE("check_batch: an unknown codec, a control batch and a missing sequence are invalid records") {
  for (const int codec : {5, 6, 7}) {
    CHECK(refusal(patched(batch().records(1).bytes(), kAttributesPosition,
                          static_cast<std::int16_t>(codec))) == Errc::invalid_record);
  }
  CHECK(refusal(batch().control().records(1)) == Errc::invalid_record);
  CHECK(refusal(batch().producer(1, 0, -1).records(1)) == Errc::invalid_record);
  CHECK(refusal(batch().producer(0, 0, -2).records(1)) == Errc::invalid_record);
}

TEST_CASE("check_batch: the size limit counts the whole batch") {
  const Bytes bytes = batch().sized(1000);
  BatchRules rules;
  rules.size_max = 1000;
  CHECK_FALSE(refusal(bytes, rules));
  rules.size_max = 999;
  CHECK(refusal(bytes, rules) == Errc::too_large);
  CHECK_FALSE(refusal(batch().sized(1048588)));
  CHECK(refusal(batch().sized(1048589)) == Errc::too_large);
}

TEST_CASE("check_batch: timestamps may be an hour ahead by default, and as old as they like") {
  const auto at = [](TimestampMs timestamp) { return batch().record("k", "v", timestamp).bytes(); };
  CHECK_FALSE(refusal(at(kBatchTimestamp + kHourMs)));
  CHECK(refusal(at(kBatchTimestamp + kHourMs + 1)) == Errc::invalid_timestamp);
  CHECK(refusal(at(std::numeric_limits<TimestampMs>::max())) == Errc::invalid_timestamp);
  CHECK_FALSE(refusal(at(0)));
  CHECK_FALSE(refusal(at(kNoTimestamp)));
  // The latest counts, wherever it is.
  CHECK(
      refusal(
          batch().record("k", "v", 5).record("k", "v", kBatchTimestamp + 2 * kHourMs).record("k", "v", 5)) ==
      Errc::invalid_timestamp);
}

TEST_CASE("check_batch: a limit on the age of timestamps is kept") {
  BatchRules rules;
  rules.timestamp_before_max_ms = kHourMs;
  CHECK_FALSE(refusal(batch().record("k", "v", kBatchTimestamp - kHourMs), rules));
  CHECK(refusal(batch().record("k", "v", kBatchTimestamp - kHourMs - 1), rules) == Errc::invalid_timestamp);
  CHECK(refusal(batch().record("k", "v", std::numeric_limits<TimestampMs>::min()), rules) ==
        Errc::invalid_timestamp);
  CHECK_FALSE(refusal(batch().record("k", "v", kNoTimestamp), rules));
}

TEST_CASE("check_batch: where the broker sets the time, the producer's does not matter") {
  BatchRules rules;
  rules.timestamp_type = TimestampType::log_append_time;
  CHECK_FALSE(refusal(batch().record("k", "v", kBatchTimestamp + 10 * kHourMs), rules));
}

TEST_CASE("check_batch: only the broker may say that a batch has log append time") {
  CHECK(refusal(batch().log_append_time().records(1)) == Errc::invalid_timestamp);
}

TEST_CASE("check_records: gives the true maximum timestamp, whatever the header says") {
  const Bytes honest =
      batch().codec(Codec::gzip).record("a", "1", 50).record("b", "2", 90).record("c", "3", 70);
  const Bytes wrong = patched(honest, kMaxTimestampPosition, TimestampMs{60});
  for (const Bytes& bytes : {honest, wrong}) {
    CHECK(check_all(bytes, KeyRule::optional).value() == 90);
  }
}

TEST_CASE("check_records: compacted topics need keys") {
  const Bytes bytes = batch().record("key", "value").keyless("value");
  CHECK_FALSE(records_refusal(bytes));
  CHECK(records_refusal(bytes, KeyRule::required) == Errc::invalid_record);
  CHECK_FALSE(records_refusal(batch().record("", "value").tombstone("key"), KeyRule::required));
}

TEST_CASE("check_records: a timestamp out of range is found inside of the batch") {
  const Bytes bytes =
      batch().record("a", "1").record("b", "2", kBatchTimestamp + 2 * kHourMs).record("c", "3");
  const Bytes hidden = patched(bytes, kMaxTimestampPosition, kBatchTimestamp);
  CHECK_FALSE(refusal(hidden));
  CHECK(records_refusal(hidden) == Errc::invalid_timestamp);
}

TEST_CASE("check_records: offsets have no gaps, and the records are as many as the header says") {
  CHECK_FALSE(records_refusal(with_counts(3, 2)));
  CHECK(records_refusal(with_counts(2, 1)) == Errc::invalid_record);
  CHECK(records_refusal(with_counts(4, 3)) == Errc::invalid_record);
  // The offset delta of the last record, one byte: 4 for 2, which the header admits.
  Bytes gap = batch().keyless("").keyless("").keyless("");
  constexpr std::size_t kRecordSize = 7;
  gap[kRecordBatchHeaderSize + 2 * kRecordSize + 3] = std::byte{0x08};
  gap = patched(gap, kLastOffsetDeltaPosition, std::int32_t{4});
  CHECK(tests::read_records(gap).back().offset == 4);
  CHECK(records_refusal(gap) == Errc::invalid_record);
}

TEST_CASE("check_records: bytes that are not of the codec are corrupt") {
  const Bytes bytes = batch().codec(Codec::none).records(3);
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    CHECK(records_refusal(patched(bytes, kAttributesPosition, static_cast<std::int16_t>(codec))) ==
          Errc::corrupt);
  }
}

TEST_CASE("check_batch: what is too short for its magic is judged by its length") {
  Bytes bytes(17);
  for (const std::int32_t length : {0, 13}) {
    store_big_endian(bytes.data() + kBatchLengthPosition, length);
    CHECK(refusal(ByteView(bytes).first(12)) == Errc::corrupt);
  }
  store_big_endian(bytes.data() + kBatchLengthPosition, std::int32_t{14});
  bytes[kMagicPosition] = std::byte{2};
  CHECK(refusal(bytes) == Errc::invalid_record);
  CHECK_FALSE(is_one_batch(bytes));
  CHECK(is_one_batch(batch().records(1).bytes()));
}

TEST_CASE("faults_of_records: the records that are wrong by themselves are told, up to a limit") {
  const auto faulty = [](const tests::BatchMaker& maker, KeyRule keys) {
    const Bytes bytes = maker.bytes();
    std::vector<std::int32_t> indexes;
    for (const RecordFault& fault : faults_of_records(header_of(bytes), bytes, {}, keys, kBatchTimestamp)) {
      CHECK_FALSE(fault.reason.empty());
      indexes.push_back(fault.index);
    }
    return indexes;
  };
  const TimestampMs late = kBatchTimestamp + 2 * kHourMs;
  const auto mixed =
      batch().codec(Codec::gzip).record("k", "v").keyless("v").record("k", "v", late).keyless("v", late);
  CHECK(faulty(mixed, KeyRule::optional) == std::vector<std::int32_t>{2, 3});
  CHECK(faulty(mixed, KeyRule::required) == std::vector<std::int32_t>{1, 2, 3});
  CHECK(faulty(batch().log_append_time().records(2), KeyRule::optional) == std::vector<std::int32_t>{0, 1});
  auto many = batch();
  for (std::size_t i = 0; i < kRecordFaultsMax + 5; ++i) many.keyless("v");
  CHECK(faulty(many, KeyRule::required).size() == kRecordFaultsMax);
}

}  // namespace sillok::protocol
