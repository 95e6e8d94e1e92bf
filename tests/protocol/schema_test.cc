// The walk, on a message that has every kind of value.
#include <catch2/catch.hpp>
#include <string>

#include "protocol/base/ids.h"
#include "protocol/wire/decode.h"
#include "protocol/wire/describe.h"
#include "protocol/wire/encode.h"
#include "protocol/wire/printer.h"
#include "tests/support/batches.h"
#include "tests/support/random_message.h"
#include "tests/support/seed.h"

namespace sillok::protocol {
namespace {

using tests::from_hex;
using tests::to_hex;

enum class Colour : std::int8_t { red = 1, blue = 2 };

struct Leaf {
  std::int16_t number = 7;
  std::string_view label;
  bool operator==(const Leaf&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&Leaf::number>("Number"), field<&Leaf::label>("Label", tagged(0, since(2))));
};

// v1 adds everything but the flag, v2 is flexible.
struct Everything {
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(2);

  bool flag = true;
  std::int8_t small = -1;
  std::uint16_t port = 0;
  std::uint32_t crc = 0;
  double ratio = 0;
  Colour colour = Colour::red;
  Offset offset{-1};
  Uuid id;
  std::string_view name;
  std::optional<std::string_view> nickname;
  std::vector<std::int32_t> numbers;
  std::optional<Leaf> leaf;
  std::optional<std::vector<Leaf>> leaves;
  std::optional<Records> records;
  std::string_view late;
  std::string_view early;
  bool operator==(const Everything&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&Everything::flag>("Flag"), field<&Everything::small>("Small", since(1), IfAbsent::drop),
      field<&Everything::port>("Port", since(1)), field<&Everything::crc>("Crc", since(1)),
      field<&Everything::ratio>("Ratio", since(1)), field<&Everything::colour>("Colour", since(1)),
      field<&Everything::offset>("Offset", since(1)), field<&Everything::id>("Id", since(1)),
      field<&Everything::name>("Name", since(1)),
      field<&Everything::nickname>("Nickname", since(1), nullable(since(2))),
      field<&Everything::numbers>("Numbers", since(1)), field<&Everything::leaf>("Leaf", since(1)),
      field<&Everything::leaves>("Leaves", since(1)), field<&Everything::records>("Records", since(1)),
      field<&Everything::late>("Late", tagged(5, since(2))),
      field<&Everything::early>("Early", tagged(1, since(2))));
};

std::string encoded_hex(const Everything& message, Version version) {
  Bytes out;
  Encoder encoder(out);
  const Result<void> result = encode(encoder, message, version);
  return result.ok() ? to_hex(out) : result.error().describe();
}

Everything full() {
  Everything message;
  message.flag = false;
  message.small = -2;
  message.port = 0xfffe;
  message.crc = 0xfffffffd;
  message.ratio = 1.5;
  message.colour = Colour::blue;
  message.offset = Offset(0x0102030405060708);
  message.id.bytes[15] = 9;
  message.name = "ab";
  message.nickname = "";
  message.numbers = {1, -1};
  message.leaf = Leaf{3, ""};
  message.leaves.emplace({Leaf{4, ""}});
  message.records = Records{as_bytes("xyz")};
  return message;
}

}  // namespace

TEST_CASE("schema: classic versions have lengths of two and four bytes and no tagged fields") {
  CHECK(encoded_hex(full(), 1) ==
        "00"
        "fe"
        "fffe"
        "fffffffd"
        "3ff8000000000000"
        "02"
        "0102030405060708"
        "00000000000000000000000000000009"
        "00026162"
        "0000"
        "0000000200000001ffffffff"
        "010003"
        "000000010004"
        "0000000378797a");
}

TEST_CASE(
    "schema: flexible versions have compact lengths, one more than the size, and tagged fields in every "
    "struct") {
  Everything message = full();
  message.leaf->label = "t";
  message.late = "5";
  message.early = "1";
  CHECK(encoded_hex(message, 2) ==
        "00"
        "fe"
        "fffe"
        "fffffffd"
        "3ff8000000000000"
        "02"
        "0102030405060708"
        "00000000000000000000000000000009"
        "036162"
        "01"
        "0300000001ffffffff"
        "0100030100020274"
        "02000400"
        "0478797a"
        "02"
        "01020231"
        "05020235");
}

TEST_CASE("schema: null is -1 in classic and 0 in compact form, and -1 in place of a struct") {
  Everything message;
  message.nickname = "";
  const std::string fixed =
      "01ff" + std::string(28, '0') + "01" + std::string(16, 'f') + std::string(32, '0');
  CHECK(encoded_hex(message, 1) == fixed + "0000" + "0000" + "00000000" + "ff" + "ffffffff" + "ffffffff");
  message.nickname.reset();
  CHECK(encoded_hex(message, 2) == fixed + "01" + "00" + "01" + "ff" + "00" + "00" + "00");
}

TEST_CASE("schema: null is refused both ways in versions where a value must be") {
  Everything message = full();
  message.nickname.reset();
  CHECK(encoded_hex(message, 1) == "unsupported_version: null where this version must have a value");

  message.nickname = "?";
  std::string hex = encoded_hex(message, 1);
  const std::string nickname = "00013f";
  hex.replace(hex.find(nickname), nickname.size(), "ffff");
  const Bytes bytes = from_hex(hex);
  Decoder in(bytes);
  const Result<void> decoded = decode(in, message, 1);
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().describe() == "malformed: null where a message must have a value");
}

