// The identifiers and places that the whole program talks about, each a type of its own, so that an offset
// cannot be passed where a file position is meant.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace sillok {

// An integer that means one thing. No arithmetic: an id is compared and printed, never added to.
template <class Tag, class Rep>
struct StrongId {
  using rep = Rep;
  Rep value{};

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep initial) : value(initial) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

using PartitionIndex = StrongId<struct PartitionIndexTag, std::int32_t>;
using BrokerId = StrongId<struct BrokerIdTag, std::int32_t>;
using LeaderEpoch = StrongId<struct LeaderEpochTag, std::int32_t>;
using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
using ProducerEpoch = StrongId<struct ProducerEpochTag, std::int16_t>;

inline constexpr LeaderEpoch kNoLeaderEpoch{-1};
inline constexpr ProducerId kNoProducerId{-1};
inline constexpr ProducerEpoch kNoProducerEpoch{-1};

// A place on an integer axis: places differ by a count, and a count moves a place.
template <class Tag>
struct StrongPlace {
  using rep = std::int64_t;
  std::int64_t value{};

  constexpr StrongPlace() = default;
  constexpr explicit StrongPlace(std::int64_t initial) : value(initial) {}
  friend constexpr auto operator<=>(StrongPlace, StrongPlace) = default;
  friend constexpr StrongPlace operator+(StrongPlace place, std::int64_t count) {
    return StrongPlace(place.value + count);
  }
  friend constexpr StrongPlace operator-(StrongPlace place, std::int64_t count) {
    return StrongPlace(place.value - count);
  }
  friend constexpr std::int64_t operator-(StrongPlace a, StrongPlace b) { return a.value - b.value; }
  constexpr StrongPlace& operator+=(std::int64_t count) {
    value += count;
    return *this;
  }
};

// The logical number of a record in its partition.
using Offset = StrongPlace<struct OffsetTag>;
// A byte place in a file.
using FilePosition = StrongPlace<struct FilePositionTag>;

using ByteCount = std::int64_t;
// Milliseconds since the Unix epoch, as record timestamps have it; -1 is "none".
using TimestampMs = std::int64_t;
inline constexpr TimestampMs kNoTimestamp = -1;

template <class T>
struct IsStrong {
  static constexpr bool value = false;
};
template <class Tag, class Rep>
struct IsStrong<StrongId<Tag, Rep>> {
  static constexpr bool value = true;
};
template <class Tag>
struct IsStrong<StrongPlace<Tag>> {
  static constexpr bool value = true;
};

}  // namespace sillok

template <class Tag, class Rep>
struct std::hash<sillok::StrongId<Tag, Rep>> {
  std::size_t operator()(sillok::StrongId<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value); }
};
template <class Tag>
struct std::hash<sillok::StrongPlace<Tag>> {
  std::size_t operator()(sillok::StrongPlace<Tag> place) const noexcept {
    return std::hash<std::int64_t>{}(place.value);
  }
};
