#include "storage/good_batch.h"

namespace sillok::storage {
namespace {

// What is read for checksums, at most: a second's work, or less.
constexpr std::size_t kCheckedSizeMax = std::size_t{4} << 30;

}  // namespace

std::optional<protocol::RecordBatchHeader> good_batch_at_front(ByteView bytes) {
  const auto header = protocol::parse_record_batch_header(bytes);
  if (!header.ok() || header->size() > bytes.size()) return std::nullopt;
  if (!protocol::check_crc(*header, bytes.first(header->size())).ok()) return std::nullopt;
  return *header;
}

bool has_good_batch_inside(ByteView bytes) {
  std::size_t checked_size = 0;
  for (std::size_t at = 1; at + protocol::kRecordBatchHeaderSize <= bytes.size(); ++at) {
    const ByteView left = bytes.subspan(at);
    if (left[protocol::kMagicPosition] != std::byte{protocol::kRecordBatchMagic}) continue;
    const auto header = protocol::parse_record_batch_header(left);
    if (!header.ok() || header->size() > left.size()) continue;
    // The CRC covers these: no broker ever wrote such a batch.
    if (header->last_offset_delta < 0 || header->record_count < 0) continue;
    checked_size += header->size();
    if (checked_size > kCheckedSizeMax || good_batch_at_front(left)) return true;
  }
  return false;
}

}  // namespace sillok::storage
