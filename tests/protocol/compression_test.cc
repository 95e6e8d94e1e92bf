#include "protocol/compression.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/support/batches.h"
#include "tests/support/seed.h"

namespace sillok::protocol {
namespace {

using tests::from_hex;

constexpr std::array kCodecs = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};
constexpr std::size_t kXerialHeaderSize = 16;
constexpr std::size_t kMebibyte = 1 << 20;

Bytes to_bytes(ByteView view) { return Bytes(view.begin(), view.end()); }

Bytes some_text(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * 7919) + "; ";
  return to_bytes(as_bytes(text).first(size));
}

Bytes some_noise(std::size_t size) {
  std::mt19937 random(size == 0 ? 1U : static_cast<std::uint32_t>(size));
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Bytes packed(Codec codec, ByteView plain) {
  auto result = compress(codec, plain);
  REQUIRE(result.ok());
  return *result;
}

Errc refusal(Codec codec, ByteView compressed, std::size_t limit = kDecompressedSizeMax) {
  const auto result = decompress(codec, compressed, limit);
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

Bytes repeated(ByteView part, std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

// What the snappy library itself makes of at most 32 KiB: the one block of a framed stream.
Bytes raw_snappy(ByteView plain) {
  const Bytes framed = packed(Codec::snappy, plain);
  return to_bytes(ByteView(framed).subspan(kXerialHeaderSize + sizeof(std::int32_t)));
}

Bytes xerial_block(std::int32_t length, ByteView block) {
  Bytes bytes = from_hex("82534e41505059000000000100000001 00000000");
  store_big_endian(bytes.data() + kXerialHeaderSize, length);
  bytes.insert(bytes.end(), block.begin(), block.end());
  return bytes;
}

}  // namespace

TEST_CASE("compression: every codec gives back what it took, whatever the size") {
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    for (const std::size_t size :
         {0UL, 1UL, 100UL, 32767UL, 32768UL, 32769UL, 65536UL, 65537UL, 300000UL, 3000000UL}) {
      INFO(to_string(codec) << ", " << size << " bytes");
      const Bytes text = some_text(size);
      CHECK((decompress(codec, packed(codec, text)).value() == text));
      const Bytes noise = some_noise(size);
      CHECK((decompress(codec, packed(codec, noise)).value() == noise));
    }
  }
}

TEST_CASE("compression: every codec makes text smaller") {
  const Bytes text = some_text(100000);
  for (const Codec codec : kCodecs) CHECK(packed(codec, text).size() < text.size() / 2);
}

TEST_CASE("compression: levels are Kafka's ranges, and all of them can be read") {
  struct Range {
    Codec codec;
    std::vector<int> valid;
    std::vector<int> invalid;
  };
  const std::vector<Range> ranges = {{Codec::gzip, {-1, 1, 9}, {0, 10, -2}},
                                     {Codec::snappy, {}, {0, 1}},
                                     {Codec::lz4, {1, 3, 9, 12, 17}, {0, 18, -1}},
                                     {Codec::zstd, {-131072, -1, 1, 3, 22}, {23, -131073}}};
  const Bytes text = some_text(20000);
  for (const auto& [codec, valid, invalid] : ranges) {
    for (const int level : valid) {
      INFO(to_string(codec) << " level " << level);
      CHECK((decompress(codec, compress(codec, text, level).value()).value() == text));
    }
    for (const int level : invalid) {
      INFO(to_string(codec) << " level " << level);
      const auto refused = compress(codec, text, level);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == Errc::invalid_argument);
    }
  }
}

TEST_CASE("compression: exactly the limit is allowed, and not one byte more") {
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    for (const std::size_t size : {1UL, 4096UL, 65536UL, 200000UL}) {
      INFO(to_string(codec) << ", " << size << " bytes");
      const Bytes compressed = packed(codec, some_text(size));
      CHECK(decompress(codec, compressed, size).ok());
      CHECK(refusal(codec, compressed, size - 1) == Errc::budget_exceeded);
    }
  }
}

