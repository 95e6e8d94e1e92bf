// How a C++ struct says its own wire format. A message lists its members in wire order, each with the
// versions that have it; the walk (walk.h and those that include it) encodes, decodes and prints from that
// one list, so no layout is written twice.
//
//   struct FetchPartition {
//     PartitionIndex index;
//     std::int32_t current_leader_epoch = -1;
//     static constexpr auto kSchema = schema(
//         field<&FetchPartition::index>("Partition"),
//         field<&FetchPartition::current_leader_epoch>("CurrentLeaderEpoch", since(9), IfAbsent::drop));
//   };
//
// The wire type follows the C++ type: bool, int8..int64, uint16, uint32, double, Uuid, std::string_view
// (string), ByteView (bytes), Records, a strong id or an enum (its integer), std::vector (array), a struct
// with a schema (nested), and std::optional of these (nullable). Compact forms follow the message's flexible
// versions. A member's initialiser is its value in versions that lack it. Names are those of Kafka's message
// definitions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>

namespace sillok::protocol {

using Version = std::int16_t;

inline constexpr std::uint32_t kTaggedFieldsMax = 1000;
// Kafka's limit, in compact form too.
inline constexpr std::size_t kStringSizeMax = 0x7fff;

struct VersionRange {
  Version first = 0;
  Version last = std::numeric_limits<Version>::max();

  constexpr bool contains(Version version) const { return first <= version && version <= last; }
  constexpr bool empty() const { return first > last; }
  friend constexpr bool operator==(VersionRange, VersionRange) = default;
};

inline constexpr VersionRange kAllVersions{};
inline constexpr VersionRange kNoVersions{1, 0};

constexpr VersionRange since(Version first) { return {first, kAllVersions.last}; }
constexpr VersionRange until(Version last) { return {0, last}; }
constexpr VersionRange between(Version first, Version last) { return {first, last}; }
constexpr VersionRange only(Version version) { return {version, version}; }

// What the encoder does with a member that is not at its default in a version that lacks it.
enum class IfAbsent {
  fail,  // the message cannot be said in this version
  drop,  // Kafka's "ignorable"
};

// The versions in which an optional member may be null; outside them it must have a value.
struct Nullable {
  VersionRange versions;
};
constexpr Nullable nullable(VersionRange versions) { return {versions}; }

// The versions in which a member is a tagged field, and its tag.
struct Tagged {
  std::int16_t tag;
  VersionRange versions;
};
constexpr Tagged tagged(std::int16_t tag, VersionRange versions) { return {tag, versions}; }

struct FieldOptions {
  VersionRange versions = kAllVersions;
  VersionRange nullable = kAllVersions;
  VersionRange tagged = kNoVersions;
  std::int16_t tag = -1;
  IfAbsent if_absent = IfAbsent::fail;

  constexpr void apply(VersionRange range) { versions = range; }
  constexpr void apply(Nullable null) { nullable = null.versions; }
  constexpr void apply(IfAbsent absent) { if_absent = absent; }
  constexpr void apply(Tagged t) {
    tag = t.tag;
    tagged = t.versions;
  }
};

template <class Member>
struct MemberPointer;
template <class Struct, class Value>
struct MemberPointer<Value Struct::*> {
  using struct_type = Struct;
  using value_type = Value;
};

template <auto Pointer>
struct Field {
  using value_type = typename MemberPointer<decltype(Pointer)>::value_type;
  static constexpr auto pointer = Pointer;
  const char* name;
  FieldOptions options;
};

template <auto Pointer, class... Options>
constexpr Field<Pointer> field(const char* name, Options... options) {
  Field<Pointer> result{name, {}};
  (result.options.apply(options), ...);
  // A field that is only ever tagged needs no second list of versions.
  if (!result.options.tagged.empty() && result.options.versions == kAllVersions) {
    result.options.versions = result.options.tagged;
  }
  return result;
}

template <class... Fields>
constexpr std::tuple<Fields...> schema(Fields... fields) {
  return std::tuple<Fields...>(fields...);
}

template <class T>
concept HasSchema = requires { T::kSchema; };

// A whole request or response body.
template <class T>
concept Message = HasSchema<T> && requires {
  { T::kVersions } -> std::convertible_to<VersionRange>;
  { T::kFlexible } -> std::convertible_to<VersionRange>;
};

}  // namespace sillok::protocol