TEST_CASE("schema: a member that a version lacks is dropped or refused, as it says") {
  Everything message;
  message.small = 5;
  CHECK(encoded_hex(message, 0) == "01");
  message.port = 5;
  CHECK(encoded_hex(message, 0) == "unsupported_version: a field that this version does not have is set");
}

TEST_CASE("schema: a tagged field is refused where it is not tagged yet") {
  Everything message = full();
  message.late = "5";
  CHECK(encoded_hex(message, 1) == "unsupported_version: a field that this version does not have is set");
}

TEST_CASE("schema: tagged fields of any size have their size before them") {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{1, 125, 126, 127, 128, 16380, 16381, 16382, 16384, 32767}) {
    const std::string text(size, 'x');
    Everything message = full();
    message.early = text;
    message.late = "after";
    Bytes out;
    Encoder encoder(out);
    REQUIRE(encode(encoder, message, 2).ok());
    Everything decoded;
    Decoder in(out);
    REQUIRE(decode(in, decoded, 2).ok());
    CHECK(decoded == message);
  }
}

TEST_CASE("schema: strings above 32767 bytes are refused both ways") {
  const std::string text(32768, 'x');
  Everything message = full();
  message.name = text;
  for (const Version version : {Version{1}, Version{2}}) {
    CHECK(encoded_hex(message, version) == "unsupported_version: a string is longer than 32767 bytes");
  }
  Bytes out;
  Encoder encoder(out);
  encoder.unsigned_varint(32769);
  encoder.bytes(as_bytes(text));
  REQUIRE(encoder.finish().ok());
  Decoder in(out);
  static_cast<void>(in.string_size(true));
  CHECK_FALSE(in.ok());
}

TEST_CASE("schema: every kind of value survives a round trip") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  tests::RandomMessages random(seed);
  Everything decoded;
  for (int round = 0; round < 1000; ++round) {
    const auto version = static_cast<Version>(round % 3);
    const Everything message = random.make<Everything>(version);
    Bytes out;
    Encoder encoder(out);
    REQUIRE(encode(encoder, message, version).ok());
    Decoder in(out);
    REQUIRE(decode(in, decoded, version).ok());
    if (!(decoded == message)) FAIL(to_json(message, version) << " became " << to_json(decoded, version));
  }
}

