// gzip (RFC 1952), by zlib.
#include <zlib.h>

#include "protocol/codecs.h"

namespace sillok::protocol {
namespace {

constexpr int kGzipHeader = 16;  // zlib's way to ask for gzip's header and trailer
constexpr int kWindowBits = 15;
constexpr int kMemoryLevel = 8;
constexpr std::size_t kStepMax = 1 << 30;  // zlib counts in unsigned int

Bytef* writable(const std::byte* bytes) { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes)); }

class Deflater {
 public:
  explicit Deflater(int level)
      : status_(deflateInit2(&stream_, level, Z_DEFLATED, kWindowBits + kGzipHeader, kMemoryLevel,
                             Z_DEFAULT_STRATEGY)) {}
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  bool ok() const { return status_ == Z_OK; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  int status_;
};

class Inflater {
 public:
  Inflater() : status_(inflateInit2(&stream_, kWindowBits + kGzipHeader)) {}
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ok() const { return status_ == Z_OK; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  int status_;
};

}  // namespace

Result<Bytes> gzip_compress(ByteView plain, std::optional<int> level) {
  const int wanted = level.value_or(Z_DEFAULT_COMPRESSION);
  if (wanted != Z_DEFAULT_COMPRESSION && (wanted < Z_BEST_SPEED || wanted > Z_BEST_COMPRESSION)) {
    return bad_level("gzip", wanted);
  }
  if (plain.size() > kStepMax) return Error{Errc::too_large, "too much for one gzip member"};
  Deflater deflater(wanted);
  if (!deflater.ok()) return Error{Errc::budget_exceeded, "no memory for zlib"};
  z_stream& stream = deflater.stream();
  Bytes out(deflateBound(&stream, plain.size()));
  stream.next_in = writable(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = writable(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);  // deflateBound() is enough by its contract
  out.resize(stream.total_out);
  return out;
}

// A file may have several members, one after the other (RFC 1952, section 2.2); Java's reader takes them too.
Result<Bytes> gzip_decompress(ByteView compressed, std::size_t limit) {
  Inflater inflater;
  if (!inflater.ok()) return Error{Errc::budget_exceeded, "no memory for zlib"};
  z_stream& stream = inflater.stream();
  GrowingOutput out(limit, compressed.size());
  while (true) {
    const MutableByteView room = out.room();
    const std::size_t in_step = std::min(compressed.size(), kStepMax);
    const std::size_t out_step = std::min(room.size(), kStepMax);
    stream.next_in = writable(compressed.data());
    stream.avail_in = static_cast<uInt>(in_step);
    stream.next_out = writable(room.data());
    stream.avail_out = static_cast<uInt>(out_step);
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t used = in_step - stream.avail_in;
    const std::size_t made = out_step - stream.avail_out;
    compressed = compressed.subspan(used);
    out.filled(made);
    if (out.over_limit()) return over_budget(limit);
    if (status == Z_STREAM_END) {
      if (compressed.empty()) return std::move(out).take();
      inflateReset(&stream);
    } else if (status == Z_MEM_ERROR) {
      return Error{Errc::budget_exceeded, "no memory for zlib"};
    } else if (status != Z_OK || (used == 0 && made == 0)) {
      return Error{Errc::corrupt, stream.msg != nullptr ? stream.msg : "gzip data ends early"};
    }
  }
}

}  // namespace sillok::protocol
