// Writes the primitive values of messages.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "protocol/base/varint.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

// Threading: not thread-safe. Failure: sticky, as in Decoder: a value that the version cannot carry.
// Appends to a buffer of the caller's, which may already hold something.
class Encoder {
 public:
  // A place in the output where `size` bytes from elsewhere follow: `position` counts the encoder's own bytes
  // only.
  struct Hole {
    std::size_t position;
    std::uint32_t size;
  };

  explicit Encoder(Bytes& out) : out_(out) {}

  bool ok() const { return error_ == nullptr; }
  Result<void> finish() const {
    if (error_ != nullptr) return Error{Errc::unsupported_version, error_};
    return {};
  }
  const std::vector<Hole>& holes() const { return holes_; }
  std::size_t size() const { return out_.size(); }

  template <std::integral T>
  void integer(T value) {
    std::byte encoded[sizeof(T)];
    store_big_endian(encoded, value);
    out_.insert(out_.end(), encoded, encoded + sizeof(T));
  }
  void boolean(bool value) { integer<std::int8_t>(value ? 1 : 0); }
  void float64(double value) { integer(std::bit_cast<std::uint64_t>(value)); }
  void uuid(const Uuid& id) { bytes(std::as_bytes(std::span(id.bytes))); }
  void unsigned_varint(std::uint32_t value) { append_unsigned_varint(out_, value); }
  void bytes(ByteView value) { out_.insert(out_.end(), value.begin(), value.end()); }
  void hole(std::uint32_t size) { holes_.push_back({out_.size(), size}); }

  void string_size(bool flexible, std::size_t size) {
    if (flexible) return unsigned_varint(static_cast<std::uint32_t>(size + 1));
    if (size > 0x7fff) return fail("a string is longer than 32767 bytes");
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

  void fail(const char* what) {
    if (error_ == nullptr) error_ = what;
  }

 private:
  Bytes& out_;
  std::vector<Hole> holes_;
  const char* error_ = nullptr;
};

}  // namespace sillok::protocol