TEST_CASE("schema: JSON has the members of its version, and tagged fields that are not at their default") {
  Everything message = full();
  message.late = "\"\x01\xff";
  CHECK(to_json(message, 0) == R"({"flag":false})");
  CHECK(
      to_json(message, 2) ==
      R"({"flag":false,"small":-2,"port":65534,"crc":4294967293,"ratio":1.5,"colour":2,)"
      R"("offset":72623859790382856,"id":"AAAAAAAAAAAAAAAAAAAACQ","name":"ab","nickname":"","numbers":[1,-1],)"
      R"("leaf":{"number":3},"leaves":[{"number":4}],"recordsSizeInBytes":3,"late":"\"\u0001)"
      "\xef\xbf\xbd\"}");
  CHECK(to_json(message, 1, RecordsForm::empty).ends_with(R"("records":""})"));
  message.records.reset();
  CHECK(to_json(message, 1).ends_with(R"("records":null})"));
}

TEST_CASE("schema: base64 has its padding") {
  const auto base64 = [](std::string_view text) {
    JsonWriter out;
    out.base64(as_bytes(text));
    return out.text();
  };
  CHECK(base64("") == "\"\"");
  CHECK(base64("M") == "\"TQ==\"");
  CHECK(base64("Ma") == "\"TWE=\"");
  CHECK(base64("Man") == "\"TWFu\"");
  CHECK(base64("\xff\xfe\xfdz") == "\"//79eg==\"");
}

TEST_CASE("schema: a description names types, ranges, tags and defaults in Kafka's words") {
  const auto fields = describe_fields<Everything>();
  REQUIRE(fields.size() == 16);
  const auto line = [](const FieldDescription& f) {
    return f.name + " " + f.type + " " + to_string(f.versions) + " " + to_string(f.nullable) + " " +
           to_string(f.tagged) + " " + std::to_string(f.tag) + " " + f.absent_value;
  };
  CHECK(line(fields[0]) == "Flag bool 0+ none none -1 true");
  CHECK(line(fields[2]) == "Port uint16 1+ none none -1 0");
  CHECK(line(fields[5]) == "Colour int8 1+ none none -1 1");
  CHECK(line(fields[6]) == "Offset int64 1+ none none -1 -1");
  CHECK(line(fields[9]) == "Nickname string 1+ 2+ none -1 null");
  CHECK(line(fields[10]) == "Numbers []int32 1+ none none -1 []");
  CHECK(line(fields[12]) == "Leaves []struct 1+ 1+ none -1 null");
  CHECK(line(fields[14]) == "Late string 2+ none 2+ 5 \"\"");
  REQUIRE(fields[12].fields.size() == 2);
  CHECK(line(fields[12].fields[0]) == "Number int16 0+ none none -1 7");
}

namespace {

struct TwoOfOneTag {
  std::string_view a;
  std::string_view b;
  static constexpr auto kSchema = schema(field<&TwoOfOneTag::a>("A", tagged(0, since(2))),
                                         field<&TwoOfOneTag::b>("B", tagged(0, since(2))));
};
struct NullNumber {
  std::int32_t a = 0;
  static constexpr auto kSchema = schema(field<&NullNumber::a>("A", nullable(since(1))));
};
struct Wrapped {
  std::vector<TwoOfOneTag> inner;
  static constexpr auto kSchema = schema(field<&Wrapped::inner>("Inner"));
};

}  // namespace

TEST_CASE("schema: what could not be read back does not compile") {
  STATIC_REQUIRE(schema_is_sound<Everything>(since(2)));
  STATIC_REQUIRE_FALSE(schema_is_sound<Everything>(since(3)));  // tagged before it is flexible
  STATIC_REQUIRE_FALSE(schema_is_sound<TwoOfOneTag>(since(0)));
  STATIC_REQUIRE_FALSE(schema_is_sound<Wrapped>(since(0)));
  STATIC_REQUIRE_FALSE(schema_is_sound<NullNumber>(since(0)));
}

}  // namespace sillok::protocol