TEST_CASE("compression: a bomb ends at the budget, not at its size") {
  const Bytes zeros(16 * kMebibyte);
  // 1 GiB in about 1 MiB: members and frames follow one another.
  CHECK(refusal(Codec::gzip, repeated(packed(Codec::gzip, zeros), 64)) == Errc::budget_exceeded);
  CHECK(refusal(Codec::zstd, repeated(packed(Codec::zstd, zeros), 64)) == Errc::budget_exceeded);
  // 1 GiB in one frame: the same block of 64 KiB again and again.
  const Bytes one_block = packed(Codec::lz4, ByteView(zeros).first(64 << 10));
  constexpr std::size_t kFrameHeaderSize = 7;
  constexpr std::size_t kEndMarkSize = 4;
  Bytes frame = to_bytes(ByteView(one_block).first(kFrameHeaderSize));
  const ByteView block = ByteView(one_block).subspan(kFrameHeaderSize);
  const Bytes blocks = repeated(block.first(block.size() - kEndMarkSize), 16384);
  frame.insert(frame.end(), blocks.begin(), blocks.end());
  CHECK(refusal(Codec::lz4, frame) == Errc::budget_exceeded);
  // Snappy packs 21:1 at most, so that its bomb is one that lies, or a large one.
  CHECK(refusal(Codec::snappy, packed(Codec::snappy, Bytes(kDecompressedSizeMax + 1))) ==
        Errc::budget_exceeded);
  CHECK(refusal(Codec::snappy, from_hex("8080808004 00")) == Errc::budget_exceeded);
}

