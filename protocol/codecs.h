// One pair of functions a codec, with the contracts of compression.h. For compression.cc only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace sillok::protocol {

Result<Bytes> gzip_compress(ByteView plain, std::optional<int> level);
Result<Bytes> gzip_decompress(ByteView compressed, std::size_t limit);
Result<Bytes> snappy_compress(ByteView plain, std::optional<int> level);
Result<Bytes> snappy_decompress(ByteView compressed, std::size_t limit);
Result<Bytes> lz4_compress(ByteView plain, std::optional<int> level);
Result<Bytes> lz4_decompress(ByteView compressed, std::size_t limit);
Result<Bytes> zstd_compress(ByteView plain, std::optional<int> level);
Result<Bytes> zstd_decompress(ByteView compressed, std::size_t limit);

// Output that grows as a codec fills it, to one byte past its limit, so that reaching the limit and going
// over it differ. What the input promises about its size is not believed.
class GrowingOutput {
 public:
  GrowingOutput(std::size_t limit, std::size_t input_size)
      : limit_(limit), first_size_(std::clamp(4 * input_size, kFirstSizeMin, kFirstSizeMax)) {}

  bool over_limit() const { return filled_ > limit_; }
  // Room to write to. Requires: !over_limit(). Call filled() with what was written before the next call.
  MutableByteView room() {
    if (filled_ == bytes_.size()) bytes_.resize(std::min(limit_ + 1, std::max(first_size_, 2 * filled_)));
    return MutableByteView(bytes_).subspan(filled_);
  }
  void filled(std::size_t count) { filled_ += count; }
  Bytes take() && {
    bytes_.resize(filled_);
    return std::move(bytes_);
  }

 private:
  static constexpr std::size_t kFirstSizeMin = 4 << 10;
  static constexpr std::size_t kFirstSizeMax = 1 << 20;

  std::size_t limit_;
  std::size_t first_size_;
  Bytes bytes_;
  std::size_t filled_ = 0;
};

inline Error over_budget(std::size_t limit) {
  return Error{Errc::budget_exceeded, "decompresses to more than " + std::to_string(limit) + " bytes"};
}
inline Error bad_level(const char* codec, int level) {
  return Error{Errc::invalid_argument, std::string(codec) + " has no level " + std::to_string(level)};
}

}  // namespace sillok::protocol
