// Messages of random content, for round trips: every member that a version has is filled, the others stay at
// their default, so that what is decoded must be equal.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "protocol/wire/walk.h"

namespace sillok::tests {

// Owns the strings and bytes that its messages view: it must outlive them.
class RandomMessages {
 public:
  explicit RandomMessages(std::uint64_t seed) : random_(seed) {}

  template <protocol::Message M>
  M make(protocol::Version version) {
    M message;
    fill_fields(message, {version, M::kFlexible.contains(version)});
    return message;
  }

 private:
  static constexpr std::size_t kElementsMax = 3;
  static constexpr std::size_t kTextMax = 300;  // past one byte of varint

  std::size_t up_to(std::size_t max) { return std::uniform_int_distribution<std::size_t>(0, max)(random_); }
  bool one_in(std::size_t count) { return up_to(count - 1) == 0; }

  // Often a bound of the type, where mistakes are.
  template <std::integral T>
  T integer() {
    using Limits = std::numeric_limits<T>;
    constexpr T kBounds[] = {
        0, 1, static_cast<T>(-1), Limits::min(), Limits::max(), 127, static_cast<T>(-128)};
    if (one_in(3)) return kBounds[up_to(std::size(kBounds) - 1)];
    return static_cast<T>(random_());
  }

  std::string_view text() {
    auto& owned = texts_.emplace_back(std::make_unique<std::string>());
    const std::size_t size = one_in(4) ? up_to(kTextMax) : up_to(12);
    for (std::size_t i = 0; i < size; ++i) owned->push_back(static_cast<char>(random_()));
    return *owned;
  }

  template <protocol::HasSchema T>
  void fill_fields(T& message, protocol::WalkContext context) {
    protocol::for_each_field<T>([&]<class F>(const F& f) {
      if (!f.options.versions.contains(context.version)) return;
      if (f.options.tagged.contains(context.version) && one_in(3)) return;
      fill(message.*F::pointer, context, f.options.nullable.contains(context.version));
    });
  }

  template <class T>
  void fill(T& value, protocol::WalkContext context, bool may_be_null = false) {
    if constexpr (std::is_same_v<T, bool>) {
      value = one_in(2);
    } else if constexpr (std::is_same_v<T, double>) {
      value = static_cast<double>(integer<std::int64_t>());
    } else if constexpr (std::is_integral_v<T>) {
      value = integer<T>();
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(integer<std::underlying_type_t<T>>());
    } else if constexpr (IsStrong<T>::value) {
      value = T(integer<typename T::rep>());
    } else if constexpr (std::is_same_v<T, Uuid>) {
      for (std::uint8_t& byte : value.bytes) byte = static_cast<std::uint8_t>(random_());
    } else if constexpr (protocol::HasSchema<T>) {
      fill_fields(value, context);
    } else if constexpr (protocol::IsOptional<T>::value) {
      value.reset();
      if (!may_be_null || !one_in(4)) fill(value.emplace(), context);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      value = text();
    } else if constexpr (std::is_same_v<T, ByteView>) {
      value = as_bytes(text());
    } else if constexpr (std::is_same_v<T, protocol::Records>) {
      value = protocol::Records{as_bytes(text())};
    } else {
      value.resize(up_to(kElementsMax));
      for (auto& element : value) fill(element, context);
    }
  }

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

}  // namespace sillok::tests
