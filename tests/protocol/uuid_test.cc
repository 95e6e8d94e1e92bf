#include "protocol/base/uuid.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace sillok {
namespace {

Uuid counting() {
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<std::uint8_t>(i);
  return id;
}

Uuid filled(std::uint8_t byte) {
  Uuid id;
  id.bytes.fill(byte);
  return id;
}

}  // namespace

TEST_CASE("uuid: its text is unpadded base64 for URLs, as in Kafka") {
  CHECK(Uuid{}.to_string() == "AAAAAAAAAAAAAAAAAAAAAA");
  CHECK(counting().to_string() == "AAECAwQFBgcICQoLDA0ODw");
  CHECK(filled(0xff).to_string() == "_____________________w");
  Uuid one;
  one.bytes[15] = 1;
  CHECK(one.to_string() == "AAAAAAAAAAAAAAAAAAAAAQ");
}

TEST_CASE("uuid: text is read back to the same bytes") {
  for (const Uuid& id : {Uuid{}, counting(), filled(0xff), filled(0xfb)})
    CHECK(Uuid::parse(id.to_string()) == id);
}

TEST_CASE("uuid: text that is not one is refused") {
  CHECK_FALSE(Uuid::parse(""));
  CHECK_FALSE(Uuid::parse("AAECAwQFBgcICQoLDA0OD"));
  CHECK_FALSE(Uuid::parse("AAECAwQFBgcICQoLDA0ODwA"));
  CHECK_FALSE(Uuid::parse("AAECAwQFBgcICQoLDA0OD="));
  CHECK_FALSE(Uuid::parse("AAECAwQFBgcICQoLDA0OD+"));
  // The last character has four bits too many, which must be zero: one id, one text.
  CHECK_FALSE(Uuid::parse("AAECAwQFBgcICQoLDA0ODx"));
}

TEST_CASE("uuid: random bytes give version 4 and never a leading hyphen") {
  const auto id = Uuid::from_random(counting().bytes);
  REQUIRE(id);
  CHECK(id->bytes[6] >> 4 == 4);
  CHECK(id->bytes[8] >> 6 == 2);
  CHECK_FALSE(Uuid::from_random(filled(0xfb).bytes));
}

TEST_CASE("uuid: only the one of zeros is zero") {
  CHECK(Uuid{}.is_zero());
  CHECK_FALSE(counting().is_zero());
}

}  // namespace sillok
