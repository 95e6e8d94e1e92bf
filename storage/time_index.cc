#include "storage/time_index.h"

namespace sillok::storage {

void TimeIndexEntry::encode(std::byte* to) const {
  store_big_endian(to, timestamp);
  store_big_endian(to + sizeof timestamp, relative_offset);
}

TimeIndexEntry TimeIndexEntry::decode(const std::byte* from) {
  return {load_big_endian<TimestampMs>(from), load_big_endian<std::int32_t>(from + sizeof(TimestampMs))};
}

bool TimeIndexEntry::can_follow(const std::optional<TimeIndexEntry>& previous) const {
  if (timestamp < 0 || relative_offset < 0) return false;
  return !previous || (timestamp > previous->timestamp && relative_offset >= previous->relative_offset);
}

template class SparseIndex<TimeIndexEntry>;

}  // namespace sillok::storage
