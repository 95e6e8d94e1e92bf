#include "storage/offset_index.h"

namespace sillok::storage {

void OffsetIndexEntry::encode(std::byte* to) const {
  store_big_endian(to, relative_offset);
  store_big_endian(to + sizeof relative_offset, position);
}

OffsetIndexEntry OffsetIndexEntry::decode(const std::byte* from) {
  return {load_big_endian<std::int32_t>(from), load_big_endian<std::int32_t>(from + sizeof(std::int32_t))};
}

bool OffsetIndexEntry::can_follow(const std::optional<OffsetIndexEntry>& previous) const {
  if (relative_offset < 0 || position <= 0) return false;
  return !previous || (relative_offset > previous->relative_offset && position > previous->position);
}

template class SparseIndex<OffsetIndexEntry>;

}  // namespace sillok::storage
