// The sparse indexes of a segment. The first byte says which.
#include "storage/file_cache.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "tests/fuzz/disk.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

template <class Entry>
void read_index(ByteView content) {
  tests::MemFileSystem disk;
  CHECK(disk.make_directories("/d").ok());
  put_file(disk, "/d/00000000000000000000" + std::string(Entry::kSuffix), content);
  FileCache cache(disk, 4);
  const LogFiles files{&disk, &cache, "/d"};
  SparseIndex<Entry> index(&files, Offset(0));
  if (!index.open(IoMode::may_block).ok()) return;
  for (const typename Entry::Key key : {0, 1, 1000, 0x7fffffff}) {
    const auto found = index.floor(key, IoMode::may_block);
    if (found.ok() && *found) CHECK((*found)->key() <= key);
  }
  const auto entries = index.entries();
  if (!entries.ok()) return;
  std::optional<Entry> previous;
  for (const Entry& entry : *entries) {
    CHECK(entry.can_follow(previous));
    previous = entry;
  }
  CHECK(index.last() == previous);
}

template <class Entry>
Bytes encoded(const std::vector<Entry>& entries) {
  Bytes bytes(entries.size() * Entry::kSize);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].encode(bytes.data() + i * Entry::kSize);
  return bytes;
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  choices.flip() ? read_index<TimeIndexEntry>(choices.rest()) : read_index<OffsetIndexEntry>(choices.rest());
}

std::vector<Bytes> seeds() {
  std::vector<OffsetIndexEntry> offsets;
  std::vector<TimeIndexEntry> times;
  for (std::int32_t i = 1; i < 600; ++i) {
    offsets.push_back({i * 10, i * 100});
    times.push_back({1'767'225'600'000 + i, i * 10});
  }
  return {with_choices({0}, encoded(offsets)), with_choices({1}, encoded(times)),
          with_choices({0}, encoded<OffsetIndexEntry>({{1, 70}, {5, 200}})),
          with_choices({1}, encoded<TimeIndexEntry>({{5, 1}, {9, 4}})), with_choices({0}, {})};
}

}  // namespace sillok::fuzz
