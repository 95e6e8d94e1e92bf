// Topic ids and other 128-bit names, as Kafka prints them: 22 characters of base64 for URLs, without padding.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sillok {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

  bool is_zero() const { return *this == Uuid{}; }
  std::string to_string() const;
  static std::optional<Uuid> parse(std::string_view text);
  // From 16 random bytes: version 4, and as in Kafka never with a leading '-', which command lines take for
  // an option. nullopt where those bytes make none: draw again.
  static std::optional<Uuid> from_random(const std::array<std::uint8_t, 16>& random);
};

using TopicId = Uuid;

}  // namespace sillok

template <>
struct std::hash<sillok::Uuid> {
  std::size_t operator()(const sillok::Uuid& id) const noexcept {
    std::size_t halves[2];
    std::memcpy(halves, id.bytes.data(), sizeof halves);
    return halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL);
  }
};
