#include <algorithm>

#include "storage/log_impl.h"
#include "storage/segment_recovery.h"

namespace sillok::storage {
namespace {

using protocol::Record;
using protocol::RecordReader;

// The bytes of one batch that is in the log.
Result<Bytes> read_batch(const File& file, const BatchPlace& place) {
  Bytes bytes(place.header.size());
  if (TRY(file.read_at(place.position, bytes)) != bytes.size()) {
    return Error{Errc::corrupt, "a batch that crosses the end of its file"};
  }
  return bytes;
}

// The first record of the batch in [from, upper_bound) whose timestamp is at least `timestamp`.
Result<std::optional<TimestampAndOffset>> find_record(const File& file, const BatchPlace& place,
                                                      TimestampMs timestamp, Offset from,
                                                      Offset upper_bound) {
  const Bytes bytes = TRY(read_batch(file, place));
  TRY(protocol::check_crc(place.header, bytes));
  RecordReader reader = TRY(RecordReader::open(place.header, bytes));
  Record record;
  while (TRY(reader.next(record))) {
    if (record.offset >= upper_bound) break;
    if (record.offset >= from && record.timestamp >= timestamp) {
      return std::optional(TimestampAndOffset{record.timestamp, record.offset, place.header.leader_epoch});
    }
  }
  return std::optional<TimestampAndOffset>();
}

// The record of the batch in [from, upper_bound) with the greatest timestamp, the earliest of them.
Result<std::optional<TimestampAndOffset>> find_greatest_record(const File& file, const BatchPlace& place,
                                                               Offset from, Offset upper_bound) {
  const Bytes bytes = TRY(read_batch(file, place));
  TRY(protocol::check_crc(place.header, bytes));
  RecordReader reader = TRY(RecordReader::open(place.header, bytes));
  Record record;
  std::optional<TimestampAndOffset> greatest;
  while (TRY(reader.next(record))) {
    if (record.offset < from || record.offset >= upper_bound) continue;
    if (greatest && record.timestamp <= greatest->timestamp) continue;
    greatest = TimestampAndOffset{record.timestamp, record.offset, place.header.leader_epoch};
  }
  return greatest;
}

// A batch boundary before which no batch of the segment has a timestamp of `timestamp` or later. The indexes
// are derived: where they do not agree with the batch that they name, the search begins at the front.
FilePosition search_start(Segment& segment, TimestampMs timestamp) {
  const auto time = segment.time_index().floor(timestamp, IoMode::may_block);
  if (!time.ok() || !*time) return FilePosition(0);
  const Offset offset = segment.base_offset() + (*time)->relative_offset;
  const auto found = segment.find(offset, IoMode::may_block);
  if (!found.ok() || !*found) return FilePosition(0);
  BatchWalk walk(*(*found)->file, (*found)->position, segment.end(), IoMode::may_block);
  const auto place = walk.next();
  const bool agrees = place.ok() && *place && (*place)->header.last_offset() == offset &&
                      (*place)->header.max_timestamp == (*time)->timestamp;
  return agrees ? (*found)->position : FilePosition(0);
}

// Visits the batches of a segment from `start` on, damage left out, until `visit` returns true.
template <class Visitor>
Result<void> visit_batches(Segment& segment, FilePosition start, const Visitor& visit) {
  const auto file = TRY(segment.file(IoMode::may_block));
  start = segment.damage_end(start);
  for (FilePosition end = segment.readable_end(start); start < end; end = segment.readable_end(start)) {
    BatchWalk walk(*file, start, end, IoMode::may_block);
    while (const auto place = TRY(walk.next())) {
      if (TRY(visit(*file, *place))) return {};
    }
    start = segment.damage_end(end);
  }
  return {};
}

}  // namespace

Result<std::optional<TimestampAndOffset>> Log::Impl::find_timestamp(TimestampMs timestamp,
                                                                    Offset upper_bound) {
  const auto list = segments();
  const Offset start = log_start();
  std::optional<TimestampAndOffset> found;
  for (const auto& segment : *list) {
    if (segment->base_offset() >= upper_bound) break;
    if (segment->size() == 0 || TRY(greatest_timestamp(*segment)).timestamp < timestamp) continue;
    TRY(visit_batches(*segment, search_start(*segment, timestamp),
                      [&](const File& file, const BatchPlace& place) -> Result<bool> {
                        if (place.header.base_offset >= upper_bound) return true;
                        if (place.header.max_timestamp < timestamp || place.header.last_offset() < start)
                          return false;
                        found = TRY(find_record(file, place, timestamp, start, upper_bound));
                        return found.has_value();
                      }));
    if (found) break;
  }
  return found;
}

Result<Offset> Log::Impl::find_expired_end(TimestampMs deadline, TimestampMs now, Offset upper_bound) {
  Offset expired_end = log_start();
  const auto list = segments();
  for (std::size_t i = 0; i < list->size() && (*list)[i]->base_offset() < upper_bound; ++i) {
    Segment& segment = *(*list)[i];
    const Offset next = i + 1 == list->size() ? upper_bound : (*list)[i + 1]->base_offset();
    if (segment.size() == 0 || next <= expired_end) continue;
    const TimestampMs greatest = TRY(greatest_timestamp(segment)).timestamp;
    if (greatest >= deadline) return find_expired_end_in(segment, deadline, expired_end, upper_bound);
    if (greatest < 0 && segment.last_changed(now) >= deadline) break;
    expired_end = std::min(next, upper_bound);
  }
  return expired_end;
}

// Requires: the segment has a record of the deadline or later; the first is not far behind those before it.
Result<Offset> Log::Impl::find_expired_end_in(Segment& segment, TimestampMs deadline, Offset expired_end,
                                              Offset upper_bound) const {
  const FilePosition start = search_start(segment, deadline - 1);
  const auto visit = [&](const File& file, const BatchPlace& place) -> Result<bool> {
    const auto& batch = place.header;
    if (batch.base_offset >= upper_bound) {
      // The indexes led past it: what they jumped over is from before the batch that they led to.
      if (place.position == start && start > FilePosition(0)) expired_end = upper_bound;
      return true;
    }
    if (batch.last_offset() < expired_end || batch.max_timestamp < 0) return false;
    if (batch.max_timestamp < deadline) {
      expired_end = std::min(batch.next_offset(), upper_bound);
      return false;
    }
    const auto young = TRY(find_record(file, place, deadline, expired_end, upper_bound));
    if (young && young->offset > batch.base_offset) expired_end = std::max(expired_end, young->offset);
    return true;
  };
  TRY(visit_batches(segment, start, visit));
  return expired_end;
}

Result<MaxTimestamp> Log::Impl::greatest_timestamp(Segment& segment) {
  auto greatest = segment.max_timestamp();
  if (greatest.ok() ||
      (greatest.error().code != Errc::malformed && greatest.error().code != Errc::not_found)) {
    return greatest;
  }
  TRY(repair_indexes(segment));
  return segment.max_timestamp();
}

Result<std::optional<TimestampAndOffset>> Log::Impl::find_max_timestamp(Offset upper_bound) {
  const auto list = segments();
  const Offset start = log_start();
  std::optional<TimestampAndOffset> best;
  for (const auto& segment : *list) {
    if (segment->base_offset() >= upper_bound) break;
    const MaxTimestamp greatest = TRY(greatest_timestamp(*segment));
    if (segment->size() == 0 || (best && greatest.timestamp <= best->timestamp)) continue;
    // Where the segment's own greatest is not in the range, another of its batches may be.
    const bool in_range = greatest.offset >= start && greatest.offset < upper_bound;
    const FilePosition from = in_range ? search_start(*segment, greatest.timestamp) : FilePosition(0);
    TRY(visit_batches(*segment, from, [&](const File& file, const BatchPlace& place) -> Result<bool> {
      if (place.header.base_offset >= upper_bound) return true;
      if (place.header.last_offset() < start || (best && place.header.max_timestamp <= best->timestamp))
        return false;
      const auto found = TRY(find_greatest_record(file, place, start, upper_bound));
      if (found && (!best || found->timestamp > best->timestamp)) best = found;
      return in_range && best && best->timestamp == greatest.timestamp;
    }));
  }
  return best;
}

}  // namespace sillok::storage
