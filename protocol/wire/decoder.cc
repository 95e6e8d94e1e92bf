#include "protocol/wire/decoder.h"

#include <bit>
#include <cstring>

namespace sillok::protocol {

Result<void> Decoder::finish() const {
  if (failed_) return Error{code_, what_};
  if (!left_.empty()) return Error{Errc::malformed, "a message has bytes after its end"};
  return {};
}

void Decoder::fail(Errc code, const char* what) {
  if (failed_) return;
  failed_ = true;
  code_ = code;
  what_ = what;
  left_ = {};
}

double Decoder::float64() { return std::bit_cast<double>(integer<std::uint64_t>()); }

Uuid Decoder::uuid() {
  Uuid id;
  const ByteView from = bytes(id.bytes.size());
  if (!from.empty()) std::memcpy(id.bytes.data(), from.data(), from.size());
  return id;
}

std::uint32_t Decoder::unsigned_varint() {
  const auto read = read_unsigned_varint(left_);
  if (!read) {
    fail(Errc::malformed, "a message has a broken varint");
    return 0;
  }
  left_ = left_.subspan(read->size);
  return read->value;
}

ByteView Decoder::bytes(std::size_t size) {
  if (left_.size() < size) {
    fail(Errc::truncated, "a message ends inside a value");
    return {};
  }
  const ByteView value = left_.first(size);
  left_ = left_.subspan(size);
  return value;
}

std::optional<std::size_t> Decoder::checked_size(std::int64_t size) {
  if (size == -1) return std::nullopt;
  if (size < 0) {
    fail(Errc::malformed, "a message has a negative length");
    return 0;
  }
  if (static_cast<std::uint64_t>(size) > left_.size()) {
    fail(Errc::truncated, "a length in a message is larger than the message");
    return 0;
  }
  return static_cast<std::size_t>(size);
}

std::optional<std::size_t> Decoder::string_size(bool flexible) {
  if (flexible) return checked_size(static_cast<std::int64_t>(unsigned_varint()) - (ok() ? 1 : 0));
  return checked_size(integer<std::int16_t>());
}

std::optional<std::size_t> Decoder::bytes_size(bool flexible) {
  if (flexible) return checked_size(static_cast<std::int64_t>(unsigned_varint()) - (ok() ? 1 : 0));
  return checked_size(integer<std::int32_t>());
}

std::optional<std::size_t> Decoder::array_count(bool flexible, std::size_t element_wire_size_min,
                                                std::size_t element_memory) {
  const auto count = bytes_size(flexible);  // has the same form as a length of bytes
  if (!count || *count == 0) return count;
  if (element_wire_size_min > 0 && *count > left_.size() / element_wire_size_min) {
    fail(Errc::truncated, "an array in a message has more elements than the message has bytes for");
    return 0;
  }
  if (*count > budget_ / element_memory) {
    fail(Errc::budget_exceeded, "the arrays of a message take more memory than its size allows");
    return 0;
  }
  budget_ -= *count * element_memory;
  return count;
}

}  // namespace sillok::protocol
