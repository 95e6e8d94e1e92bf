// From batch to batch through a log file, by their headers.
#pragma once

#include <array>
#include <optional>

#include "protocol/record_batch_view.h"
#include "storage/log_files.h"

namespace sillok::storage {

struct BatchPlace {
  protocol::RecordBatchHeader header;
  FilePosition position;

  FilePosition end() const { return position + static_cast<std::int64_t>(header.size()); }
};

// Whether a header can be that of a stored batch: sizes and offsets that fit together. The CRC is another
// matter.
bool is_plausible(const protocol::RecordBatchHeader& header);

// Threading: one thread. Lifetime: the file outlives it.
class BatchWalk {
 public:
  // Visits the batches in [from, end). Requires: `from` is where a batch begins.
  BatchWalk(const File& file, FilePosition from, FilePosition end, IoMode mode)
      : file_(file), position_(from), end_(end), mode_(mode) {}

  // nullopt at the end. Errc::corrupt where the bytes are no header, the batch crosses the end, or offsets go
  // back; it begins at position(). Else the file's error.
  Result<std::optional<BatchPlace>> next();
  FilePosition position() const { return position_; }

 private:
  Result<ByteView> header_bytes();
  Error corrupt(const char* what) const;

  static constexpr std::size_t kBufferSize = 8192;

  const File& file_;
  FilePosition position_;
  FilePosition end_;
  IoMode mode_;
  Offset least_offset_{0};
  std::size_t read_size_ = 256;  // adapts: many small batches are read at once, large ones by their headers
  FilePosition buffer_begin_;
  std::size_t buffer_size_ = 0;
  std::array<std::byte, kBufferSize> buffer_;
};

}  // namespace sillok::storage
