#include "protocol/base/crc32c.h"

#include <array>
#include <catch2/catch.hpp>

#include "tests/support/batches.h"

namespace sillok {
namespace {

// One bit at a time, by the definition: the reversed polynomial of Castagnoli.
std::uint32_t crc32c_by_definition(ByteView bytes) {
  std::uint32_t state = 0xffffffff;
  for (const std::byte byte : bytes) {
    state ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~state;
}

Bytes counting_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: gives the values of RFC 3720, appendix B.4") {
  Bytes bytes(32, std::byte{0});
  CHECK(crc32c(bytes) == 0x8a9136aa);
  bytes.assign(32, std::byte{0xff});
  CHECK(crc32c(bytes) == 0x62a8ab43);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  CHECK(crc32c(bytes) == 0x46dd794e);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  CHECK(crc32c(bytes) == 0x113fdb5c);
  const Bytes read_command = tests::from_hex(
      "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 "
      "00000000");
  CHECK(crc32c(read_command) == 0xd9963a56);
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("crc32c: equals its definition for every length to 300 from every alignment") {
  const Bytes bytes = counting_bytes(320);
  for (std::size_t start = 0; start < 16; ++start) {
    for (std::size_t size = 0; size <= 300; ++size) {
      const ByteView part = ByteView(bytes).subspan(start, size);
      if (crc32c(part) != crc32c_by_definition(part)) FAIL("start " << start << ", size " << size);
    }
  }
}

TEST_CASE("crc32c: continues from a part as if it were whole") {
  const Bytes bytes = counting_bytes(5000);
  const ByteView whole = bytes;
  const std::uint32_t expected = crc32c_by_definition(whole);
  for (const std::size_t cut : {0UL, 1UL, 7UL, 8UL, 63UL, 64UL, 1000UL, 4999UL, 5000UL}) {
    CHECK(crc32c(whole.subspan(cut), crc32c(whole.first(cut))) == expected);
  }
}

}  // namespace sillok
