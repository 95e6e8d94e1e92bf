// A frame of the journal while it is put together: entries one behind the other, in memory that is kept for
// the next one.
#pragma once

#include <cstdint>

#include "protocol/base/bytes.h"
#include "storage/journal_format.h"

namespace sillok::storage {

// What one frame may hold; a partition with more than that to make durable syncs its segments instead.
inline constexpr ByteCount kJournalFrameSizeMax = 4 << 20;

// Threading: one thread.
class JournalFrame {
 public:
  explicit JournalFrame(ByteCount size_max = kJournalFrameSizeMax) : size_max_(size_max) {}
  void clear();
  bool is_empty() const { return entry_count_ == 0; }
  ByteCount size() const { return size_; }
  bool has_room_for(ByteCount batches_size) const {
    return size_ + static_cast<ByteCount>(kJournalEntryHeaderSize) + batches_size <= size_max_;
  }
  // The place for the entry's batches, `entry.size` bytes; valid until the next call. Requires:
  // has_room_for(entry.size).
  MutableByteView add(const JournalEntry& entry);
  // What add() did since `size()` was that is taken back.
  void take_back_to(ByteCount size, std::int32_t entry_count);
  std::int32_t entry_count() const { return entry_count_; }
  // The whole frame, padded to whole blocks. The header's sizes, count and checksum are filled in.
  ByteView finish(JournalFrameHeader header);

 private:
  void make_room(ByteCount size);

  const ByteCount size_max_;
  Bytes bytes_;
  ByteCount size_ = static_cast<ByteCount>(kJournalFrameHeaderSize);
  std::int32_t entry_count_ = 0;
};

}  // namespace sillok::storage
