#include "storage/journal_frame.h"

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"

namespace sillok::storage {
namespace {

constexpr auto kHeaderSize = static_cast<ByteCount>(kJournalFrameHeaderSize);
constexpr auto kEntrySize = static_cast<ByteCount>(kJournalEntryHeaderSize);

}  // namespace

void JournalFrame::clear() { take_back_to(kHeaderSize, 0); }

void JournalFrame::take_back_to(ByteCount size, std::int32_t entry_count) {
  size_ = size;
  entry_count_ = entry_count;
}

void JournalFrame::make_room(ByteCount size) {
  const auto wanted = static_cast<std::size_t>(size);
  if (bytes_.size() < wanted) bytes_.resize(std::max(wanted, 2 * bytes_.size()));
}

MutableByteView JournalFrame::add(const JournalEntry& entry) {
  CHECK(has_room_for(entry.size));
  make_room(size_ + kEntrySize + entry.size);
  encode(entry, bytes_.data() + size_);
  const MutableByteView place(bytes_.data() + size_ + kEntrySize, static_cast<std::size_t>(entry.size));
  size_ += kEntrySize + entry.size;
  ++entry_count_;
  return place;
}

ByteView JournalFrame::finish(JournalFrameHeader header) {
  header.size = size_;
  header.entry_count = entry_count_;
  const ByteCount padded = header.padded_size();
  make_room(padded);
  std::fill(bytes_.begin() + size_, bytes_.begin() + padded, std::byte{0});
  header.body_crc = crc32c(
      ByteView(bytes_).subspan(kJournalFrameHeaderSize, static_cast<std::size_t>(size_ - kHeaderSize)));
  encode(header, bytes_.data());
  return {bytes_.data(), static_cast<std::size_t>(padded)};
}

}  // namespace sillok::storage
