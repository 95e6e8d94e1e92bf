// The bytes of the commit journal's files. What they mean: storage/FORMAT.md, section 11.
#pragma once

#include <cstdint>
#include <functional>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/log_position.h"

namespace sillok::storage {

inline constexpr std::string_view kJournalNamePrefix = "sillok-journal-";
// Header and frames begin at multiples of it, so that no write touches a block that an earlier one filled.
inline constexpr ByteCount kJournalBlockSize = 4096;
inline constexpr std::size_t kJournalFileHeaderSize = 32;
inline constexpr std::size_t kJournalFrameHeaderSize = 48;
inline constexpr std::size_t kJournalEntryHeaderSize = 64;

// Whose batches an entry has. Topics come and go under one name, so names are not enough.
struct JournalKey {
  TopicId topic;
  PartitionIndex partition;
  friend auto operator<=>(const JournalKey&, const JournalKey&) = default;
};

struct JournalFileHeader {
  std::uint64_t file_id = 0;  // random: bytes of an earlier file in the same blocks are not taken for frames
  ByteCount size = 0;         // of the file, header included
};

// A frame is what one round made durable.
struct JournalFrameHeader {
  std::uint64_t file_id = 0;
  std::uint64_t sequence = 0;
  std::uint64_t tail = 0;  // frames below it were not needed any more when this one was written
  ByteCount size = 0;      // with this header, without the padding to the next block
  std::int32_t entry_count = 0;
  std::uint32_t body_crc = 0;  // of all behind this header

  ByteCount padded_size() const {
    return (size + kJournalBlockSize - 1) / kJournalBlockSize * kJournalBlockSize;
  }
};

enum class JournalEntryKind : std::int32_t {
  batches = 1,
  // Earlier entries of the partition count no more: its log is cut.
  forget = 2,
};

// Whole batches as they stand in a segment; for `forget` only the key counts.
struct JournalEntry {
  JournalEntryKind kind = JournalEntryKind::batches;
  JournalKey key;
  LogPosition begin;
  Offset next_offset;  // behind the last batch
  ByteCount size = 0;  // of the batches, which follow

  LogPosition end() const { return {next_offset, begin.segment_base, begin.position + size}; }
};

// Requires of encode: room for the header's size.
void encode(const JournalFileHeader& header, std::byte* to);
void encode(const JournalFrameHeader& header, std::byte* to);
void encode(const JournalEntry& entry, std::byte* to);
// Errc::corrupt where the checksum, the magic number or a value cannot be; Errc::truncated.
Result<JournalFileHeader> decode_journal_file_header(ByteView bytes);
Result<JournalFrameHeader> decode_journal_frame_header(ByteView bytes);
// Of a frame whose body's checksum was right. Errc::malformed, truncated.
Result<JournalEntry> decode_journal_entry(ByteView bytes);

}  // namespace sillok::storage

template <>
struct std::hash<sillok::storage::JournalKey> {
  std::size_t operator()(const sillok::storage::JournalKey& key) const noexcept {
    return std::hash<sillok::TopicId>{}(key.topic) ^
           (static_cast<std::size_t>(key.partition.value) * 0x9e3779b97f4a7c15ULL);
  }
};
