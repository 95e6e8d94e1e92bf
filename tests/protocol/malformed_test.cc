// Lengths and counts from outside are lies until checked: every one of them, with every kind of lie.
#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "protocol/base/ids.h"
#include "protocol/wire/decode.h"
#include "protocol/wire/encoder.h"
#include "tests/support/batches.h"

namespace sillok::protocol {
namespace {

using tests::from_hex;

struct Pair {
  std::int16_t a = 0;
  std::int16_t b = 0;
  bool operator==(const Pair&) const = default;
  static constexpr auto kSchema = schema(field<&Pair::a>("A"), field<&Pair::b>("B"));
};

// One value, in classic form in version 0 and in flexible form in version 1.
template <class Value>
struct Only {
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = since(1);
  Value value{};
  static constexpr auto kSchema = schema(field<&Only::value>("Value"));
};

enum class LengthBytes { two = 2, four = 4 };

// A message of one value whose length says `length`, followed by `left` zero bytes.
Bytes with_length(Version version, LengthBytes length_bytes, std::int64_t length, std::size_t left) {
  Bytes out;
  Encoder encoder(out);
  if (version == 1) {
    encoder.unsigned_varint(static_cast<std::uint32_t>(length + 1));
  } else if (length_bytes == LengthBytes::two) {
    encoder.integer(static_cast<std::int16_t>(length));
  } else {
    encoder.integer(static_cast<std::int32_t>(length));
  }
  encoder.bytes(Bytes(left));
  static_cast<void>(encoder.finish());
  return out;
}

template <class Value>
Result<void> decode_only(const Bytes& bytes, Version version) {
  Only<Value> message;
  Decoder in(bytes);
  return decode(in, message, version);
}

// Every lie about the length of a `Value`, with some bytes after it.
template <class Value>
void check_lies(LengthBytes length_bytes) {
  constexpr std::size_t kLeft = 5;
  for (const Version version : {Version{0}, Version{1}}) {
    const std::int64_t max = length_bytes == LengthBytes::two && version == 0 ? 0x7fff : 0x7fffffff;
    for (const std::int64_t lie :
         {std::int64_t{-2}, std::int64_t{-1000}, static_cast<std::int64_t>(kLeft) + 1, max - 1, max,
          std::int64_t{0xfffffffe}}) {
      const bool fits = lie <= max || (version == 1 && lie <= 0xfffffffe);
      if (!fits || (version == 1 && lie < -1)) continue;
      INFO("version " << version << " length " << lie);
      const Result<void> decoded =
          decode_only<Value>(with_length(version, length_bytes, lie, kLeft), version);
      REQUIRE_FALSE(decoded.ok());
      CHECK((decoded.error().code == Errc::malformed || decoded.error().code == Errc::truncated));
    }
    INFO("version " << version);
    const Bytes null = with_length(version, length_bytes, -1, version == 1 ? 1 : 0);
    CHECK_FALSE(decode_only<Value>(null, version).ok());
    CHECK(decode_only<std::optional<Value>>(null, version).ok());
    const Bytes empty = with_length(version, length_bytes, 0, version == 1 ? 1 : 0);
    CHECK(decode_only<Value>(empty, version).ok());
    CHECK(decode_only<std::optional<Value>>(empty, version).ok());
  }
}

std::string error_of(const std::string& hex) {
  const Bytes bytes = from_hex(hex);
  const Result<void> decoded = decode_only<std::int16_t>(bytes, 1);
  return decoded.ok() ? "ok" : decoded.error().describe();
}

}  // namespace

TEST_CASE("malformed: no length of a string is believed") { check_lies<std::string_view>(LengthBytes::two); }
TEST_CASE("malformed: no length of bytes is believed") { check_lies<ByteView>(LengthBytes::four); }
TEST_CASE("malformed: no length of records is believed") { check_lies<Records>(LengthBytes::four); }
TEST_CASE("malformed: no count of integers is believed") {
  check_lies<std::vector<std::int32_t>>(LengthBytes::four);
}
TEST_CASE("malformed: no count of structs is believed") { check_lies<std::vector<Pair>>(LengthBytes::four); }
TEST_CASE("malformed: no count of strings is believed") {
  check_lies<std::vector<std::string_view>>(LengthBytes::four);
}

TEST_CASE("malformed: a count is checked against the least size of an element") {
  // Two pairs need 8 bytes.
  CHECK(decode_only<std::vector<Pair>>(from_hex("00000002 00010002 00030004"), 0).ok());
  const Result<void> decoded = decode_only<std::vector<Pair>>(from_hex("00000002 00010002 000300"), 0);
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().describe() ==
        "truncated: an array in a message has more elements than the message has bytes for");
}

TEST_CASE("malformed: broken varints are refused") {
  for (const char* hex : {"", "80", "ffffffff", "ffffffff10", "ffffffffff01", "8080808080"}) {
    INFO(hex);
    CHECK_FALSE(decode_only<std::string_view>(from_hex(hex), 1).ok());
  }
}

