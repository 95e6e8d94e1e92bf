#include "protocol/base/varint.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/batches.h"

namespace sillok {
namespace {

using tests::from_hex;
using tests::to_hex;

constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kInt64Min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

struct Example {
  std::int64_t value;
  std::string hex;
};

// As Apache Kafka's ByteUtils writes them.
const std::vector<Example> kVarints = {{0, "00"},
                                       {-1, "01"},
                                       {1, "02"},
                                       {63, "7e"},
                                       {-64, "7f"},
                                       {64, "8001"},
                                       {-65, "8101"},
                                       {8191, "fe7f"},
                                       {-8192, "ff7f"},
                                       {8192, "808001"},
                                       {-8193, "818001"},
                                       {1048575, "feff7f"},
                                       {1048576, "80808001"},
                                       {-1048577, "81808001"},
                                       {134217727, "feffff7f"},
                                       {-134217728, "ffffff7f"},
                                       {134217728, "8080808001"},
                                       {kInt32Max, "feffffff0f"},
                                       {kInt32Min, "ffffffff0f"}};
const std::vector<Example> kVarlongs = {{17179869183, "feffffff7f"},
                                        {17179869184, "808080808001"},
                                        {kInt64Max, "feffffffffffffffff01"},
                                        {kInt64Min, "ffffffffffffffffff01"}};

}  // namespace

TEST_CASE("varint: zigzag numbers have the bytes that Kafka gives them") {
  for (const auto& [value, hex] : kVarints) {
    const auto number = static_cast<std::int32_t>(value);
    INFO("value " << value);
    Bytes written;
    append_varint(written, number);
    CHECK(to_hex(written) == hex);
    CHECK(varint_size(number) == written.size());
    const auto read = read_varint(written);
    REQUIRE(read);
    CHECK(read->value == number);
    CHECK(read->size == written.size());
  }
}

TEST_CASE("varint: long zigzag numbers agree with the short ones, and go on to 64 bits") {
  for (const auto* examples : {&kVarints, &kVarlongs}) {
    for (const auto& [value, hex] : *examples) {
      INFO("value " << value);
      Bytes written;
      append_varlong(written, value);
      CHECK(to_hex(written) == hex);
      CHECK(varlong_size(value) == written.size());
      const auto read = read_varlong(written);
      REQUIRE(read);
      CHECK(read->value == value);
      CHECK(read->size == written.size());
    }
  }
}

TEST_CASE("varint: unsigned numbers are the plain seven-bit groups") {
  for (const std::uint32_t value : {0U, 1U, 127U, 128U, 300U, 16383U, 16384U, 0xffffffffU}) {
    Bytes written;
    append_unsigned_varint(written, value);
    CHECK(written.size() == unsigned_varint_size(value));
    CHECK(read_unsigned_varint(written)->value == value);
  }
  CHECK(read_unsigned_varint(from_hex("ac02"))->value == 300);
}

TEST_CASE("varint: a number that ends early is refused at every byte") {
  const Bytes longest = from_hex("ffffffffffffffffff01");
  for (std::size_t size = 0; size < longest.size(); ++size) {
    CHECK_FALSE(read_varlong(ByteView(longest).first(size)));
  }
  const Bytes five = from_hex("ffffffff0f");
  for (std::size_t size = 0; size < five.size(); ++size) CHECK_FALSE(read_varint(ByteView(five).first(size)));
}

TEST_CASE("varint: more bits than the type has are refused") {
  CHECK_FALSE(read_varint(from_hex("ffffffff10")));
  CHECK_FALSE(read_varint(from_hex("ffffffffff01")));
  CHECK_FALSE(read_unsigned_varint(from_hex("8080808080")));
  CHECK_FALSE(read_varlong(from_hex("ffffffffffffffffff02")));
  CHECK_FALSE(read_varlong(from_hex("8080808080808080808001")));
}

TEST_CASE("varint: bytes after the number are left alone") {
  const auto read = read_varint(from_hex("8001ffff"));
  REQUIRE(read);
  CHECK(read->value == 64);
  CHECK(read->size == 2);
}

TEST_CASE("varint: a padded number is read, as Kafka reads it") {
  CHECK(read_varint(from_hex("808000"))->value == 0);
  CHECK(read_varint(from_hex("808000"))->size == 3);
}

}  // namespace sillok
