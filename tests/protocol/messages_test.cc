// Every message in every version, with random content.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "protocol/messages/all.h"
#include "protocol/wire/decode.h"
#include "protocol/wire/encode.h"
#include "protocol/wire/printer.h"
#include "tests/support/batches.h"
#include "tests/support/random_message.h"
#include "tests/support/seed.h"

namespace sillok::protocol {
namespace {

using tests::RandomMessages;
using tests::to_hex;

// Of a message's bytes, for the test that changes each.
constexpr std::size_t kChangedMax = 120;

template <Message M>
Bytes encoded(const M& message, Version version) {
  Bytes out;
  Encoder encoder(out);
  const Result<void> result = encode(encoder, message, version);
  if (!result.ok()) FAIL(result.error().describe());
  return out;
}

// Calls `visit(M{}, version, name)` for every message and version.
template <class Visit>
void for_each_version(Visit&& visit) {
  for_each_message([&]<class M>(Direction direction) {
    const std::string name =
        std::string(to_string(M::kKey)) + (direction == Direction::request ? "Request" : "Response");
    for (Version version = M::kVersions.first; version <= M::kVersions.last; ++version) {
      INFO(name << " version " << version);
      visit(M{}, version);
    }
  });
}

}  // namespace

TEST_CASE("messages: what is encoded decodes to an equal message, and encodes to the same bytes again") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  RandomMessages random(seed);
  for_each_version([&]<class M>(const M&, Version version) {
    M reused;
    for (int round = 0; round < 50; ++round) {
      const M message = random.make<M>(version);
      const Bytes bytes = encoded(message, version);
      Decoder in(bytes);
      const Result<void> decoded = decode(in, reused, version);
      if (!decoded.ok()) FAIL(decoded.error().describe() << " in " << to_hex(bytes));
      if (!(reused == message)) FAIL(to_json(message, version) << " became " << to_json(reused, version));
      if (encoded(reused, version) != bytes) FAIL("other bytes for " << to_json(message, version));
    }
  });
}

TEST_CASE("messages: a default message can be said in every version, but for null topics in Metadata 0") {
  for_each_version([&]<class M>(const M&, Version version) {
    M message;
    if constexpr (std::is_same_v<M, MetadataRequest>) {
      if (version == 0) message.topics.emplace();
    }
    M decoded;
    const Bytes bytes = encoded(message, version);
    Decoder in(bytes);
    REQUIRE(decode(in, decoded, version).ok());
    CHECK(decoded == message);
  });
}

TEST_CASE("messages: every prefix of a message is refused, and bytes after its end too") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  RandomMessages random(seed);
  for_each_version([&]<class M>(const M&, Version version) {
    M message;
    Bytes bytes = encoded(random.make<M>(version), version);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(
                                                            size));  // of its own: sanitizers see its end
      Decoder in(prefix);
      if (decode(in, message, version).ok()) FAIL("a prefix of " << size << " of " << to_hex(bytes));
    }
    bytes.push_back(std::byte{0});
    Decoder in(bytes);
    CHECK_FALSE(decode(in, message, version).ok());
  });
}

TEST_CASE("messages: any changed byte decodes to an error or to a message that is encoded and read again") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  RandomMessages random(seed);
  std::mt19937_64 dice(seed);
  for_each_version([&]<class M>(const M&, Version version) {
    Bytes bytes = encoded(random.make<M>(version), version);
    for (std::size_t position = 0; position < std::min(bytes.size(), kChangedMax); ++position) {
      const std::byte original = bytes[position];
      for (const int changed : {0x00, 0x7f, 0xff, static_cast<int>(dice() & 0xff)}) {
        bytes[position] = static_cast<std::byte>(changed);
        M message;
        Decoder in(bytes);
        if (!decode(in, message, version).ok()) continue;
        const Bytes again = encoded(message, version);
        M twice;
        Decoder in_again(again);
        if (!decode(in_again, twice, version).ok() || !(twice == message)) FAIL(to_hex(bytes));
      }
      bytes[position] = original;
    }
  });
}

TEST_CASE("messages: random bytes are refused or decoded, and never more") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  std::mt19937_64 dice(seed);
  for_each_version([&]<class M>(const M&, Version version) {
    M message;
    for (int round = 0; round < 500; ++round) {
      Bytes bytes(dice() % 64);
      // Small numbers are lengths and counts that hold for a while.
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(dice() % 2 == 0 ? dice() % 4 : dice());
      Decoder in(bytes);
      static_cast<void>(decode(in, message, version));
    }
  });
}

TEST_CASE("messages: a version that a message does not have is refused both ways") {
  for_each_message([&]<class M>(Direction) {
    for (const int version : {M::kVersions.first - 1, M::kVersions.last + 1}) {
      M message;
      Decoder in(ByteView{});
      const Result<void> decoded = decode(in, message, static_cast<Version>(version));
      REQUIRE_FALSE(decoded.ok());
      CHECK(decoded.error().code == Errc::unsupported_version);
      Bytes out;
      Encoder encoder(out);
      CHECK_FALSE(encode(encoder, message, static_cast<Version>(version)).ok());
      CHECK(out.empty());
    }
  });
}

TEST_CASE("messages: decoding into a used object leaves nothing of the message before") {
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  RandomMessages random(seed);
  std::mt19937_64 dice(seed);
  for_each_message([&]<class M>(Direction) {
    std::uniform_int_distribution<int> versions(M::kVersions.first, M::kVersions.last);
    M used;
    for (int round = 0; round < 200; ++round) {
      const auto version = static_cast<Version>(versions(dice));
      const M message = random.make<M>(version);
      const Bytes bytes = encoded(message, version);
      Decoder in(bytes);
      REQUIRE(decode(in, used, version).ok());
      if (!(used == message)) FAIL(to_json(message, version) << " became " << to_json(used, version));
    }
  });
}

}  // namespace sillok::protocol
