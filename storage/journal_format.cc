#include "storage/journal_format.h"

#include <cstring>

#include "protocol/base/crc32c.h"

namespace sillok::storage {
namespace {

constexpr std::uint32_t kFileMagic = 0x534c4a46;   // "SLJF"
constexpr std::uint32_t kFrameMagic = 0x534c4a52;  // "SLJR"
constexpr std::int32_t kVersion = 1;
constexpr std::size_t kCheckedFrom = 8;  // behind the magic number and the checksum

// File header: magic, CRC of what follows, version, zero, id, size.
// Frame header: magic, CRC of what follows, file id, sequence, tail, size, entry count, body CRC, zero.
// Entry: kind, topic id, partition, segment base, position, base offset, next offset, size, zero.

class Writer {
 public:
  explicit Writer(std::byte* to) : to_(to) {}
  template <class T>
  Writer& put(T value) {
    store_big_endian(to_, value);
    to_ += sizeof value;
    return *this;
  }
  Writer& put(const Uuid& id) {
    std::memcpy(to_, id.bytes.data(), id.bytes.size());
    to_ += id.bytes.size();
    return *this;
  }

 private:
  std::byte* to_;
};

class Reader {
 public:
  explicit Reader(const std::byte* from) : from_(from) {}
  template <class T>
  T take() {
    const T value = load_big_endian<T>(from_);
    from_ += sizeof value;
    return value;
  }
  Uuid take_uuid() {
    Uuid id;
    std::memcpy(id.bytes.data(), from_, id.bytes.size());
    from_ += id.bytes.size();
    return id;
  }

 private:
  const std::byte* from_;
};

void seal(std::byte* header, std::size_t size, std::uint32_t magic) {
  const std::uint32_t crc = crc32c({header + kCheckedFrom, size - kCheckedFrom});
  Writer(header).put(magic).put(crc);
}

Result<void> check_seal(ByteView bytes, std::size_t size, std::uint32_t magic) {
  if (bytes.size() < size) return Error{Errc::truncated, "the journal ends inside a header"};
  Reader reader(bytes.data());
  const bool is_ours = reader.take<std::uint32_t>() == magic;
  const bool fits = reader.take<std::uint32_t>() == crc32c(bytes.subspan(kCheckedFrom, size - kCheckedFrom));
  if (!is_ours || !fits) return Error{Errc::corrupt, "no header of the journal"};
  return {};
}

}  // namespace

void encode(const JournalFileHeader& header, std::byte* to) {
  Writer(to + kCheckedFrom).put(kVersion).put(std::int32_t{0}).put(header.file_id).put(header.size);
  seal(to, kJournalFileHeaderSize, kFileMagic);
}

void encode(const JournalFrameHeader& header, std::byte* to) {
  Writer(to + kCheckedFrom)
      .put(header.file_id)
      .put(header.sequence)
      .put(header.tail)
      .put(static_cast<std::uint32_t>(header.size))
      .put(header.entry_count)
      .put(header.body_crc)
      .put(std::int32_t{0});
  seal(to, kJournalFrameHeaderSize, kFrameMagic);
}

void encode(const JournalEntry& entry, std::byte* to) {
  Writer(to)
      .put(static_cast<std::int32_t>(entry.kind))
      .put(entry.key.topic)
      .put(entry.key.partition.value)
      .put(entry.begin.segment_base.value)
      .put(entry.begin.position.value)
      .put(entry.begin.offset.value)
      .put(entry.next_offset.value)
      .put(static_cast<std::uint32_t>(entry.size))
      .put(std::int32_t{0});
}

Result<JournalFileHeader> decode_journal_file_header(ByteView bytes) {
  TRY(check_seal(bytes, kJournalFileHeaderSize, kFileMagic));
  Reader reader(bytes.data() + kCheckedFrom);
  if (reader.take<std::int32_t>() != kVersion)
    return Error{Errc::unsupported_version, "a journal of another version"};
  (void)reader.take<std::int32_t>();
  JournalFileHeader header;
  header.file_id = reader.take<std::uint64_t>();
  header.size = reader.take<std::int64_t>();
  if (header.size < 2 * kJournalBlockSize) return Error{Errc::corrupt, "a journal file of no size"};
  return header;
}

Result<JournalFrameHeader> decode_journal_frame_header(ByteView bytes) {
  TRY(check_seal(bytes, kJournalFrameHeaderSize, kFrameMagic));
  Reader reader(bytes.data() + kCheckedFrom);
  JournalFrameHeader header;
  header.file_id = reader.take<std::uint64_t>();
  header.sequence = reader.take<std::uint64_t>();
  header.tail = reader.take<std::uint64_t>();
  header.size = reader.take<std::uint32_t>();
  header.entry_count = reader.take<std::int32_t>();
  header.body_crc = reader.take<std::uint32_t>();
  const auto least = static_cast<ByteCount>(kJournalFrameHeaderSize);
  if (header.size < least || header.entry_count < 0 || header.tail > header.sequence ||
      header.entry_count > (header.size - least) / static_cast<ByteCount>(kJournalEntryHeaderSize)) {
    return Error{Errc::corrupt, "a frame that cannot be"};
  }
  return header;
}

Result<JournalEntry> decode_journal_entry(ByteView bytes) {
  if (bytes.size() < kJournalEntryHeaderSize) return Error{Errc::truncated, "a frame ends inside an entry"};
  Reader reader(bytes.data());
  JournalEntry entry;
  entry.kind = static_cast<JournalEntryKind>(reader.take<std::int32_t>());
  entry.key.topic = reader.take_uuid();
  entry.key.partition = PartitionIndex(reader.take<std::int32_t>());
  entry.begin.segment_base = Offset(reader.take<std::int64_t>());
  entry.begin.position = FilePosition(reader.take<std::int64_t>());
  entry.begin.offset = Offset(reader.take<std::int64_t>());
  entry.next_offset = Offset(reader.take<std::int64_t>());
  entry.size = reader.take<std::uint32_t>();
  if (static_cast<std::size_t>(entry.size) > bytes.size() - kJournalEntryHeaderSize)
    return Error{Errc::truncated, "a frame ends inside an entry"};
  const bool is_known = entry.kind == JournalEntryKind::batches || entry.kind == JournalEntryKind::forget;
  if (!is_known || entry.begin.segment_base < Offset(0) || entry.begin.position < FilePosition(0) ||
      entry.begin.offset < entry.begin.segment_base || entry.next_offset < entry.begin.offset) {
    return Error{Errc::malformed, "an entry that cannot be"};
  }
  return entry;
}

}  // namespace sillok::storage