TEST_CASE(
    "compression: a snappy block that promises more than its bytes can hold is refused before memory is "
    "taken") {
  // 60 MiB, within the budget, from six bytes.
  const auto refused = decompress(Codec::snappy, from_hex("8080801e 0000"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::corrupt);
  // The library would refuse it too, but into memory that is there by then.
  CHECK(refused.error().detail == "a snappy block shorter than it says");
  const Bytes promise = from_hex("8080801e 0000");
  CHECK(refusal(Codec::snappy, xerial_block(static_cast<std::int32_t>(promise.size()), promise)) ==
        Errc::corrupt);
  // The densest there is stays allowed.
  const Bytes zeros(32768);
  CHECK((decompress(Codec::snappy, raw_snappy(zeros)).value() == zeros));
}

TEST_CASE("compression: the lengths of snappy's framing are not believed (CVE-2023-34455)") {
  const Bytes block = raw_snappy(as_bytes("annals"));
  const auto size = static_cast<std::int32_t>(block.size());
  CHECK(decompress(Codec::snappy, xerial_block(size, block)).ok());
  for (const std::int32_t length : {0x7fffffff, -1, -0x7fffffff - 1, size + 1, size - 1, 0}) {
    INFO("length " << length);
    CHECK(refusal(Codec::snappy, xerial_block(length, block)) == Errc::corrupt);
  }
}

TEST_CASE("compression: snappy is read raw, framed, and as framed streams one after the other") {
  const Bytes text = some_text(20000);
  CHECK((decompress(Codec::snappy, raw_snappy(text)).value() == text));
  const Bytes framed = packed(Codec::snappy, text);
  CHECK((decompress(Codec::snappy, repeated(framed, 3)).value() == repeated(text, 3)));
  CHECK(as_text(framed).substr(0, 8) == std::string_view("\x82SNAPPY\0", 8));
}

TEST_CASE("compression: gzip members and zstd frames may follow one another, an lz4 frame stands alone") {
  const Bytes text = some_text(20000);
  for (const Codec codec : {Codec::gzip, Codec::zstd}) {
    CHECK((decompress(codec, repeated(packed(codec, text), 2)).value() == repeated(text, 2)));
  }
  CHECK(refusal(Codec::lz4, repeated(packed(Codec::lz4, text), 2)) == Errc::corrupt);
}

TEST_CASE("compression: lz4 frames are written as Kafka's clients write them") {
  // Version 1, independent blocks, no checksums, no content size; blocks of 64 KiB; then the checksum of
  // these two.
  const Bytes frame = packed(Codec::lz4, some_text(1000));
  CHECK(tests::to_hex(ByteView(frame).first(7)) == "04224d18604082");
}

TEST_CASE("compression: compressed bytes cut anywhere are corrupt") {
  const Bytes text = some_text(3000);
  for (const Codec codec : kCodecs) {
    const Bytes compressed = codec == Codec::snappy ? raw_snappy(text) : packed(codec, text);
    for (std::size_t size = 0; size < compressed.size(); ++size) {
      const auto result = decompress(codec, ByteView(compressed).first(size));
      if (result.ok() || result.error().code != Errc::corrupt) FAIL(to_string(codec) << " cut at " << size);
    }
  }
}

TEST_CASE("compression: framed snappy cut inside a block is corrupt, between blocks it is shorter") {
  const Bytes text = some_text(40000);
  const Bytes framed = packed(Codec::snappy, text);
  const auto first_length = load_big_endian<std::int32_t>(framed.data() + kXerialHeaderSize);
  const std::size_t second_block =
      kXerialHeaderSize + sizeof first_length + static_cast<std::size_t>(first_length);
  for (std::size_t size = 0; size < framed.size(); ++size) {
    const auto result = decompress(Codec::snappy, ByteView(framed).first(size));
    const bool between_blocks = size == kXerialHeaderSize || size == second_block;
    if (result.ok() != between_blocks) FAIL("cut at " << size);
  }
}

TEST_CASE("compression: bytes after the end are corrupt") {
  const Bytes text = some_text(3000);
  for (const Codec codec : kCodecs) {
    for (const std::string_view tail : {"00", "ff", "00000000", "6e6f742061206d656d626572"}) {
      INFO(to_string(codec) << " and then " << tail);
      Bytes compressed = packed(codec, text);
      const Bytes garbage = from_hex(tail);
      compressed.insert(compressed.end(), garbage.begin(), garbage.end());
      CHECK(refusal(codec, compressed) == Errc::corrupt);
    }
  }
}

TEST_CASE("compression: a zstd frame with a large window is read, and costs no memory for it") {
  // Magic, no content size, the window; then a raw block of one byte, the last. Windows of 1 KiB, of 128 MiB
  // (Java's level 22) and of 2 GiB.
  for (const std::string_view window : {"00", "88", "a8"}) {
    const Bytes frame = from_hex("28b52ffd 00 " + std::string(window) + " 090000 61");
    CHECK((decompress(Codec::zstd, frame, 1).value() == Bytes{std::byte{'a'}}));
  }
}

TEST_CASE("compression: an unknown codec is refused") {
  const auto unknown = static_cast<Codec>(5);
  CHECK(refusal(unknown, {}) == Errc::unsupported_codec);
  CHECK_FALSE(compress(unknown, {}).ok());
}

TEST_CASE("compression: damaged bytes give an error or other bytes, never more than the limit") {
  constexpr std::size_t kLimit = 64 << 10;
  constexpr int kRounds = 3000;
  const std::uint64_t seed = tests::seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const Codec codec : kCodecs) {
    const Bytes framed = packed(codec, some_text(5000));
    const Bytes raw = raw_snappy(some_text(5000));
    for (int round = 0; round < kRounds; ++round) {
      Bytes damaged = codec == Codec::snappy && round % 2 == 0 ? raw : framed;
      for (std::uint64_t flips = 1 + random() % 6; flips > 0; --flips) {
        // Headers are where the lies go.
        const std::size_t reach =
            random() % 2 == 0 ? std::min<std::size_t>(damaged.size(), 32) : damaged.size();
        damaged[random() % reach] = static_cast<std::byte>(random());
      }
      if (random() % 4 == 0) damaged.resize(random() % damaged.size());
      const auto result = decompress(codec, damaged, kLimit);
      if (result.ok() && result->size() > kLimit) FAIL(to_string(codec) << " went over its limit");
    }
  }
}

}  // namespace sillok::protocol
