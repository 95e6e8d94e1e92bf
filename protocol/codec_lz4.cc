// LZ4 frames, as Kafka's clients write them: independent blocks of 64 KiB, no checksum of the content.
#include <lz4frame.h>

#include <memory>

#include "protocol/codecs.h"

namespace sillok::protocol {
namespace {

// compression.lz4.level: Kafka's range and default. The default stands for the fast compressor, as in Kafka;
// other levels for the slow one, which ends at 12.
constexpr int kLevelMin = 1;
constexpr int kLevelMax = 17;
constexpr int kLevelDefault = 9;
constexpr int kFastCompressor = 0;
constexpr int kSlowLevelMax = 12;

struct FreeDecompressor {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

Error corrupt(std::size_t code) {
  return Error{Errc::corrupt, std::string("lz4: ") + LZ4F_getErrorName(code)};
}

}  // namespace

Result<Bytes> lz4_compress(ByteView plain, std::optional<int> level) {
  const int wanted = level.value_or(kLevelDefault);
  if (wanted < kLevelMin || wanted > kLevelMax) return bad_level("lz4", wanted);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.compressionLevel = wanted == kLevelDefault ? kFastCompressor : std::min(wanted, kSlowLevelMax);
  Bytes out(LZ4F_compressFrameBound(plain.size(), &preferences));
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences);
  if (LZ4F_isError(size) != 0) return Error{Errc::budget_exceeded, LZ4F_getErrorName(size)};
  out.resize(size);
  return out;
}

// Exactly one frame: Java's reader stops after the first.
Result<Bytes> lz4_decompress(ByteView compressed, std::size_t limit) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)) != 0) {
    return Error{Errc::budget_exceeded, "no memory for lz4"};
  }
  const std::unique_ptr<LZ4F_dctx, FreeDecompressor> context(raw);
  GrowingOutput out(limit, compressed.size());
  while (true) {
    const MutableByteView room = out.room();
    std::size_t made = room.size();
    std::size_t used = compressed.size();
    const std::size_t hint =
        LZ4F_decompress(context.get(), room.data(), &made, compressed.data(), &used, nullptr);
    if (LZ4F_isError(hint) != 0) return corrupt(hint);
    compressed = compressed.subspan(used);
    out.filled(made);
    if (out.over_limit()) return over_budget(limit);
    if (hint == 0) break;
    if (used == 0 && made == 0) return Error{Errc::corrupt, "an lz4 frame that ends early"};
  }
  if (!compressed.empty()) return Error{Errc::corrupt, "bytes after an lz4 frame"};
  return std::move(out).take();
}

}  // namespace sillok::protocol
