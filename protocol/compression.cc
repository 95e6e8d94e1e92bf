#include "protocol/compression.h"

#include <algorithm>
#include <new>
#include <string>

#include "protocol/codecs.h"

namespace sillok::protocol {

// Record batches count their bytes in 31 bits.
constexpr std::size_t kLimitMax = 0x7fffffff;

void GrowingOutput::add_piece() {
  pieces_.emplace_back(std::min(next_size_, limit_ + 1 - size_));
  next_size_ = std::min(2 * next_size_, kPieceSizeMax);
  used_ = 0;
}

Bytes GrowingOutput::take() && {
  if (pieces_.empty()) return {};
  pieces_.back().resize(used_);
  if (pieces_.size() == 1) return std::move(pieces_.front());
  Bytes whole;
  whole.reserve(size_);
  for (const Bytes& piece : pieces_) whole.insert(whole.end(), piece.begin(), piece.end());
  return whole;
}

const char* to_string(Codec codec) {
  switch (codec) {
    case Codec::none:
      return "none";
    case Codec::gzip:
      return "gzip";
    case Codec::snappy:
      return "snappy";
    case Codec::lz4:
      return "lz4";
    case Codec::zstd:
      return "zstd";
  }
  return "unknown";
}

namespace {

Result<Bytes> dispatch_compress(Codec codec, ByteView plain, std::optional<int> level) {
  switch (codec) {
    case Codec::none:
      return Bytes(plain.begin(), plain.end());
    case Codec::gzip:
      return gzip_compress(plain, level);
    case Codec::snappy:
      return snappy_compress(plain, level);
    case Codec::lz4:
      return lz4_compress(plain, level);
    case Codec::zstd:
      return zstd_compress(plain, level);
  }
  return Error{Errc::unsupported_codec, "codec " + std::to_string(static_cast<int>(codec))};
}

Result<Bytes> dispatch_decompress(Codec codec, ByteView compressed, std::size_t limit) {
  switch (codec) {
    case Codec::none:
      if (compressed.size() > limit) return over_budget(limit);
      return Bytes(compressed.begin(), compressed.end());
    case Codec::gzip:
      return gzip_decompress(compressed, limit);
    case Codec::snappy:
      return snappy_decompress(compressed, limit);
    case Codec::lz4:
      return lz4_decompress(compressed, limit);
    case Codec::zstd:
      return zstd_decompress(compressed, limit);
  }
  return Error{Errc::unsupported_codec, "codec " + std::to_string(static_cast<int>(codec))};
}

}  // namespace

// A batch that does not fit into memory is the peer's failure, not ours.
Result<Bytes> compress(Codec codec, ByteView plain, std::optional<int> level) try {
  return dispatch_compress(codec, plain, level);
} catch (const std::bad_alloc&) {
  return Error{Errc::budget_exceeded, "no memory to compress"};
}

Result<Bytes> decompress(Codec codec, ByteView compressed, std::size_t limit) try {
  return dispatch_decompress(codec, compressed, std::min(limit, kLimitMax));
} catch (const std::bad_alloc&) {
  return Error{Errc::budget_exceeded, "no memory to decompress"};
}

}  // namespace sillok::protocol
