#include "storage/batch_walk.h"

#include <algorithm>
#include <limits>
#include <string>

namespace sillok::storage {

bool is_plausible(const protocol::RecordBatchHeader& header) {
  return header.base_offset.value >= 0 && header.last_offset_delta >= 0 && header.record_count >= 0 &&
         header.base_offset.value < std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1 &&
         header.record_count - 1 <= header.last_offset_delta;
}

Error BatchWalk::corrupt(const char* what) const {
  return Error{Errc::corrupt, std::string(what) + " at position " + std::to_string(position_.value)};
}

Result<ByteView> BatchWalk::header_bytes() {
  const std::int64_t skip = position_ - buffer_begin_;
  constexpr auto kHeader = static_cast<std::int64_t>(protocol::kRecordBatchHeaderSize);
  if (skip < 0 || skip + kHeader > static_cast<std::int64_t>(buffer_size_)) {
    const auto left = static_cast<std::size_t>(end_ - position_);
    const MutableByteView out(buffer_.data(), std::min(read_size_, left));
    buffer_size_ = 0;
    buffer_size_ = TRY(read_in_mode(file_, position_, out, mode_));
    buffer_begin_ = position_;
    if (buffer_size_ < protocol::kRecordBatchHeaderSize) return corrupt("less than a batch header");
    return ByteView(buffer_.data(), protocol::kRecordBatchHeaderSize);
  }
  return ByteView(buffer_.data() + skip, protocol::kRecordBatchHeaderSize);
}

Result<std::optional<BatchPlace>> BatchWalk::next() {
  if (position_ >= end_) return std::optional<BatchPlace>();
  const ByteView bytes = TRY(header_bytes());
  auto header = protocol::parse_record_batch_header(bytes);
  if (!header.ok()) return corrupt("no batch header");
  if (!is_plausible(*header)) return corrupt("an implausible batch header");
  if (header->base_offset < least_offset_) return corrupt("offsets that go back");
  const BatchPlace place{*header, position_};
  if (place.end() > end_) return corrupt("a batch that crosses the end");
  least_offset_ = header->next_offset();
  position_ = place.end();
  read_size_ = header->size() * 4 <= kBufferSize ? kBufferSize : 256;
  return std::optional<BatchPlace>(place);
}

}  // namespace sillok::storage
