#include "storage/journal_source.h"

#include <vector>

namespace sillok::storage {

FrameCopy copy_to_frame(const Log& log, const JournalKey& key, const LogPosition& from, const LogPosition& to,
                        JournalFrame& frame) {
  thread_local std::vector<SegmentRange> ranges;  // kept, so that a round allocates nothing
  ranges.clear();
  if (!log.find_ranges(from, to, ranges).ok()) return FrameCopy::unfit;
  ByteCount size = 0;
  for (const SegmentRange& range : ranges)
    size += range.slice.size + static_cast<ByteCount>(kJournalEntryHeaderSize);
  if (!frame.has_room_for(size)) return frame.is_empty() ? FrameCopy::unfit : FrameCopy::no_room;
  const ByteCount size_before = frame.size();
  const std::int32_t count_before = frame.entry_count();
  FrameCopy outcome = FrameCopy::copied;
  for (const SegmentRange& range : ranges) {
    JournalEntry entry;
    entry.key = key;
    entry.begin = range.begin;
    entry.next_offset = range.next_offset;
    entry.size = range.slice.size;
    const MutableByteView place = frame.add(entry);
    const auto read = range.slice.file->read_at(range.slice.position, place);
    if (read.ok() && *read == place.size()) continue;
    frame.take_back_to(size_before, count_before);
    outcome = FrameCopy::unfit;
    break;
  }
  ranges.clear();  // lets go of the files
  return outcome;
}

}  // namespace sillok::storage
