#include "storage/segment_recovery.h"

#include <algorithm>
#include <memory>

#include "protocol/base/crc32c.h"
#include "storage/format.h"

namespace sillok::storage {
namespace {

using protocol::RecordBatchHeader;

constexpr std::size_t kChunkSize = 1 << 20;
constexpr std::size_t kHeaderSize = protocol::kRecordBatchHeaderSize;

// A window over a file that moves forward.
class ChunkReader {
 public:
  ChunkReader(const File& file, FilePosition end)
      : file_(file), end_(end), buffer_(std::make_unique_for_overwrite<std::byte[]>(kChunkSize)) {}

  // At least min(least, bytes left) bytes at `position`. Requires: least <= kChunkSize.
  Result<ByteView> at(FilePosition position, std::size_t least) {
    const auto left = static_cast<std::size_t>(std::max<std::int64_t>(end_ - position, 0));
    const std::size_t wanted = std::min(least, left);
    std::int64_t skip = position - begin_;
    if (skip < 0 || skip > static_cast<std::int64_t>(size_) ||
        size_ - static_cast<std::size_t>(skip) < wanted) {
      size_ = 0;
      size_ = TRY(file_.read_at(position, MutableByteView(buffer_.get(), std::min(kChunkSize, left))));
      begin_ = position;
      skip = 0;
      read_bytes_ += static_cast<ByteCount>(size_);
    }
    return ByteView(buffer_.get() + skip, size_ - static_cast<std::size_t>(skip));
  }
  ByteCount read_bytes() const { return read_bytes_; }

 private:
  const File& file_;
  FilePosition end_;
  std::unique_ptr<std::byte[]> buffer_;
  FilePosition begin_;
  std::size_t size_ = 0;
  ByteCount read_bytes_ = 0;
};

class SegmentScanner {
 public:
  SegmentScanner(const File& file, Offset base, const SegmentScanPlan& plan, FilePosition file_end,
                 const BatchVisitor& visit)
      : reader_(file, file_end), base_(base), plan_(plan), file_end_(file_end), visit_(visit) {}

  Result<SegmentScan> run() {
    FilePosition position = plan_.from;
    scan_.next_offset = plan_.least_offset;
    note_boundary(position);
    while (position < file_end_) {
      const char* problem = nullptr;
      const auto place = TRY(batch_at(position, problem));
      if (place) {
        TRY(visit_(*place));
        scan_.next_offset = place->header.next_offset();
        position = place->end();
        note_boundary(position);
        continue;
      }
      if (scan_.problem.empty()) {
        scan_.problem = std::string(problem) + " at position " + std::to_string(position.value);
      }
      if (position >= plan_.durable_end && scan_.next_offset >= plan_.durable_offset &&
          !TRY(is_of_durable_offset(position)))
        break;
      position = TRY(skip_damage(position));
    }
    scan_.end = position;
    scan_.scanned_bytes = reader_.read_bytes();
    return std::move(scan_);
  }

 private:
  void note_boundary(FilePosition position) {
    if (position != plan_.durable_end) return;
    scan_.met_durable_end = true;
    scan_.offset_at_durable_end = scan_.next_offset;
  }

  // No checksum covers the offset of a batch. If one before has a greater one than it had, then this one only
  // seems to go back.
  Result<bool> is_of_durable_offset(FilePosition position) {
    const ByteView bytes = TRY(reader_.at(position, kHeaderSize));
    const auto header = protocol::parse_record_batch_header(bytes.first(std::min(bytes.size(), kHeaderSize)));
    const BatchPlace place{header.ok() ? *header : RecordBatchHeader{}, position};
    return header.ok() && is_plausible(*header) && place.end() <= file_end_ &&
           header->base_offset < plan_.durable_offset && TRY(checksum(place)) == header->crc;
  }

