#include "storage/recovery_points.h"

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

const std::string kPath = "/sillok-recovery-points";

PartitionRecoveryPoint point(std::string topic, std::int32_t partition, std::int64_t offset) {
  PartitionRecoveryPoint entry;
  entry.topic = std::move(topic);
  entry.partition = PartitionIndex(partition);
  entry.topic_id.bytes.front() = 5;
  entry.topic_id.bytes.back() = 6;
  entry.point.offset = Offset(offset);
  entry.point.segment_base = Offset(offset / 2);
  entry.point.position = FilePosition(offset * 100);
  entry.point.leader_epoch = LeaderEpoch(3);
  entry.point.offset_index = {17, 0x12345678};
  entry.point.time_index = {9, 0xfedcba98};
  return entry;
}

// With a checksum that fits, so that what is refused is the content.
void seal(Bytes& file) { store_big_endian(file.data() + 2, crc32c(ByteView(file).subspan(6))); }

Errc code_of(ByteView file) {
  const auto parsed = parse_recovery_points(file);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().code;
}

}  // namespace

TEST_CASE("recovery points: the bytes are those of the format") {
  const std::vector<PartitionRecoveryPoint> points = {point("ab", 1, 4)};
  const Bytes expected = tests::from_hex(
      "0002"      // version
      "00000000"  // checksum
      "00000001"  // count
      "0002"
      "6162"                              // topic
      "00000001"                          // partition
      "05000000000000000000000000000006"  // topic id
      "0000000000000004"                  // offset
      "0000000000000002"                  // segment base
      "0000000000000190"                  // position
      "00000003"                          // leader epoch
      "00000011"
      "12345678"
      "00000009"
      "fedcba98");
  Bytes sealed = expected;
  seal(sealed);
  REQUIRE(serialize_recovery_points(points) == sealed);
  REQUIRE(parse_recovery_points(sealed).value() == points);
}

TEST_CASE("recovery points: none, and ten thousand, come back as they were") {
  REQUIRE(parse_recovery_points(serialize_recovery_points({})).value().empty());
  std::vector<PartitionRecoveryPoint> points;
  for (std::int32_t i = 0; i < 10'000; ++i)
    points.push_back(point("topic-" + std::to_string(i % 100), i / 100, i));
  REQUIRE(parse_recovery_points(serialize_recovery_points(points)).value() == points);
}

TEST_CASE("recovery points: a flipped bit anywhere is found") {
  const Bytes file = serialize_recovery_points(std::vector{point("orders", 0, 42), point("orders", 1, 7)});
  for (std::size_t i = 0; i < file.size() * 8; ++i) {
    Bytes damaged = file;
    damaged[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
    REQUIRE_FALSE(parse_recovery_points(damaged).ok());
  }
}

TEST_CASE("recovery points: a file that ends early, or goes on, is refused") {
  Bytes file = serialize_recovery_points(std::vector{point("orders", 0, 42)});
  for (std::size_t size = 0; size < file.size(); ++size) {
    Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(code_of(cut) == Errc::corrupt);
    if (size < 10) continue;
    seal(cut);
    REQUIRE(code_of(cut) == Errc::corrupt);
  }
  file.push_back(std::byte{0});
  seal(file);
  REQUIRE(code_of(file) == Errc::corrupt);
}

TEST_CASE("recovery points: values that cannot be are refused though the checksum fits") {
  const auto refuses = [](auto change) {
    auto entry = point("orders", 0, 42);
    change(entry);
    return code_of(serialize_recovery_points(std::vector{entry})) == Errc::corrupt;
  };
  REQUIRE(refuses([](auto& entry) { entry.partition = PartitionIndex(-1); }));
  REQUIRE(refuses([](auto& entry) { entry.point.segment_base = Offset(43); }));
  REQUIRE(refuses([](auto& entry) { entry.point.segment_base = Offset(-1); }));
  REQUIRE(refuses([](auto& entry) { entry.point.position = FilePosition(-1); }));
  REQUIRE(refuses([](auto& entry) { entry.point.leader_epoch = LeaderEpoch(-2); }));
  REQUIRE(refuses([](auto& entry) { entry.point.offset_index.entry_count = -1; }));
  REQUIRE(refuses([](auto& entry) { entry.point.time_index.entry_count = -1; }));
  REQUIRE(code_of(serialize_recovery_points(std::vector{point("a", 0, 1), point("a", 0, 2)})) ==
          Errc::corrupt);
}

TEST_CASE("recovery points: a count that lies costs no memory, and another version is told apart") {
  Bytes file = serialize_recovery_points({});
  store_big_endian(file.data() + 6, std::int32_t{0x7fffffff});
  seal(file);
  REQUIRE(code_of(file) == Errc::corrupt);
  store_big_endian(file.data() + 6, std::int32_t{-1});
  seal(file);
  REQUIRE(code_of(file) == Errc::corrupt);
  store_big_endian(file.data(), std::int16_t{3});
  REQUIRE(code_of(file) == Errc::unsupported_version);
}

TEST_CASE("recovery points: no bytes break the reader") {
  const std::uint64_t first = tests::seed();
  INFO("seed " << first);
  std::mt19937_64 random(first);
  const Bytes file = serialize_recovery_points(std::vector{point("orders", 0, 42), point("b", 1, 7)});
  for (int i = 0; i < 5000; ++i) {
    Bytes damaged = file;
    for (std::uint64_t change = random() % 4 + 1; change > 0; --change) {
      damaged[random() % damaged.size()] = static_cast<std::byte>(random());
    }
    damaged.resize(10 + random() % (damaged.size() - 9));
    store_big_endian(damaged.data(), std::int16_t{2});
    seal(damaged);
    (void)parse_recovery_points(damaged).ok();
  }
}

TEST_CASE("recovery points file: is durable when written, may be missing, and an error names it") {
  tests::MemFileSystem file_system;
  REQUIRE(read_recovery_points(file_system, "/").value().empty());
  const std::vector<PartitionRecoveryPoint> points = {point("orders", 0, 42)};
  REQUIRE(write_recovery_points(file_system, "/", points).ok());
  auto left = file_system.after_crash(1, tests::CrashMode::lose_all);
  REQUIRE(read_recovery_points(*left, "/").value() == points);
  REQUIRE(left->corrupt(kPath, FilePosition(20), as_bytes("x")).ok());
  REQUIRE(read_recovery_points(*left, "/").error().describe() ==
          "corrupt: " + kPath + ": the checksum does not fit");
}

}  // namespace sillok::storage
