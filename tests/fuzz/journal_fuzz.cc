// A file of the commit journal, read at a start. The first byte says whether checksums are made to fit; then
// come the file's header and its frames, each of which begins at the next block.
#include "protocol/base/crc32c.h"
#include "storage/journal_files.h"
#include "storage/journal_format.h"
#include "storage/journal_frame.h"
#include "storage/journal_replay.h"
#include "tests/fuzz/disk.h"
#include "tests/support/batches.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

constexpr ByteCount kFileSize = 8 * kJournalBlockSize;
constexpr std::size_t kCrcAt = 4;
constexpr std::size_t kCheckedFrom = 8;
constexpr std::size_t kFrameSizeAt = 32;
constexpr std::size_t kBodyCrcAt = 40;

void fit(Bytes& piece, std::size_t header_size) {
  if (piece.size() < header_size) return;
  if (header_size == kJournalFrameHeaderSize) {
    const auto size = load_big_endian<std::uint32_t>(piece.data() + kFrameSizeAt);
    if (size >= header_size && size <= piece.size()) {
      store_big_endian(piece.data() + kBodyCrcAt,
                       crc32c(ByteView(piece).subspan(header_size, size - header_size)));
    }
  }
  store_big_endian(piece.data() + kCrcAt,
                   crc32c(ByteView(piece).subspan(kCheckedFrom, header_size - kCheckedFrom)));
}

void decode_alone(ByteView piece) {
  (void)decode_journal_file_header(piece);
  (void)decode_journal_frame_header(piece);
  (void)decode_journal_entry(piece);
}

void read_replay(const JournalReplay& replay, tests::MemFileSystem& disk) {
  for (const JournalReplay::Known& known : replay.all()) {
    const auto end = replay.end_of(known.key);
    (void)replay.begins_segment(known.key, Offset(0));
    (void)replay.begins_segment(known.key, Offset(100));
    for (const LogPosition& from : {LogPosition{}, LogPosition{Offset(120), Offset(100), FilePosition(4000)}})
      (void)replay.read_from(known.key, from);
    const auto to = disk.open("/copy", OpenMode::open_or_create).value();
    (void)replay.copy_past(known.key, Offset(0), *to);
    if (end) CHECK(end->offset.value >= 0);
  }
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool fits = choices.flip();
  Bytes content(static_cast<std::size_t>(kFileSize));
  std::size_t at = 0;
  for (bool is_first = true; !choices.rest().empty() && at < content.size(); is_first = false) {
    const ByteView part = choices.next_part();
    decode_alone(part);
    Bytes piece(part.begin(), part.end());
    if (fits) fit(piece, is_first ? kJournalFileHeaderSize : kJournalFrameHeaderSize);
    const std::size_t size = std::min(piece.size(), content.size() - at);
    std::copy_n(piece.begin(), size, content.begin() + static_cast<std::ptrdiff_t>(at));
    constexpr auto kBlock = static_cast<std::size_t>(kJournalBlockSize);
    at += std::max<std::size_t>(1, (size + kBlock - 1) / kBlock) * kBlock;
  }
  tests::MemFileSystem disk;
  CHECK(disk.make_directories("/d").ok());
  put_file(disk, "/d/" + std::string(kJournalNamePrefix) + "0", content);
  JournalReplay replay;
  std::vector<std::string> warnings;
  JournalFilesOptions options;
  options.file_system = &disk;
  options.directory = "/d";
  options.file_size = kFileSize;
  const auto files = JournalFiles::open(options, replay, warnings);
  // A file of a later version, or an entry under a checksum that fits and yet none: nothing is touched.
  if (!files.ok()) {
    CHECK(files.error().code == Errc::unsupported_version || files.error().code == Errc::malformed ||
          files.error().code == Errc::truncated);
    return;
  }
  read_replay(replay, disk);
  CHECK((*files)->remove_all().ok());
}

std::vector<Bytes> seeds() {
  constexpr std::uint64_t kFileId = 77;
  Bytes header(kJournalFileHeaderSize);
  encode(JournalFileHeader{kFileId, kFileSize}, header.data());
  const Bytes batches = tests::join({tests::batch().at(120).records(3), tests::batch().at(123).records(2)});
  JournalEntry entry;
  entry.key = {TopicId{{1, 2, 3}}, PartitionIndex(3)};
  entry.begin = {Offset(120), Offset(100), FilePosition(4000)};
  entry.next_offset = Offset(125);
  entry.size = static_cast<ByteCount>(batches.size());
  const auto frame_of = [&](std::uint64_t sequence, const std::vector<JournalEntry>& entries) {
    JournalFrame frame;
    for (const JournalEntry& one : entries) {
      const MutableByteView room = frame.add(one);
      std::copy_n(batches.begin(), room.size(), room.begin());
    }
    JournalFrameHeader head;
    head.file_id = kFileId;
    head.sequence = sequence;
    head.tail = 1;
    const auto size = static_cast<std::ptrdiff_t>(frame.size());
    const ByteView whole = frame.finish(head);
    return Bytes(whole.begin(), whole.begin() + size);
  };
  JournalEntry forget;
  forget.kind = JournalEntryKind::forget;
  forget.key = entry.key;
  return {with_choices({1}, in_parts({header, frame_of(1, {entry})})),
          with_choices({1}, in_parts({header, frame_of(1, {entry}), frame_of(2, {entry, entry})})),
          with_choices({1},
                       in_parts({header, frame_of(1, {entry}), frame_of(2, {forget}), frame_of(3, {entry})})),
          with_choices({0}, in_parts({header, frame_of(1, {entry})}))};
}

}  // namespace sillok::fuzz