  // The batch there, if it is whole and right; else the problem.
  Result<std::optional<BatchPlace>> batch_at(FilePosition position, const char*& problem) {
    const ByteView bytes = TRY(reader_.at(position, kHeaderSize));
    const auto header = protocol::parse_record_batch_header(bytes.first(std::min(bytes.size(), kHeaderSize)));
    const BatchPlace place{header.ok() ? *header : RecordBatchHeader{}, position};
    if (!header.ok()) {
      problem = "no batch header";
    } else if (!is_plausible(*header)) {
      problem = "an implausible batch header";
    } else if (place.end() > file_end_) {
      problem = "a batch that crosses the end";
    } else if (header->base_offset < scan_.next_offset) {
      problem = "offsets that go back";
    } else if (header->last_offset() - base_ > kRelativeOffsetMax) {
      problem = "offsets too far from the segment's base";
    } else if (TRY(checksum(place)) != header->crc) {
      problem = "a batch with a wrong checksum";
    } else {
      return std::optional(place);
    }
    return std::optional<BatchPlace>();
  }

  Result<std::uint32_t> checksum(const BatchPlace& place) {
    FilePosition position = place.position + static_cast<std::int64_t>(protocol::kAttributesPosition);
    std::uint32_t crc = 0;
    while (position < place.end()) {
      const auto left = static_cast<std::size_t>(place.end() - position);
      const ByteView bytes = TRY(reader_.at(position, std::min(left, kChunkSize)));
      if (bytes.empty()) return ~place.header.crc;  // the file is shorter than it was
      const std::size_t count = std::min(left, bytes.size());
      crc = crc32c(bytes.first(count), crc);
      position += static_cast<std::int64_t>(count);
    }
    return crc;
  }

  // The next batch after the damage: where the damaged one says that it ends, else byte by byte, for that
  // length may be damaged as well.
  Result<FilePosition> skip_damage(FilePosition begin) {
    DamagedRange range{begin, file_end_, scan_.next_offset, scan_.next_offset};
    const ByteView start = TRY(reader_.at(begin, kHeaderSize));
    const auto header = protocol::parse_record_batch_header(start.first(std::min(start.size(), kHeaderSize)));
    if (header.ok()) {
      const char* problem = nullptr;
      const FilePosition next = BatchPlace{*header, begin}.end();
      const auto place = next < file_end_ ? TRY(batch_at(next, problem)) : std::nullopt;
      if (place) {
        range.end = next;
        range.next_offset = place->header.base_offset;
        scan_.damage.push_back(range);
        return range.end;
      }
    }
    FilePosition position = begin + 1;
    while (position < file_end_) {
      const ByteView bytes = TRY(reader_.at(position, kHeaderSize));
      if (bytes.size() < kHeaderSize) break;
      const std::size_t count = bytes.size() - kHeaderSize + 1;
      std::size_t i = 0;
      while (i < count && bytes[i + protocol::kMagicPosition] != std::byte{protocol::kRecordBatchMagic}) ++i;
      position += static_cast<std::int64_t>(i);
      if (i == count) continue;
      const char* problem = nullptr;
      const auto place = TRY(batch_at(position, problem));
      if (place) {
        range.end = position;
        range.next_offset = place->header.base_offset;
        break;
      }
      position += 1;
    }
    scan_.damage.push_back(range);
    return range.end;
  }

  ChunkReader reader_;
  const Offset base_;
  const SegmentScanPlan& plan_;
  const FilePosition file_end_;
  const BatchVisitor& visit_;
  SegmentScan scan_;
};

}  // namespace

Result<SegmentScan> scan_segment(const File& file, Offset base, const SegmentScanPlan& plan,
                                 FilePosition file_end, const BatchVisitor& visit) {
  return SegmentScanner(file, base, plan, file_end, visit).run();
}

Result<void> rebuild_indexes(Segment& segment, const LogConfig& config) {
  TRY(segment.reset_indexes());
  const auto file = TRY(segment.file(IoMode::may_block));
  const SegmentScanPlan plan{FilePosition(0), segment.base_offset(), segment.end()};
  TRY(scan_segment(*file, segment.base_offset(), plan, segment.end(),
                   [&](const BatchPlace& place) { return segment.replay(place, config); }));
  return {};
}

}  // namespace sillok::storage
