// What both indexes are: entries of one size in increasing order, the older ones in a file, the newest in
// memory.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/crc32c.h"
#include "storage/index_blocks.h"
#include "storage/log_files.h"
#include "storage/recovery_points.h"

namespace sillok::storage {

// A file that claims more entries than a segment could have is no index.
inline constexpr ByteCount kIndexFileSizeMax = ByteCount{1} << 31;

// `Entry` has kSize, kSuffix, Key, key(), encode(), decode() and can_follow().
//
// A lookup reads one block: the first entry of each is kept in memory once the file was loaded (8 to 16 bytes
// for each 4 KiB of index, which is 2 MiB of log).
//
// Threading: lookups from any thread; all that changes the index from one thread at a time. The lock is never
// held
//   across a call to the file system.
// Failure: an index is derived from its segment. Errc::malformed or not_found says that this one must be
// built anew; an
//   entry that could not be written stays in memory, and when there are too many of those, new ones are not
//   taken: an index may be sparse.
template <class Entry>
class SparseIndex {
 public:
  using Key = typename Entry::Key;

  SparseIndex(const LogFiles* files, Offset base) : files_(files), base_(base) {
    static_assert(Entry::kSize * kIndexBlockEntries <= kIndexBlockBytesMax);
  }

  // Makes the file, empty.
  Result<void> create();
  // Learns the number of entries and the last one. Cheap: the rest is read at the first lookup.
  Result<void> open(IoMode mode);
  // Keeps the first entries, if they are as `prefix` says (Errc::corrupt else), and cuts the rest off.
  Result<void> open_prefix(const IndexPrefix& prefix);
  // Replaces everything.
  Result<void> replace(std::span<const Entry> entries);
  bool is_open() const;

  // Requires: is_open(), and that the entry follows last().
  void append(const Entry& entry);
  bool is_pending_full() const;
  Result<void> write_pending();
  Result<void> sync();
  // Requires: nothing is pending.
  Result<IndexPrefix> written_prefix();

  std::int64_t entry_count() const;
  std::optional<Entry> last() const;
  // The greatest entry whose key is not past `key`.
  Result<std::optional<Entry>> floor(Key key, IoMode mode) {
    return last_before([key](const Entry& entry) { return key < entry.key(); }, mode);
  }
  // The last entry before the first for which `is_past` holds; it holds for all behind that one.
  template <class IsPast>
  Result<std::optional<Entry>> last_before(const IsPast& is_past, IoMode mode);
  Result<std::vector<Entry>> entries();

 private:
  // Without a look into the cache of all files while that, or a reader, has it open.
  Result<std::shared_ptr<File>> file(IoMode mode);
  Result<void> load(IoMode mode);
  Result<void> add_block(std::span<const std::byte> bytes, std::int64_t first, std::vector<Entry>& heads,
                         std::uint32_t& crc, std::optional<Entry>& previous) const;
  Error malformed(std::string_view what) const;

  const LogFiles* files_;
  Offset base_;
  mutable std::mutex mutex_;
  std::weak_ptr<File> cached_file_;
  bool open_ = false;
  bool loaded_ = false;  // block_heads_ and written_crc_ describe the file
  std::uint32_t written_crc_ = 0;
  std::int64_t written_count_ = 0;
  std::optional<Entry> last_;
  std::vector<Entry> block_heads_;
  std::vector<Entry> pending_;  // at most a block's
  std::uint64_t number_ = IndexBlocks::next_index_number();
};

template <class Entry>
Error SparseIndex<Entry>::malformed(std::string_view what) const {
  return Error{Errc::malformed, files_->path(base_, Entry::kSuffix) + ": " + std::string(what)};
}

template <class Entry>
Result<std::shared_ptr<File>> SparseIndex<Entry>::file(IoMode mode) {
  {
    const std::lock_guard lock(mutex_);
    if (auto cached = cached_file_.lock()) return cached;
  }
  auto opened = TRY(files_->open(base_, Entry::kSuffix, mode));
  const std::lock_guard lock(mutex_);
  cached_file_ = opened;
  return opened;
}

template <class Entry>
Result<void> SparseIndex<Entry>::create() {
  return replace({});
}

template <class Entry>
bool SparseIndex<Entry>::is_open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

template <class Entry>
Result<void> SparseIndex<Entry>::open(IoMode mode) {
  const auto opened = TRY(file(mode));
  const ByteCount size = TRY(opened->size()) - FilePosition(0);
  const auto entry_size = static_cast<ByteCount>(Entry::kSize);
  if (size % entry_size != 0 || size > kIndexFileSizeMax) return malformed("not a whole number of entries");
  std::optional<Entry> last;
  if (size > 0) {
    std::array<std::byte, Entry::kSize> bytes;
    const std::size_t count = TRY(read_in_mode(*opened, FilePosition(size - entry_size), bytes, mode));
    if (count != bytes.size()) return malformed("shorter than it was");
    last = Entry::decode(bytes.data());
    if (!last->can_follow(std::nullopt)) return malformed("the last entry is none");
  }
  const std::lock_guard lock(mutex_);
  if (open_) return {};
  open_ = true;
  written_count_ = size / entry_size;
  last_ = last;
  return {};
}

template <class Entry>
Result<void> SparseIndex<Entry>::open_prefix(const IndexPrefix& prefix) {
  const auto opened = TRY(file(IoMode::may_block));
  const ByteCount size = TRY(opened->size()) - FilePosition(0);
  const ByteCount prefix_size = ByteCount{prefix.entry_count} * static_cast<ByteCount>(Entry::kSize);
  if (prefix.entry_count < 0 || size < prefix_size) {
    return malformed("shorter than the recovery point says");
  }
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
    written_count_ = prefix.entry_count;
  }
  auto loaded = load(IoMode::may_block);
  if (loaded.ok() && written_crc_ != prefix.crc) loaded = Error{Errc::corrupt, malformed("checksum").detail};
  if (loaded.ok() && size != prefix_size) loaded = opened->truncate(FilePosition(prefix_size));
  if (!loaded.ok()) {
    const std::lock_guard lock(mutex_);
    open_ = loaded_ = false;
    return loaded;
  }
  return {};
}

