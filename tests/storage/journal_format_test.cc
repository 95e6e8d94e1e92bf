#include "storage/journal_format.h"

#include <catch2/catch.hpp>
#include <limits>

#include "protocol/base/crc32c.h"
#include "storage/journal_frame.h"
#include "tests/support/batches.h"

namespace sillok::storage {
namespace {

constexpr std::size_t kCrcAt = 4;
constexpr std::size_t kCheckedFrom = 8;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kFileSizeAt = 24;
constexpr std::size_t kTailAt = 24;
constexpr std::size_t kFrameSizeAt = 32;
constexpr std::size_t kEntryCountAt = 36;

const JournalKey kKey{*Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ"), PartitionIndex(3)};

Bytes file_header(const JournalFileHeader& header = {0x0123456789abcdef, 32 << 20}) {
  Bytes bytes(kJournalFileHeaderSize);
  encode(header, bytes.data());
  return bytes;
}

Bytes frame_header(const JournalFrameHeader& header) {
  Bytes bytes(kJournalFrameHeaderSize);
  encode(header, bytes.data());
  return bytes;
}

JournalFrameHeader some_frame() {
  JournalFrameHeader header;
  header.file_id = 77;
  header.sequence = 1000;
  header.tail = 900;
  header.size = 48 + 64 + 500;
  header.entry_count = 1;
  header.body_crc = 0xdeadbeef;
  return header;
}

Bytes entry_bytes(const JournalEntry& entry) {
  Bytes bytes(kJournalEntryHeaderSize + static_cast<std::size_t>(entry.size));
  encode(entry, bytes.data());
  return bytes;
}

JournalEntry some_entry() {
  JournalEntry entry;
  entry.key = kKey;
  entry.begin = {Offset(120), Offset(100), FilePosition(4000)};
  entry.next_offset = Offset(130);
  entry.size = 250;
  return entry;
}

// A value that its writer would never write, under a checksum that fits.
template <class T>
Bytes with(Bytes header, std::size_t at, T value) {
  store_big_endian(header.data() + at, value);
  store_big_endian(header.data() + kCrcAt, crc32c(ByteView(header).subspan(kCheckedFrom)));
  return header;
}

TEST_CASE("journal format: headers and entries come back as they were written") {
  const auto file = decode_journal_file_header(file_header());
  REQUIRE(file.ok());
  CHECK(file->file_id == 0x0123456789abcdef);
  CHECK(file->size == 32 << 20);

  JournalFrameHeader frame = some_frame();
  frame.size = (ByteCount{1} << 32) - 1;
  const auto read = decode_journal_frame_header(frame_header(frame));
  REQUIRE(read.ok());
  CHECK(read->file_id == frame.file_id);
  CHECK(read->sequence == frame.sequence);
  CHECK(read->tail == frame.tail);
  CHECK(read->size == frame.size);
  CHECK(read->entry_count == frame.entry_count);
  CHECK(read->body_crc == frame.body_crc);

  const JournalEntry entry = some_entry();
  const auto again = decode_journal_entry(entry_bytes(entry));
  REQUIRE(again.ok());
  CHECK(again->kind == JournalEntryKind::batches);
  CHECK(again->key == entry.key);
  CHECK(again->begin.offset == entry.begin.offset);
  CHECK(again->begin.segment_base == entry.begin.segment_base);
  CHECK(again->begin.position == entry.begin.position);
  CHECK(again->next_offset == entry.next_offset);
  CHECK(again->size == entry.size);
  CHECK(again->end().position == FilePosition(4250));

  JournalEntry forget;
  forget.kind = JournalEntryKind::forget;
  forget.key = kKey;
  const auto forgotten = decode_journal_entry(entry_bytes(forget));
  REQUIRE(forgotten.ok());
  CHECK(forgotten->kind == JournalEntryKind::forget);
  CHECK(forgotten->key == kKey);
}

TEST_CASE("journal format: the bytes are those of the specification") {
  const Bytes file = file_header({0x0102030405060708, 0x10000});
  CHECK(tests::to_hex(ByteView(file).first(4)) == tests::to_hex(tests::from_hex("534c4a46")));
  CHECK(tests::to_hex(ByteView(file).subspan(8)) ==
        tests::to_hex(tests::from_hex("00000001 00000000 0102030405060708 0000000000010000")));
  const Bytes frame = frame_header(some_frame());
  CHECK(tests::to_hex(ByteView(frame).first(4)) == tests::to_hex(tests::from_hex("534c4a52")));
  CHECK(tests::to_hex(ByteView(frame).subspan(8)) ==
        tests::to_hex(tests::from_hex("000000000000004d 00000000000003e8 0000000000000384 00000264 00000001"
                                      "deadbeef 00000000")));
  const Bytes entry = entry_bytes(some_entry());
  CHECK(
      tests::to_hex(ByteView(entry).first(64)) ==
      tests::to_hex(tests::from_hex("00000001 00000000000040008000000000000001 00000003 0000000000000064"
                                    "0000000000000fa0 0000000000000078 0000000000000082 000000fa 00000000")));
}

TEST_CASE("journal format: a header with any bit changed, or cut short, is refused") {
  const Bytes file = file_header();
  const Bytes frame = frame_header(some_frame());
  for (std::size_t i = 0; i < 8 * file.size(); ++i) {
    Bytes bytes = file;
    bytes[i / 8] ^= std::byte{1} << (i % 8);
    INFO("bit " << i);
    CHECK(decode_journal_file_header(bytes).error().code == Errc::corrupt);
  }
  for (std::size_t i = 0; i < 8 * frame.size(); ++i) {
    Bytes bytes = frame;
    bytes[i / 8] ^= std::byte{1} << (i % 8);
    INFO("bit " << i);
    CHECK(decode_journal_frame_header(bytes).error().code == Errc::corrupt);
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK(decode_journal_file_header(ByteView(file).first(size)).error().code == Errc::truncated);
  for (std::size_t size = 0; size < frame.size(); ++size)
    CHECK(decode_journal_frame_header(ByteView(frame).first(size)).error().code == Errc::truncated);
  CHECK_FALSE(decode_journal_file_header(Bytes(kJournalFileHeaderSize)).ok());
  CHECK_FALSE(decode_journal_frame_header(Bytes(kJournalFrameHeaderSize)).ok());
}

TEST_CASE("journal format: the header of one is none of the other") {
  Bytes file = file_header();
  file.resize(kJournalFrameHeaderSize);
  CHECK_FALSE(decode_journal_frame_header(file).ok());
  CHECK_FALSE(decode_journal_file_header(frame_header(some_frame())).ok());
}

TEST_CASE("journal format: a file of another version is told apart from a damaged one") {
  CHECK(decode_journal_file_header(with(file_header(), kVersionAt, std::int32_t{2})).error().code ==
        Errc::unsupported_version);
}

TEST_CASE("journal format: counts and sizes that cannot be are refused, though the checksum fits") {
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{4096}, std::int64_t{8191},
                                  std::numeric_limits<std::int64_t>::min()}) {
    INFO(size);
    CHECK(decode_journal_file_header(with(file_header(), kFileSizeAt, size)).error().code == Errc::corrupt);
  }
  const Bytes frame = frame_header(some_frame());
  CHECK(decode_journal_frame_header(with(frame, kFrameSizeAt, std::uint32_t{47})).error().code ==
        Errc::corrupt);
  CHECK(decode_journal_frame_header(with(frame, kEntryCountAt, std::int32_t{-1})).error().code ==
        Errc::corrupt);
  CHECK(decode_journal_frame_header(with(frame, kEntryCountAt, std::int32_t{8})).ok());
  CHECK(decode_journal_frame_header(with(frame, kEntryCountAt, std::int32_t{9})).error().code ==
        Errc::corrupt);
  CHECK(decode_journal_frame_header(with(frame, kTailAt, std::uint64_t{1000})).ok());
  CHECK(decode_journal_frame_header(with(frame, kTailAt, std::uint64_t{1001})).error().code == Errc::corrupt);
}

TEST_CASE("journal format: an entry that is not whole, or cannot be, is refused") {
  const Bytes whole = entry_bytes(some_entry());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(decode_journal_entry(ByteView(whole).first(size)).error().code == Errc::truncated);
  const auto refused = [](auto change) {
    JournalEntry entry = some_entry();
    change(entry);
    const auto read = decode_journal_entry(entry_bytes(entry));
    return !read.ok() && read.error().code == Errc::malformed;
  };
  CHECK(refused([](JournalEntry& entry) { entry.kind = static_cast<JournalEntryKind>(0); }));
  CHECK(refused([](JournalEntry& entry) { entry.kind = static_cast<JournalEntryKind>(3); }));
  CHECK(refused([](JournalEntry& entry) { entry.begin.segment_base = Offset(-1); }));
  CHECK(refused([](JournalEntry& entry) { entry.begin.position = FilePosition(-1); }));
  CHECK(refused([](JournalEntry& entry) { entry.begin.offset = Offset(99); }));
  CHECK(refused([](JournalEntry& entry) { entry.next_offset = Offset(119); }));
  Bytes lies = whole;
  store_big_endian(lies.data() + 56, std::uint32_t{0xffffffff});
  CHECK(decode_journal_entry(lies).error().code == Errc::truncated);
}

TEST_CASE("journal frame: is padded to whole blocks, and has the checksum of what it holds") {
  JournalFrame frame;
  CHECK(frame.is_empty());
  for (int i = 0; i < 3; ++i) {
    JournalEntry entry = some_entry();
    entry.size = 2000;
    const MutableByteView place = frame.add(entry);
    REQUIRE(place.size() == 2000);
    std::fill(place.begin(), place.end(), static_cast<std::byte>(i + 1));
  }
  JournalFrameHeader header;
  header.file_id = 5;
  header.sequence = 9;
  header.tail = 9;
  const ByteView bytes = frame.finish(header);
  CHECK(bytes.size() == 8192);
  const auto read = decode_journal_frame_header(bytes);
  REQUIRE(read.ok());
  CHECK(read->entry_count == 3);
  CHECK(read->size == 48 + 3 * (64 + 2000));
  CHECK(read->padded_size() == 8192);
  const auto size = static_cast<std::size_t>(read->size);
  CHECK(read->body_crc == crc32c(bytes.subspan(48, size - 48)));
  for (const std::byte b : bytes.subspan(size)) REQUIRE(b == std::byte{0});
}

TEST_CASE("journal frame: what is taken back is not in it, and its place is used again") {
  JournalFrame frame(4096);
  JournalEntry entry = some_entry();
  frame.add(entry);
  const ByteCount size = frame.size();
  entry.size = 1000;
  frame.add(entry);
  frame.take_back_to(size, 1);
  CHECK(frame.entry_count() == 1);
  CHECK(frame.size() == size);
  CHECK(frame.has_room_for(4096 - size - 64));
  CHECK_FALSE(frame.has_room_for(4096 - size - 63));
  frame.clear();
  CHECK(frame.is_empty());
  CHECK(frame.size() == 48);
  const auto empty = decode_journal_frame_header(frame.finish({}));
  REQUIRE(empty.ok());
  CHECK(empty->entry_count == 0);
  CHECK(empty->size == 48);
}

}  // namespace
}  // namespace sillok::storage
