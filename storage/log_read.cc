#include <algorithm>

#include "storage/log_impl.h"
#include "storage/segment_recovery.h"

namespace sillok::storage {
namespace {

// The segment that holds `from`, or begins after it.
std::size_t segment_index_of(const SegmentList& list, Offset from) {
  const auto after = std::upper_bound(list.begin(), list.end(), from, [](Offset wanted, const auto& segment) {
    return wanted < segment->base_offset();
  });
  return after == list.begin() ? 0 : static_cast<std::size_t>(after - list.begin()) - 1;
}

FilePosition end_of_read(const Segment& segment, FilePosition from, const LogPosition& upper_bound) {
  const FilePosition end = segment.readable_end(from);
  return segment.base_offset() == upper_bound.segment_base ? std::min(end, upper_bound.position) : end;
}

bool is_index_in_doubt(const Error& error) {
  return error.code == Errc::malformed || error.code == Errc::not_found;
}

}  // namespace

Result<FileSlice> Log::Impl::read(Offset from, const LogPosition& upper_bound, ByteCount limit,
                                  FirstBatch first_batch, IoMode mode) {
  const auto out_of_range = [&] {
    return Error{Errc::offset_out_of_range, "offset " + std::to_string(from.value) + " is not in [" +
                                                std::to_string(log_start().value) + ", " +
                                                std::to_string(log_end_.offset().value) + "]"};
  };
  if (from < log_start() || from > log_end_.offset()) return out_of_range();
  if (from >= upper_bound.offset) return FileSlice{};
  const auto list = segments();
  bool repaired = false;
  for (std::size_t i = segment_index_of(*list, from); i < list->size();) {
    Segment& segment = *(*list)[i];
    if (segment.base_offset() > upper_bound.segment_base) break;
    auto found = segment.find(from, mode);
    if (!found.ok()) {
      // Retention may have taken the segment away since the start was looked at: then its files are gone, not
      // damaged.
      if (from < log_start()) return out_of_range();
      if (found.error().code == Errc::corrupt) mark_degraded();
      if (!is_index_in_doubt(found.error()) || repaired) return std::move(found).error();
      if (mode == IoMode::resident_only) return Error{Errc::would_block, "an index must be built anew"};
      TRY(repair_indexes(segment));
      repaired = true;
      continue;
    }
    if (*found) {
      FoundBatch& batch = **found;
      const FilePosition end = end_of_read(segment, batch.position, upper_bound);
      if (batch.position >= end) return FileSlice{};
      ByteCount size = std::min(limit, end - batch.position);
      if (first_batch == FirstBatch::whole) size = std::max(size, batch.size);
      if (size <= 0) return FileSlice{};
      FileSlice slice{std::move(batch.file), batch.position, size};
      if (batch.position + size < end) segment.cut_to_batches(slice, batch.size, mode);
      return slice;
    }
    ++i;
  }
  return FileSlice{};
}

Result<void> Log::Impl::repair_indexes(Segment& segment) {
  const std::lock_guard no_flush(flush_mutex_);
  last_point_.reset();
  closed_end_.reset();
  const std::lock_guard lock(append_mutex_);
  TRY(require_open());
  const bool is_ours = std::any_of(segments_->begin(), segments_->end(),
                                   [&](const auto& each) { return each.get() == &segment; });
  // Its files may be gone by now, and must not be made anew.
  if (!is_ours)
    return Error{Errc::offset_out_of_range, files_.directory + ": a segment was deleted meanwhile"};
  TRY(rebuild_indexes(segment, config_));
  // Of an older segment nothing else would write them.
  return &segment == &active() ? Result<void>() : segment.seal();
}

}  // namespace sillok::storage