TEST_CASE(
    "malformed: tagged fields are skipped where unknown, and refused where out of order, twice or of a wrong "
    "size") {
  CHECK(error_of("0001 00") == "ok");
  CHECK(error_of("0001 01 00 00") == "ok");
  CHECK(error_of("0001 02 00 01ff 8001 02ffff") == "ok");
  CHECK(error_of("0001 01 ffffffff0f 01ff") == "ok");
  CHECK(error_of("0001 02 01 00 00 00") == "malformed: tags are not in order");
  CHECK(error_of("0001 02 01 00 01 00") == "malformed: tags are not in order");
  CHECK(error_of("0001 01 00 02ff") == "truncated: a tagged field is larger than its message");
  CHECK(error_of("0001 01 00 ffffffff0fff") == "truncated: a tagged field is larger than its message");
  CHECK(error_of("0001 02 00 01ff") == "malformed: a message has a broken varint");
  CHECK(error_of("0001 ffffffff0f") == "too_large: too many tagged fields");
  CHECK(error_of("0001 00 00") == "malformed: a message has bytes after its end");
  CHECK(error_of("0001") == "malformed: a message has a broken varint");
  CHECK(error_of("00") == "truncated: a message ends inside an integer");
}

namespace {

struct Tagged5 {
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = since(0);
  std::int32_t number = 3;
  static constexpr auto kSchema = schema(field<&Tagged5::number>("Number", tagged(5, since(0))));
};

Result<std::int32_t> tagged5(const std::string& hex) {
  const Bytes bytes = from_hex(hex);
  Tagged5 message;
  Decoder in(bytes);
  if (auto decoded = decode(in, message, 0); !decoded.ok()) return decoded.error();
  return message.number;
}

}  // namespace

TEST_CASE("malformed: a known tagged field fills exactly its size") {
  CHECK(tagged5("00").value() == 3);
  CHECK(tagged5("01 05 04 00000009").value() == 9);
  CHECK(tagged5("03 04 00 05 04 00000009 06 00").value() == 9);
  CHECK(tagged5("01 05 03 000000 00").error().describe() == "malformed: a tagged field's size is wrong");
  CHECK(tagged5("01 05 05 0000000900").error().describe() == "malformed: a tagged field's size is wrong");
  CHECK_FALSE(tagged5("02 05 04 00000009 05 04 00000009").ok());
}

namespace {

// Three bytes on the wire at least, and forty in memory.
struct Tiny {
  std::string_view name;
  std::vector<std::int32_t> numbers;
  static constexpr auto kSchema = schema(field<&Tiny::name>("Name"), field<&Tiny::numbers>("Numbers"));
};

}  // namespace

TEST_CASE("malformed: arrays take no more memory than the budget, and an array over it none") {
  constexpr std::uint32_t kCount = 2'000'000;
  Bytes out;
  Encoder encoder(out);
  encoder.unsigned_varint(kCount + 1);
  const Bytes element = from_hex("01 01 00");
  for (std::uint32_t i = 0; i < kCount; ++i) encoder.bytes(element);
  encoder.unsigned_varint(0);
  REQUIRE(encoder.finish().ok());

  Only<std::vector<Tiny>> message;
  Decoder in(out);
  const Result<void> decoded = decode(in, message, 1);
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().code == Errc::budget_exceeded);
  CHECK(message.value.capacity() == 0);
}

TEST_CASE("malformed: the budget is one for all arrays of a message") {
  constexpr std::size_t kInner = 100;
  const std::string inner = "65" + std::string(2 * 4 * kInner, '0');  // 100 numbers
  std::string hex = "0b";                                             // 10 arrays
  for (int i = 0; i < 10; ++i) hex += "01" + inner + "00";
  hex += "00";
  const Bytes bytes = from_hex(hex);

  constexpr std::size_t kNeeded = 10 * sizeof(Tiny) + 10 * kInner * sizeof(std::int32_t);
  for (const std::size_t budget : {kNeeded - 1, kNeeded}) {
    Only<std::vector<Tiny>> message;
    Decoder in(bytes, DecodeBudget{budget});
    CHECK(decode(in, message, 1).ok() == (budget >= kNeeded));
  }
}

TEST_CASE(
    "malformed: the budget of a large frame has a limit, and a small one has room for what clients send") {
  CHECK(DecodeBudget::for_frame(100 << 20).bytes == DecodeBudget::kMax);
  CHECK(DecodeBudget::for_frame(0).bytes == DecodeBudget::kBase);
  CHECK(DecodeBudget::for_frame(std::numeric_limits<std::uint32_t>::max()).bytes == DecodeBudget::kMax);
}

TEST_CASE("malformed: after the first error every value is zero and the error stays") {
  const Bytes bytes = from_hex("0001");
  Decoder in(bytes);
  in.integer<std::int32_t>();
  CHECK_FALSE(in.ok());
  CHECK(in.integer<std::int16_t>() == 0);
  CHECK(in.uuid().is_zero());
  CHECK(in.bytes(1).empty());
  CHECK(in.unsigned_varint() == 0);
  CHECK(in.string_size(true) == 0U);
  CHECK(in.string_size(false) == 0U);
  CHECK(in.array_count(true, 1, 1) == 0U);
  CHECK(in.finish().error().describe() == "truncated: a message ends inside an integer");
}

}  // namespace sillok::protocol
