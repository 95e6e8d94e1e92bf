// Compressed bytes of each codec. What comes out can be compressed, and comes out again.
#include "protocol/compression.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {

using namespace protocol;

namespace {

constexpr std::size_t kLimit = 1 << 20;
constexpr Codec kCodecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const Codec codec = kCodecs[choices.choose(std::size(kCodecs))];
  const auto plain = decompress(codec, choices.rest(), kLimit);
  if (!plain.ok()) return;
  CHECK(plain->size() <= kLimit);
  const auto packed = compress(codec, *plain);
  CHECK(packed.ok());
  const auto again = decompress(codec, *packed, kLimit);
  CHECK(again.ok());
  CHECK(*again == *plain);
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  std::string text;
  for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i * 7919 % 100) + "\n";
  for (std::size_t i = 0; i < std::size(kCodecs); ++i) {
    for (const std::string& plain : {std::string(), std::string("a"), std::string(5000, 'z'), text})
      all.push_back(with_choices({static_cast<std::uint8_t>(i)}, *compress(kCodecs[i], as_bytes(plain))));
  }
  // Snappy in raw form, as librdkafka writes it: a size, and one literal.
  all.push_back(with_choices({1}, bytes_of(std::string("\x05\x10hello", 7))));
  return all;
}

}  // namespace sillok::fuzz
