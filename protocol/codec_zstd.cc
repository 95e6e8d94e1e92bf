// Zstandard frames (RFC 8878).
#include <zstd.h>
#include <zstd_errors.h>

#include <memory>

#include "protocol/codecs.h"

namespace sillok::protocol {
namespace {

// 8 MiB: what RFC 8878, section 3.1.1.1.2, asks every decoder to support. A frame takes its window's size of
// memory at once, so that this is a limit and not a detail.
constexpr int kWindowLogMax = 23;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error refused(std::size_t code) {
  const bool wants_memory = ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge ||
                            ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation;
  return Error{wants_memory ? Errc::budget_exceeded : Errc::corrupt,
               std::string("zstd: ") + ZSTD_getErrorName(code)};
}

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

// Frames may follow one another.
Result<Bytes> zstd_decompress(ByteView compressed, std::size_t limit) {
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  if (!context) return Error{Errc::budget_exceeded, "no memory for zstd"};
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  GrowingOutput out(limit, compressed.size());
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  while (true) {
    const MutableByteView room = out.room();
    ZSTD_outBuffer to{room.data(), room.size(), 0};
    const std::size_t used_before = in.pos;
    const std::size_t hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint) != 0) return refused(hint);
    out.filled(to.pos);
    if (out.over_limit()) return over_budget(limit);
    if (hint == 0 && in.pos == in.size) return std::move(out).take();
    if (in.pos == used_before && to.pos == 0) return Error{Errc::corrupt, "a zstd frame that ends early"};
  }
}

}  // namespace sillok::protocol
