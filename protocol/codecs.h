// One pair of functions a codec, with the contracts of compression.h. For compression.cc and the codecs only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
// over it differ. What the input promises about its size is not believed. It grows by pieces: a bomb costs
// its limit and no more.
class GrowingOutput {
 public:
  GrowingOutput(std::size_t limit, std::size_t input_size)
      : limit_(limit), next_size_(std::clamp(4 * input_size, kFirstSizeMin, kFirstSizeMax)) {}

  bool over_limit() const { return size_ > limit_; }
  // Room to write to. Requires: !over_limit(). Call filled() with what was written before the next call.
  MutableByteView room() {
    if (pieces_.empty() || used_ == pieces_.back().size()) add_piece();
    return MutableByteView(pieces_.back()).subspan(used_);
  }
  void filled(std::size_t count) {
    used_ += count;
    size_ += count;
  }
  Bytes take() &&;

 private:
  static constexpr std::size_t kFirstSizeMin = 4 << 10;
  static constexpr std::size_t kFirstSizeMax = 1 << 20;
  static constexpr std::size_t kPieceSizeMax = 4 << 20;

  void add_piece();

  std::size_t limit_;
  std::size_t next_size_;
  std::vector<Bytes> pieces_;  // all full but the last, of which used_ bytes are
  std::size_t used_ = 0;
  std::size_t size_ = 0;
};

inline Error over_budget(std::size_t limit) {
  return Error{Errc::budget_exceeded, "decompresses to more than " + std::to_string(limit) + " bytes"};
}
inline Error bad_level(const char* codec, int level) {
  return Error{Errc::invalid_argument, std::string(codec) + " has no level " + std::to_string(level)};
}

}  // namespace sillok::protocol
