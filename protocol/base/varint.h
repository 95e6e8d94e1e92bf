// Variable-length integers: seven bits a byte, lowest first, the high bit says that more follow. Records use
// the zigzag forms (small negative numbers stay short), flexible messages the unsigned one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"

namespace sillok {

inline constexpr std::size_t kVarintSizeMax = 5;
inline constexpr std::size_t kVarlongSizeMax = 10;

template <class T>
struct VarintRead {
  T value;
  std::size_t size;  // bytes used
};

// nullopt where the bytes end inside the number, or where it has more bits than fit.
inline std::optional<VarintRead<std::uint32_t>> read_unsigned_varint(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kVarintSizeMax && i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint32_t>(bytes[i]);
    if (i == kVarintSizeMax - 1 && byte > 0x0f) return std::nullopt;
    value |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) return VarintRead<std::uint32_t>{value, i + 1};
  }
  return std::nullopt;
}

inline std::optional<VarintRead<std::uint64_t>> read_unsigned_varlong(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarlongSizeMax && i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint64_t>(bytes[i]);
    if (i == kVarlongSizeMax - 1 && byte > 1) return std::nullopt;
    value |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) return VarintRead<std::uint64_t>{value, i + 1};
  }
  return std::nullopt;
}

constexpr std::int32_t zigzag_decode(std::uint32_t value) {
  return static_cast<std::int32_t>(value >> 1) ^ -static_cast<std::int32_t>(value & 1);
}
constexpr std::int64_t zigzag_decode(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
constexpr std::uint32_t zigzag_encode(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
constexpr std::uint64_t zigzag_encode(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::optional<VarintRead<std::int32_t>> read_varint(ByteView bytes) {
  const auto read = read_unsigned_varint(bytes);
  if (!read) return std::nullopt;
  return VarintRead<std::int32_t>{zigzag_decode(read->value), read->size};
}
inline std::optional<VarintRead<std::int64_t>> read_varlong(ByteView bytes) {
  const auto read = read_unsigned_varlong(bytes);
  if (!read) return std::nullopt;
  return VarintRead<std::int64_t>{zigzag_decode(read->value), read->size};
}

constexpr std::size_t unsigned_varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}
constexpr std::size_t varint_size(std::int32_t value) { return unsigned_varint_size(zigzag_encode(value)); }
constexpr std::size_t varlong_size(std::int64_t value) { return unsigned_varint_size(zigzag_encode(value)); }

// Appends to `out`, a container of std::byte.
template <class Container>
void append_unsigned_varint(Container& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}
template <class Container>
void append_varint(Container& out, std::int32_t value) {
  append_unsigned_varint(out, zigzag_encode(value));
}
template <class Container>
void append_varlong(Container& out, std::int64_t value) {
  append_unsigned_varint(out, zigzag_encode(value));
}

}  // namespace sillok
