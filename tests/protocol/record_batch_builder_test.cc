#include "protocol/record_batch_builder.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "tests/support/batches.h"

namespace sillok::protocol {
namespace {

using tests::batch;
using tests::BatchMaker;
using tests::header_of;
using tests::kBatchTimestamp;
using tests::OwnedRecord;
using tests::read_records;

// What other implementations wrote; each file's first line says which.
Bytes golden(const std::string& name) {
  const auto path =
      std::filesystem::path(SILLOK_SOURCE_DIR) / "tests/protocol/golden_batches" / (name + ".hex");
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file.good());
  return tests::from_hex(std::string(std::istreambuf_iterator<char>(file), {}));
}

BatchMaker two_hundred_lines() {
  BatchMaker maker = batch();
  for (int i = 0; i < 200; ++i) {
    std::string value;
    for (int repeat = 0; repeat < 60; ++repeat) value += "line " + std::to_string(i) + " ";
    maker.record("key-" + std::to_string(i), value);
  }
  return maker;
}

}  // namespace

TEST_CASE("record batch builder: uncompressed batches are the bytes that other implementations write") {
  CHECK(golden("java_none") == batch().records(3).bytes());
  CHECK(golden("java_nulls") == batch()
                                    .keyless("no key", kBatchTimestamp)
                                    .tombstone("tombstone", kBatchTimestamp + 5)
                                    .null_record(kBatchTimestamp + 3)
                                    .record("", "", kBatchTimestamp - 9)
                                    .bytes());
  CHECK(golden("java_headers") == batch()
                                      .record("k", "v")
                                      .header("trace", "abc")
                                      .header("null", std::nullopt)
                                      .header("empty", "")
                                      .header("", "nameless")
                                      .bytes());
  CHECK(golden("java_transactional") == batch()
                                            .at(4294967296)
                                            .leader_epoch(12)
                                            .producer(9876543210, 7, 2147483646)
                                            .transactional()
                                            .records(3)
                                            .bytes());
  CHECK(golden("python_idempotent") == batch().leader_epoch(0).producer(1234, 5, 678).records(3).bytes());
  CHECK(golden("python_headers") == batch()
                                        .leader_epoch(0)
                                        .keyless("no key")
                                        .header("trace", "abc")
                                        .header("empty", "")
                                        .tombstone("tombstone", kBatchTimestamp + 5)
                                        .bytes());
}

TEST_CASE("record batch builder: batches of other implementations are read in every codec") {
  const auto expected = read_records(two_hundred_lines());
  REQUIRE(expected.size() == 200);
  for (const std::string writer : {"java_", "python_"}) {
    for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
      INFO(writer << to_string(codec));
      const Bytes bytes = golden(writer + to_string(codec));
      CHECK(header_of(bytes).codec() == codec);
      CHECK(read_records(bytes) == expected);
    }
  }
}

TEST_CASE("record batch builder: Java's highest zstd level is read") {
  const auto records = read_records(golden("java_zstd_22"));
  REQUIRE(records.size() == 100);
  CHECK(records[99].key == "k99");
}

TEST_CASE("record batch builder: Java's log append time is read as every record's time") {
  const Bytes bytes = golden("java_log_append_time");
  const auto header = header_of(bytes);
  CHECK(header.timestamp_type() == TimestampType::log_append_time);
  const auto records = read_records(bytes);
  REQUIRE(records.size() == 3);
  CHECK(records[2].offset == 102);
  for (const OwnedRecord& record : records) CHECK(record.timestamp == kBatchTimestamp + 77);
}

TEST_CASE("record batch builder: every codec keeps every record") {
  const auto expected = read_records(two_hundred_lines());
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    INFO(to_string(codec));
    const Bytes bytes = two_hundred_lines().codec(codec);
    CHECK(header_of(bytes).size() == bytes.size());
    CHECK(read_records(bytes) == expected);
  }
}

TEST_CASE("record batch builder: is empty and usable again after build()") {
  RecordBatchBuilder builder;
  builder.append(5, std::nullopt, as_bytes("first"));
  const Bytes first = builder.build().value();
  CHECK(builder.record_count() == 0);
  CHECK(builder.size_estimate() == kRecordBatchHeaderSize);
  builder.append(3, std::nullopt, as_bytes("second"));
  const Bytes second = builder.build().value();
  CHECK(header_of(second).max_timestamp == 3);
  CHECK(header_of(second).base_timestamp == 3);
  CHECK(read_records(second).front().value == "second");
  CHECK(read_records(first).front().value == "first");
}

TEST_CASE("record batch builder: its estimate is the size of the uncompressed batch") {
  RecordBatchBuilder builder;
  for (int i = 0; i < 300; ++i) {
    const RecordHeader header{"name", as_bytes("value")};
    builder.append(kBatchTimestamp + i * 1000, as_bytes(std::string(static_cast<std::size_t>(i), 'k')),
                   as_bytes("value"), {&header, 1});
  }
  const std::size_t estimate = builder.size_estimate();
  CHECK(builder.build().value().size() == estimate);
}

TEST_CASE("record batch builder: timestamps at the ends of their range survive") {
  constexpr TimestampMs kMin = std::numeric_limits<TimestampMs>::min();
  constexpr TimestampMs kMax = std::numeric_limits<TimestampMs>::max();
  const Bytes bytes = batch().record("k", "v", kMin).record("k", "v", kMax).record("k", "v", kNoTimestamp);
  CHECK(header_of(bytes).max_timestamp == kMax);
  const auto records = read_records(bytes);
  CHECK(records[0].timestamp == kMin);
  CHECK(records[1].timestamp == kMax);
  CHECK(records[2].timestamp == kNoTimestamp);
}

TEST_CASE("record batch builder: a level that the codec lacks is refused") {
  BatchOptions options;
  options.codec = Codec::gzip;
  options.level = 10;
  RecordBatchBuilder builder(options);
  builder.append(1, std::nullopt, as_bytes("value"));
  const auto refused = builder.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::invalid_argument);
}

TEST_CASE("batch maker: makes batches of exactly the size that a test wants") {
  for (const std::size_t size : {100UL, 1000UL, 16384UL, 1048588UL})
    CHECK(batch().sized(size).bytes().size() == size);
}

}  // namespace sillok::protocol
