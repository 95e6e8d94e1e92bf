#include "storage/journal_replay.h"

#include <algorithm>
#include <utility>

#include "protocol/record_batch_view.h"
#include "storage/torn_tail.h"

namespace sillok::storage {
namespace {

// Whether a sound batch with the base offset begins there. One that went bad in memory, before it came to the
// journal, has a frame's checksum over the bad bytes.
bool begins_with_batch(ByteView batches, Offset base_offset) {
  const auto header = protocol::parse_record_batch_header(batches);
  if (!header.ok() || header->base_offset != base_offset || header->size() > batches.size()) return false;
  return protocol::check_crc(*header, batches.first(header->size())).ok();
}

}  // namespace

void JournalReplay::add(const JournalEntry& entry, std::uint64_t sequence, std::shared_ptr<const File> file,
                        FilePosition position) {
  if (entry.kind == JournalEntryKind::forget) {
    partitions_.erase(entry.key);
    return;
  }
  auto& partition = partitions_[entry.key];
  if (!partition) {
    partition = std::make_shared<Partition>();
    partition->first_sequence = sequence;
  }
  partition->extents.push_back({entry, std::move(file), position});
}

std::shared_ptr<const JournalReplay::Partition> JournalReplay::find(const JournalKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(key);
  return found == partitions_.end() ? nullptr : found->second;
}

Result<Bytes> JournalReplay::read_from(const JournalKey& key, const LogPosition& end) const {
  const auto partition = find(key);
  if (!partition) return Bytes{};
  // The newest first: where two have the place, the older one is of bytes that were cut since.
  for (auto extent = partition->extents.rbegin(); extent != partition->extents.rend(); ++extent) {
    const JournalEntry& entry = extent->entry;
    const bool has_place = entry.begin.segment_base == end.segment_base &&
                           entry.begin.position <= end.position && end.position < entry.end().position;
    if (!has_place) continue;
    Bytes bytes(static_cast<std::size_t>(entry.size));
    const std::size_t size = TRY(extent->file->read_at(extent->position, bytes));
    if (size != bytes.size()) return Error{Errc::truncated, "the journal ends inside an entry"};
    const auto skipped = static_cast<std::size_t>(end.position - entry.begin.position);
    if (!begins_with_batch(ByteView(bytes).subspan(skipped), end.offset)) continue;
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(skipped));
    return bytes;
  }
  return Bytes{};
}

Result<bool> JournalReplay::agrees_with(const JournalKey& key, const File& segment, const LogPosition& from,
                                        FilePosition end) const {
  const auto partition = find(key);
  if (!partition) return true;
  for (auto extent = partition->extents.rbegin(); extent != partition->extents.rend(); ++extent) {
    const JournalEntry& entry = extent->entry;
    const bool is_there = entry.begin.segment_base == from.segment_base && entry.begin.position < end &&
                          entry.end().position > from.position;
    if (!is_there) continue;
    Bytes journaled(static_cast<std::size_t>(entry.size));
    const std::size_t size = TRY(extent->file->read_at(extent->position, journaled));
    if (size != journaled.size() || !begins_with_batch(journaled, entry.begin.offset)) continue;
    const FilePosition begin = std::max(entry.begin.position, from.position);
    const FilePosition until = std::min(entry.end().position, end);
    const auto skipped = static_cast<std::size_t>(begin - entry.begin.position);
    Bytes found(static_cast<std::size_t>(until - begin));
    found.resize(TRY(segment.read_at(begin, found)));
    return std::ranges::equal(found,
                              ByteView(journaled).subspan(skipped, static_cast<std::size_t>(until - begin)));
  }
  return true;
}

bool JournalReplay::begins_segment(const JournalKey& key, Offset base) const {
  const auto partition = find(key);
  if (!partition) return false;
  for (const Extent& extent : partition->extents) {
    const LogPosition& begin = extent.entry.begin;
    if (begin.segment_base == base && begin.position == FilePosition(0) && begin.offset == base) return true;
  }
  return false;
}

std::optional<LogPosition> JournalReplay::end_of(const JournalKey& key) const {
  const auto partition = find(key);
  if (!partition) return std::nullopt;
  return partition->extents.back().entry.end();
}

Result<ByteCount> JournalReplay::copy_past(const JournalKey& key, Offset end, File& to) const {
  ByteCount copied = 0;
  const auto partition = find(key);
  if (!partition) return copied;
  for (const Extent& extent : partition->extents) {
    if (extent.entry.next_offset <= end) continue;
    TRY(copy_range(*extent.file, extent.position, extent.position + extent.entry.size, to,
                   FilePosition(copied)));
    copied += extent.entry.size;
  }
  return copied;
}

std::vector<JournalReplay::Known> JournalReplay::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Known> known;
  for (const auto& [key, partition] : partitions_) known.push_back({key, partition->first_sequence});
  return known;
}

void JournalReplay::drop(const JournalKey& key) {
  const std::lock_guard lock(mutex_);
  partitions_.erase(key);
}

}  // namespace sillok::storage
