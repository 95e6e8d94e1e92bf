// Writes the primitive values of messages.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

// Appends to a buffer of the caller's, which may already hold something. While it writes, the buffer may be
// longer than what was written: it is the caller's again after finish() or the encoder's end. Threading: not
// thread-safe. Failure: sticky, as in Decoder: a value that the version cannot carry.
class Encoder {
 public:
  // A place in the output where `size` bytes from elsewhere follow: `position` counts the encoder's own bytes
  // only.
  struct Hole {
    std::size_t position;
    std::uint32_t size;
  };

  explicit Encoder(Bytes& out) : Encoder(out, own_holes_) {}
  // Notes the holes in memory of the caller's, who encodes again and again.
  Encoder(Bytes& out, std::vector<Hole>& holes) : out_(out), position_(out.size()), holes_(holes) {
    holes_.clear();
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() { out_.resize(position_); }

  bool ok() const { return error_ == nullptr; }
  // Whether all could be said. The buffer ends after the last value.
  Result<void> finish();
  const std::vector<Hole>& holes() const { return holes_; }
  // Of the buffer, as far as it is written.
  std::size_t size() const { return position_; }
  // Takes back all from `size` on, holes and errors too. Requires: size <= size().
  void truncate(std::size_t size);

  template <std::integral T>
  void integer(T value) {
    store_big_endian(claim(sizeof(T)), value);
  }
  void boolean(bool value) { integer<std::int8_t>(value ? 1 : 0); }
  void float64(double value) { integer(std::bit_cast<std::uint64_t>(value)); }
  void uuid(const Uuid& id) { bytes(std::as_bytes(std::span(id.bytes))); }
  void unsigned_varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) *claim(1) = static_cast<std::byte>(value | 0x80);
    *claim(1) = static_cast<std::byte>(value);
  }
  void bytes(ByteView value) {
    if (value.size() > kCopyMax) return large_bytes(value);
    if (!value.empty()) std::memcpy(claim(value.size()), value.data(), value.size());
  }
  void hole(std::uint32_t size) { holes_.push_back({position_, size}); }

  void string_size(bool flexible, std::size_t size) {
    if (size > kStringSizeMax) return fail("a string is longer than 32767 bytes");
    if (flexible) return unsigned_varint(static_cast<std::uint32_t>(size + 1));
    integer(static_cast<std::int16_t>(size));
  }
  void bytes_size(bool flexible, std::size_t size) {
    if (size >= 0x7fffffff) return fail("bytes are longer than 2 GiB");
    if (flexible) return unsigned_varint(static_cast<std::uint32_t>(size + 1));
    integer(static_cast<std::int32_t>(size));
  }
  void array_count(bool flexible, std::size_t count) { bytes_size(flexible, count); }
  void null_string(bool flexible) { flexible ? unsigned_varint(0) : integer<std::int16_t>(-1); }
  void null_bytes(bool flexible) { flexible ? unsigned_varint(0) : integer<std::int32_t>(-1); }
  void null_array(bool flexible) { null_bytes(flexible); }

  // A value with its size as a varint before it: begin_sized(), the value, end_sized(what begin_sized()
  // gave).
  std::size_t begin_sized();
  void end_sized(std::size_t start);

  void fail(const char* what) {
    if (error_ == nullptr) error_ = what;
  }

 private:
  // Longer values are appended by the vector, which then need not zero their place first.
  static constexpr std::size_t kCopyMax = 1024;

  // A place for the next `size` bytes.
  std::byte* claim(std::size_t size) {
    if (out_.size() - position_ < size) [[unlikely]]
      grow(size);
    std::byte* const place = out_.data() + position_;
    position_ += size;
    return place;
  }
  void grow(std::size_t size);
  void large_bytes(ByteView value);

  Bytes& out_;
  std::size_t position_;
  std::vector<Hole> own_holes_;
  std::vector<Hole>& holes_;
  const char* error_ = nullptr;
};

}  // namespace sillok::protocol
