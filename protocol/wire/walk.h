// What every walk over a schema shares: the kinds of values, the members of a struct one by one, and the
// checks that a schema passes before it compiles. decode.h and encode.h walk the bytes, printer.h and
// describe.h serve people.
#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/wire/schema.h"
#include "protocol/wire/types.h"

namespace sillok::protocol {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

struct WalkContext {
  Version version;
  bool flexible;
};

// A nested struct that may be null has one byte before it: -1 is null, 1 is present.
inline constexpr std::int8_t kNullStruct = -1;
inline constexpr std::int8_t kPresentStruct = 1;

// What a struct's members are in a version that lacks them.
template <HasSchema T>
inline const T kAbsent{};

template <HasSchema T, class Visit>
constexpr void for_each_field(Visit&& visit) {
  std::apply([&](const auto&... fields) { (visit(fields), ...); }, T::kSchema);
}

// ---- what every schema must be ----

// What a type is once `optional` and `vector` around it are taken off.
template <class T>
struct Core {
  using type = T;
};
template <class T>
struct Core<std::vector<T>> : Core<T> {};
template <class T>
struct Core<std::optional<T>> : Core<T> {};

constexpr bool contains(VersionRange outer, VersionRange inner) {
  return inner.empty() || (outer.first <= inner.first && inner.last <= outer.last);
}

// Tagged fields only in flexible versions and with tags of their own; no range empty or outside its field's;
// null only where the member can hold it.
template <HasSchema T>
constexpr bool schema_is_sound(VersionRange flexible) {
  bool sound = true;
  std::uint64_t tags = 0;
  for_each_field<T>([&]<class F>(const F& f) {
    using Value = typename F::value_type;
    const FieldOptions& options = f.options;
    sound = sound && !options.versions.empty() && f.name[0] != '\0';
    if (options.tagged.empty()) {
      sound = sound && options.tag == -1;
    } else {
      sound = sound && contains(flexible, options.tagged) && contains(options.versions, options.tagged);
      sound = sound && 0 <= options.tag && options.tag < 64 && (tags >> options.tag & 1) == 0;
      tags |= std::uint64_t{1} << (options.tag & 63);
    }
    if (!IsOptional<Value>::value) sound = sound && options.nullable == kAllVersions;
    using Inner = typename Core<Value>::type;
    if constexpr (HasSchema<Inner>) sound = sound && schema_is_sound<Inner>(flexible);
  });
  return sound;
}

// ---- sizes ----

template <HasSchema T>
std::size_t wire_size_min(WalkContext context);

// The least number of bytes that a value can have, for bounds on counts.
template <class T>
std::size_t value_wire_size_min(WalkContext context) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return sizeof(T);  // bool is one byte in both worlds
  } else if constexpr (IsStrong<T>::value) {
    return sizeof(typename T::rep);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return sizeof(Uuid::bytes);
  } else if constexpr (IsOptional<T>::value) {
    using Inner = typename T::value_type;
    return HasSchema<Inner> ? 1 : value_wire_size_min<Inner>(context);
  } else if constexpr (HasSchema<T>) {
    return wire_size_min<T>(context);
  } else {
    if (context.flexible) return 1;
    return std::is_same_v<T, std::string_view> ? 2 : 4;
  }
}

template <HasSchema T>
std::size_t wire_size_min(WalkContext context) {
  std::size_t size = context.flexible ? 1 : 0;
  for_each_field<T>([&]<class F>(const F& f) {
    if (f.options.versions.contains(context.version) && !f.options.tagged.contains(context.version)) {
      size += value_wire_size_min<typename F::value_type>(context);
    }
  });
  return size;
}

}  // namespace sillok::protocol
