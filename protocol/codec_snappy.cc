// Snappy: raw (the format of the library), or in the framing of xerial's snappy-java: a header of 16 bytes,
// then raw blocks, each after its length. Streams in that framing may follow one another.
#include <snappy-c.h>

#include <array>

#include "protocol/codecs.h"

namespace sillok::protocol {
namespace {

constexpr std::array<unsigned char, 8> kMagic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::int32_t kVersion = 1;
constexpr std::size_t kHeaderSize =
    kMagic.size() + 2 * sizeof(std::int32_t);  // version and compatible version
constexpr std::size_t kLengthSize = sizeof(std::int32_t);
constexpr std::size_t kBlockSize = 32 << 10;
// The densest element copies 64 bytes and takes 3.
constexpr std::size_t kExpansionMax = 22;

const char* as_chars(ByteView bytes) { return reinterpret_cast<const char*>(bytes.data()); }
char* as_chars(std::byte* bytes) { return reinterpret_cast<char*>(bytes); }

bool has_framing(ByteView bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

// Appends one raw block. What it says about its size is checked against the limit, and against what so few
// bytes can become, before memory is taken for it.
Result<void> append_raw(Bytes& out, ByteView block, std::size_t limit) {
  std::size_t plain_size = 0;
  if (snappy_uncompressed_length(as_chars(block), block.size(), &plain_size) != SNAPPY_OK) {
    return Error{Errc::corrupt, "a snappy block without its length"};
  }
  if (plain_size > limit - out.size()) return over_budget(limit);
  if (plain_size > block.size() * kExpansionMax)
    return Error{Errc::corrupt, "a snappy block shorter than it says"};
  const std::size_t start = out.size();
  // One byte more, so that there is an address to write nothing to.
  out.resize(start + plain_size + 1);
  const auto status =
      snappy_uncompress(as_chars(block), block.size(), as_chars(out.data() + start), &plain_size);
  if (status != SNAPPY_OK) return Error{Errc::corrupt, "a damaged snappy block"};
  out.resize(start + plain_size);
  return {};
}

Result<void> append_framed(Bytes& out, ByteView framed, std::size_t limit) {
  while (!framed.empty()) {
    if (has_framing(framed)) {
      if (framed.size() < kHeaderSize) return Error{Errc::corrupt, "a snappy header that ends early"};
      framed = framed.subspan(kHeaderSize);
      continue;
    }
    if (framed.size() < kLengthSize) return Error{Errc::corrupt, "a snappy block length that ends early"};
    const auto length = load_big_endian<std::int32_t>(framed.data());
    framed = framed.subspan(kLengthSize);
    if (length < 0 || static_cast<std::size_t>(length) > framed.size()) {
      return Error{Errc::corrupt, "a snappy block of " + std::to_string(length) + " bytes"};
    }
    auto appended = append_raw(out, framed.first(static_cast<std::size_t>(length)), limit);
    if (!appended.ok()) return appended;
    framed = framed.subspan(static_cast<std::size_t>(length));
  }
  return {};
}

}  // namespace

Result<Bytes> snappy_compress(ByteView plain, std::optional<int> level) {
  if (level) return bad_level("snappy", *level);
  const std::size_t block_count = (plain.size() + kBlockSize - 1) / kBlockSize;
  Bytes out(kHeaderSize + block_count * (kLengthSize + snappy_max_compressed_length(kBlockSize)));
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  store_big_endian(out.data() + kMagic.size(), kVersion);
  store_big_endian(out.data() + kMagic.size() + sizeof kVersion, kVersion);
  std::size_t position = kHeaderSize;
  while (!plain.empty()) {
    const ByteView block = plain.first(std::min(plain.size(), kBlockSize));
    std::size_t size = out.size() - position - kLengthSize;
    const auto status = ::snappy_compress(as_chars(block), block.size(),
                                          as_chars(out.data() + position + kLengthSize), &size);
    CHECK(status == SNAPPY_OK);  // it fails for too small an output only
    store_big_endian(out.data() + position, static_cast<std::int32_t>(size));
    position += kLengthSize + size;
    plain = plain.subspan(block.size());
  }
  out.resize(position);
  return out;
}

Result<Bytes> snappy_decompress(ByteView compressed, std::size_t limit) {
  Bytes out;
  auto appended =
      has_framing(compressed) ? append_framed(out, compressed, limit) : append_raw(out, compressed, limit);
  if (!appended.ok()) return std::move(appended).error();
  return out;
}

}  // namespace sillok::protocol
