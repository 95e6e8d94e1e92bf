#include "protocol/wire/decoder.h"

#include <bit>
#include <cstring>

#include "protocol/base/varint.h"

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

std::uint32_t Decoder::long_varint() {
  const auto read = read_unsigned_varint(left_);
  if (!read) {
    fail(Errc::malformed, "a message has a broken varint");
    return 0;
  }
  left_ = left_.subspan(read->size);
  return read->value;
}

std::optional<TaggedFieldHead> Decoder::tagged_field(std::int64_t previous_tag) {
  const std::uint32_t tag = unsigned_varint();
  const std::uint32_t size = unsigned_varint();
  if (!ok()) return std::nullopt;
  if (static_cast<std::int64_t>(tag) <= previous_tag) {
    fail(Errc::malformed, "tags are not in order");
    return std::nullopt;
  }
  if (size > left_.size()) {
    fail(Errc::truncated, "a tagged field is larger than its message");
    return std::nullopt;
  }
  return TaggedFieldHead{tag, size};
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
  if (!flexible) {
    const auto size = integer<std::int16_t>();
    return ok() ? checked_size(size) : 0;
  }
  const auto size = bytes_size(true);
  if (size && *size > kStringSizeMax) {
    fail(Errc::malformed, "a string in a message is longer than 32767 bytes");
    return 0;
  }
  return size;
}

std::optional<std::size_t> Decoder::bytes_size(bool flexible) {
  const std::int64_t size =
      flexible ? static_cast<std::int64_t>(unsigned_varint()) - 1 : integer<std::int32_t>();
  return ok() ? checked_size(size) : 0;
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
