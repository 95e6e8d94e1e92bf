// Zstandard frames (RFC 8878).
#include <zstd.h>
#include <zstd_errors.h>

#include <memory>

#include "protocol/codecs.h"

namespace sillok::protocol {
namespace {

// The room for the output is tried in sizes that grow by this.
constexpr std::size_t kGrowth = 4;
constexpr std::size_t kFirstSizeMin = 4 << 10;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

Result<Bytes> zstd_compress(ByteView plain, std::optional<int> level) {
  const int wanted = level.value_or(ZSTD_CLEVEL_DEFAULT);
  if (wanted < ZSTD_minCLevel() || wanted > ZSTD_maxCLevel()) return bad_level("zstd", wanted);
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  if (!context) return Error{Errc::budget_exceeded, "no memory for zstd"};
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, wanted);
  Bytes out(ZSTD_compressBound(plain.size()));
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), plain.data(), plain.size());
  if (ZSTD_isError(size) != 0) return Error{Errc::budget_exceeded, ZSTD_getErrorName(size)};
  out.resize(size);
  return out;
}

// Frames may follow one another. Decoded at one go into the output, which then serves as the window too: no
// memory is taken for a window as large as a frame says (Java's levels 20 to 22 say 32 to 128 MiB for the
// smallest batch). Where the output has too little room all is done again with more, which costs a third more
// time at most.
Result<Bytes> zstd_decompress(ByteView compressed, std::size_t limit) {
  if (compressed.empty()) return Error{Errc::corrupt, "no zstd frame"};
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  if (!context) return Error{Errc::budget_exceeded, "no memory for zstd"};
  // Capped one byte past the limit, so that reaching the limit and going over it differ.
  for (std::size_t room = std::max(kFirstSizeMin, compressed.size());;) {
    room = std::min(room * kGrowth, limit + 1);
    Bytes out(room);
    const std::size_t size =
        ZSTD_decompressDCtx(context.get(), out.data(), out.size(), compressed.data(), compressed.size());
    if (ZSTD_isError(size) == 0) {
      if (size > limit) return over_budget(limit);
      out.resize(size);
      return out;
    }
    if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) {
      return Error{Errc::corrupt, std::string("zstd: ") + ZSTD_getErrorName(size)};
    }
    if (room == limit + 1) return over_budget(limit);
  }
}

}  // namespace sillok::protocol
