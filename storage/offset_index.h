// The sparse `.index` of a segment: from offsets to places in its `.log`. Layout: storage/FORMAT.md,
// section 3.
#pragma once

#include "storage/index_search.h"

namespace sillok::storage {

// The batch at `position` ends with the record `relative_offset` past the segment's base.
struct OffsetIndexEntry {
  using Key = std::int32_t;
  static constexpr std::size_t kSize = kOffsetIndexEntrySize;
  static constexpr std::string_view kSuffix = kOffsetIndexSuffix;

  std::int32_t relative_offset = 0;
  std::int32_t position = 0;

  Key key() const { return relative_offset; }
  void encode(std::byte* to) const;
  static OffsetIndexEntry decode(const std::byte* from);
  // The first batch of a segment never has an entry.
  bool can_follow(const std::optional<OffsetIndexEntry>& previous) const;
  bool operator==(const OffsetIndexEntry&) const = default;
};

extern template class SparseIndex<OffsetIndexEntry>;
using OffsetIndex = SparseIndex<OffsetIndexEntry>;

}  // namespace sillok::storage
