#include "storage/producer_snapshot.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "protocol/base/crc32c.h"
#include "tests/support/batches.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

ProducerSnapshotEntry entry(std::int64_t producer_id) {
  ProducerSnapshotEntry made;
  made.producer_id = ProducerId(producer_id);
  made.epoch = ProducerEpoch(3);
  made.last_sequence = 9;
  made.last_offset = Offset(100);
  made.offset_delta = 4;
  made.timestamp = 1'767'225'600'000;
  return made;
}

// With a checksum that fits, so that what is refused is the content.
void seal(Bytes& file) { store_big_endian(file.data() + 2, crc32c(ByteView(file).subspan(6))); }

Errc code_of(ByteView file) {
  const auto parsed = parse_producer_snapshot(file);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().code;
}

}  // namespace

TEST_CASE("producer snapshot: the bytes are Kafka's") {
  const std::vector<ProducerSnapshotEntry> entries = {entry(1000)};
  Bytes expected = tests::from_hex(
      "0001"                // version
      "00000000"            // checksum
      "00000001"            // count
      "00000000000003e8"    // producer id
      "0003"                // epoch
      "00000009"            // last sequence
      "0000000000000064"    // last offset
      "00000004"            // offset delta
      "0000019b76daa800"    // timestamp
      "ffffffff"            // coordinator epoch
      "ffffffffffffffff");  // first offset of an open transaction
  seal(expected);
  REQUIRE(serialize_producer_snapshot(entries) == expected);
  REQUIRE(parse_producer_snapshot(expected).value() == entries);
  REQUIRE(parse_producer_snapshot(serialize_producer_snapshot({})).value().empty());
}

TEST_CASE("producer snapshot: a producer without a batch comes back as it was") {
  ProducerSnapshotEntry marked;
  marked.producer_id = ProducerId(5);
  marked.epoch = ProducerEpoch(0);
  marked.coordinator_epoch = 12;
  marked.open_transaction_offset = Offset(40);
  const std::vector<ProducerSnapshotEntry> entries = {marked, entry(6)};
  REQUIRE(parse_producer_snapshot(serialize_producer_snapshot(entries)).value() == entries);
}

TEST_CASE("producer snapshot: a flipped bit anywhere is found") {
  const Bytes file = serialize_producer_snapshot(std::vector{entry(1), entry(2)});
  for (std::size_t i = 0; i < file.size() * 8; ++i) {
    Bytes damaged = file;
    damaged[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
    REQUIRE_FALSE(parse_producer_snapshot(damaged).ok());
  }
}

TEST_CASE("producer snapshot: a file that ends early, or goes on, is refused") {
  Bytes file = serialize_producer_snapshot(std::vector{entry(1), entry(2)});
  for (std::size_t size = 0; size < file.size(); ++size) {
    Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= 10) seal(cut);
    REQUIRE(code_of(cut) == Errc::corrupt);
  }
  file.push_back(std::byte{0});
  seal(file);
  REQUIRE(code_of(file) == Errc::corrupt);
}

TEST_CASE("producer snapshot: values that cannot be are refused though the checksum fits") {
  const auto refuses = [](auto change) {
    auto changed = entry(1);
    change(changed);
    return code_of(serialize_producer_snapshot(std::vector{changed})) == Errc::corrupt;
  };
  REQUIRE(refuses([](auto& e) { e.producer_id = ProducerId(-1); }));
  REQUIRE(refuses([](auto& e) { e.epoch = ProducerEpoch(-1); }));
  REQUIRE(refuses([](auto& e) { e.last_sequence = -1; }));
  REQUIRE(refuses([](auto& e) { e.last_offset = Offset(-2); }));
  REQUIRE(refuses([](auto& e) { e.offset_delta = -1; }));
  REQUIRE(refuses([](auto& e) { e.offset_delta = 101; }));
  REQUIRE(refuses([](auto& e) { e.coordinator_epoch = -2; }));
  REQUIRE(refuses([](auto& e) { e.open_transaction_offset = Offset(-2); }));
  REQUIRE(code_of(serialize_producer_snapshot(std::vector{entry(1), entry(1)})) == Errc::corrupt);
}

TEST_CASE("producer snapshot: a count that lies costs no memory, and another version is told apart") {
  Bytes file = serialize_producer_snapshot({});
  for (const std::int32_t count : {1, -1, 0x7fffffff}) {
    store_big_endian(file.data() + 6, count);
    seal(file);
    REQUIRE(code_of(file) == Errc::corrupt);
  }
  store_big_endian(file.data(), std::int16_t{2});
  REQUIRE(code_of(file) == Errc::unsupported_version);
}

TEST_CASE(
    "producer snapshot file: has the offset for its name, is durable when written, and an error names it") {
  tests::MemFileSystem file_system;
  REQUIRE(read_producer_snapshot(file_system, "/", Offset(42)).error().code == Errc::not_found);
  const std::vector<ProducerSnapshotEntry> entries = {entry(1), entry(2)};
  REQUIRE(write_producer_snapshot(file_system, "/", Offset(42), entries).ok());
  auto left = file_system.after_crash(1, tests::CrashMode::lose_all);
  REQUIRE(left->exists("/00000000000000000042.snapshot").value());
  REQUIRE(read_producer_snapshot(*left, "/", Offset(42)).value() == entries);
  REQUIRE(left->corrupt("/00000000000000000042.snapshot", FilePosition(20), as_bytes("x")).ok());
  REQUIRE(read_producer_snapshot(*left, "/", Offset(42)).error().describe() ==
          "corrupt: /00000000000000000042.snapshot: the checksum does not fit");
}

}  // namespace sillok::storage
