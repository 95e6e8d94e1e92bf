// The sparse `.timeindex` of a segment: the greatest timestamp so far, and the batch that brought it. Layout:
// storage/FORMAT.md, section 4.
#pragma once

#include "storage/index_search.h"

namespace sillok::storage {

// No batch up to the one that ends with this offset has a greater timestamp, and none before it has this one.
struct TimeIndexEntry {
  using Key = TimestampMs;
  static constexpr std::size_t kSize = kTimeIndexEntrySize;
  static constexpr std::string_view kSuffix = kTimeIndexSuffix;

  TimestampMs timestamp = kNoTimestamp;
  std::int32_t relative_offset = 0;

  Key key() const { return timestamp; }
  void encode(std::byte* to) const;
  static TimeIndexEntry decode(const std::byte* from);
  bool can_follow(const std::optional<TimeIndexEntry>& previous) const;
  bool operator==(const TimeIndexEntry&) const = default;
};

extern template class SparseIndex<TimeIndexEntry>;
using TimeIndex = SparseIndex<TimeIndexEntry>;

}  // namespace sillok::storage
