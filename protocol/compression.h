// The codecs of record batches, over whole buffers. Snappy is written in the framing of the Java library
// xerial-snappy and read in that or raw; lz4 is the frame format.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace sillok::protocol {

// As in the low three bits of a batch's attributes.
enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// "none", "gzip", ...: the values of compression.type.
const char* to_string(Codec codec);

// Bounds what hostile bytes can make us allocate.
inline constexpr std::size_t kDecompressedSizeMax = 64 << 20;

// Errc::invalid_argument for a level that the codec lacks; nullopt is the codec's default level.
Result<Bytes> compress(Codec codec, ByteView plain, std::optional<int> level = std::nullopt);

// Errc::corrupt for bytes that are not of the codec, Errc::budget_exceeded past `limit` bytes. Memory is
// taken as output appears, never because the input says how much there will be.
Result<Bytes> decompress(Codec codec, ByteView compressed, std::size_t limit = kDecompressedSizeMax);

}  // namespace sillok::protocol
