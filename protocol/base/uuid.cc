#include "protocol/base/uuid.h"

namespace sillok {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextSize = 22;

}  // namespace

std::string Uuid::to_string() const {
  std::string text;
  text.reserve(kTextSize);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    for (bit_count += 8; bit_count >= 6; bit_count -= 6)
      text.push_back(kAlphabet[(bits >> (bit_count - 6)) & 0x3f]);
  }
  text.push_back(kAlphabet[(bits << (6 - bit_count)) & 0x3f]);
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  Uuid id;
  std::uint32_t bits = 0;
  int bit_count = 0;
  std::size_t filled = 0;
  for (const char character : text) {
    const auto digit = kAlphabet.find(character);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    bit_count += 6;
    if (bit_count >= 8 && filled < id.bytes.size()) {
      bit_count -= 8;
      id.bytes[filled++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
  }
  const bool leftover_bits_are_zero = (bits & ((1U << bit_count) - 1)) == 0;
  if (!leftover_bits_are_zero) return std::nullopt;
  return id;
}

std::optional<Uuid> Uuid::from_random(const std::array<std::uint8_t, 16>& random) {
  Uuid id{random};
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  if (id.to_string().front() == '-') return std::nullopt;
  return id;
}

}  // namespace sillok