template <class Entry>
Result<void> SparseIndex<Entry>::replace(std::span<const Entry> entries) {
  files_->forget(base_, Entry::kSuffix);
  const auto file =
      TRY(files_->file_system->open(files_->path(base_, Entry::kSuffix), OpenMode::open_or_create));
  Bytes bytes(entries.size() * Entry::kSize);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].encode(bytes.data() + i * Entry::kSize);
  TRY(file->truncate(FilePosition(0)));
  const ByteView parts[] = {bytes};
  if (!bytes.empty()) TRY(file->write_at(FilePosition(0), parts));
  const std::lock_guard lock(mutex_);
  cached_file_.reset();
  open_ = loaded_ = true;
  number_ = IndexBlocks::next_index_number();
  written_count_ = static_cast<std::int64_t>(entries.size());
  written_crc_ = crc32c(bytes);
  last_ = entries.empty() ? std::nullopt : std::optional(entries.back());
  pending_.clear();
  block_heads_.clear();
  for (std::size_t i = 0; i < entries.size(); i += kIndexBlockEntries) block_heads_.push_back(entries[i]);
  return {};
}

template <class Entry>
void SparseIndex<Entry>::append(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  DCHECK(open_ && entry.can_follow(last_));
  if (pending_.size() >= kIndexBlockEntries) return;
  pending_.push_back(entry);
  last_ = entry;
}

template <class Entry>
bool SparseIndex<Entry>::is_pending_full() const {
  const std::lock_guard lock(mutex_);
  return pending_.size() >= kIndexBlockEntries;
}

template <class Entry>
Result<void> SparseIndex<Entry>::write_pending() {
  std::array<std::byte, kIndexBlockEntries * Entry::kSize> buffer;
  std::size_t count = 0;
  std::int64_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    count = pending_.size();
    first = written_count_;
    for (std::size_t i = 0; i < count; ++i) pending_[i].encode(buffer.data() + i * Entry::kSize);
  }
  if (count == 0) return {};
  const auto opened = TRY(file(IoMode::may_block));
  const ByteView bytes(buffer.data(), count * Entry::kSize);
  TRY(opened->write_at(FilePosition(first * static_cast<std::int64_t>(Entry::kSize)), {{bytes}}));
  const std::lock_guard lock(mutex_);
  if (loaded_) {
    written_crc_ = crc32c(bytes, written_crc_);
    for (std::size_t i = 0; i < count; ++i) {
      if ((first + static_cast<std::int64_t>(i)) % static_cast<std::int64_t>(kIndexBlockEntries) == 0) {
        block_heads_.push_back(pending_[i]);
      }
    }
  }
  written_count_ += static_cast<std::int64_t>(count);
  pending_.clear();
  return {};
}

template <class Entry>
Result<void> SparseIndex<Entry>::sync() {
  const auto opened = TRY(file(IoMode::may_block));
  return opened->sync_data();
}

template <class Entry>
Result<IndexPrefix> SparseIndex<Entry>::written_prefix() {
  TRY(load(IoMode::may_block));
  const std::lock_guard lock(mutex_);
  return IndexPrefix{static_cast<std::int32_t>(written_count_), written_crc_};
}

template <class Entry>
std::int64_t SparseIndex<Entry>::entry_count() const {
  const std::lock_guard lock(mutex_);
  return written_count_ + static_cast<std::int64_t>(pending_.size());
}

template <class Entry>
std::optional<Entry> SparseIndex<Entry>::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

template <class Entry>
template <class IsPast>
Result<std::optional<Entry>> SparseIndex<Entry>::last_before(const IsPast& is_past, IoMode mode) {
  const auto first_past = [&is_past](const std::vector<Entry>& entries) {
    return std::partition_point(entries.begin(), entries.end(),
                                [&is_past](const Entry& entry) { return !is_past(entry); });
  };
  std::size_t count = 0;
  IndexBlocks::Key key;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!pending_.empty() && !is_past(pending_.front())) return std::optional(*(first_past(pending_) - 1));
      if (open_ && written_count_ == 0) return std::optional<Entry>();
      if (loaded_) {
        const auto after = first_past(block_heads_);
        if (after == block_heads_.begin()) return std::optional<Entry>();
        const auto block = static_cast<std::size_t>(after - block_heads_.begin()) - 1;
        count = std::min(kIndexBlockEntries,
                         static_cast<std::size_t>(written_count_) - block * kIndexBlockEntries);
        key = {number_, block, count * Entry::kSize};
        break;
      }
    }
    TRY(load(mode));
  }
  const std::byte* const bytes =
      TRY(IndexBlocks::of_thread().get(key, [&](MutableByteView out) -> Result<void> {
        const auto opened = TRY(file(mode));
        const FilePosition position(static_cast<std::int64_t>(key.block * kIndexBlockEntries * Entry::kSize));
        if (TRY(read_in_mode(*opened, position, out, mode)) == out.size()) return {};
        return malformed("shorter than it was");
      }));
  std::size_t low = 0;
  std::size_t high = count;  // the first entry past it is in [low, high]
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (is_past(Entry::decode(bytes + middle * Entry::kSize))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low == 0) return malformed("not in order");
  return std::optional<Entry>(Entry::decode(bytes + (low - 1) * Entry::kSize));
}

template <class Entry>
Result<void> SparseIndex<Entry>::add_block(std::span<const std::byte> bytes, std::int64_t first,
                                           std::vector<Entry>& heads, std::uint32_t& crc,
                                           std::optional<Entry>& previous) const {
  crc = crc32c(bytes, crc);
  for (std::size_t i = 0; i * Entry::kSize < bytes.size(); ++i) {
    const Entry entry = Entry::decode(bytes.data() + i * Entry::kSize);
    if (!entry.can_follow(previous)) return malformed("not in order");
    if ((first + static_cast<std::int64_t>(i)) % static_cast<std::int64_t>(kIndexBlockEntries) == 0) {
      heads.push_back(entry);
    }
    previous = entry;
  }
  return {};
}

template <class Entry>
Result<void> SparseIndex<Entry>::load(IoMode mode) {
  if (!is_open()) TRY(open(mode));
  std::vector<Entry> heads;
  std::uint32_t crc = 0;
  std::optional<Entry> previous;
  std::int64_t read_count = 0;
  std::shared_ptr<File> opened;
  for (;;) {  // Until what was written meanwhile is read as well.
    std::int64_t wanted = 0;
    {
      const std::lock_guard lock(mutex_);
      if (loaded_) return {};
      wanted = written_count_;
      if (read_count == wanted) {
        block_heads_ = std::move(heads);
        written_crc_ = crc;
        if (pending_.empty()) last_ = previous;
        loaded_ = true;
        return {};
      }
    }
    if (!opened) opened = TRY(file(mode));
    std::array<std::byte, kIndexBlockEntries * Entry::kSize> buffer;
    while (read_count < wanted) {
      const auto count = std::min<std::int64_t>(wanted - read_count, kIndexBlockEntries);
      const MutableByteView bytes(buffer.data(), static_cast<std::size_t>(count) * Entry::kSize);
      const FilePosition position(read_count * static_cast<std::int64_t>(Entry::kSize));
      if (TRY(read_in_mode(*opened, position, bytes, mode)) != bytes.size())
        return malformed("shorter than it was");
      TRY(add_block(bytes, read_count, heads, crc, previous));
      read_count += count;
    }
  }
}

template <class Entry>
Result<std::vector<Entry>> SparseIndex<Entry>::entries() {
  TRY(load(IoMode::may_block));
  std::vector<Entry> all;
  std::vector<Entry> waiting;
  std::int64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = written_count_;
    waiting = pending_;
  }
  Bytes bytes(static_cast<std::size_t>(count) * Entry::kSize);
  if (count > 0) {
    const auto opened = TRY(file(IoMode::may_block));
    if (TRY(opened->read_at(FilePosition(0), bytes)) != bytes.size()) return malformed("shorter than it was");
  }
  all.reserve(static_cast<std::size_t>(count) + waiting.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    all.push_back(Entry::decode(bytes.data() + i * Entry::kSize));
  }
  all.insert(all.end(), waiting.begin(), waiting.end());
  return all;
}

}  // namespace sillok::storage
