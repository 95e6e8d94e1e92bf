#include "protocol/recompress.h"

#include <algorithm>
#include <limits>
#include <string>

#include "protocol/base/check.h"

namespace sillok::protocol {
namespace {

constexpr std::int16_t kCodecBits = 0x07;

}  // namespace

Result<Bytes> recompress(const RecordBatchHeader& header, ByteView batch_header, ByteView records,
                         Codec codec, std::optional<int> level) {
  CHECK(batch_header.size() == kRecordBatchHeaderSize);
  Bytes packed;
  if (codec != Codec::none) packed = TRY(compress(codec, records, level));
  const ByteView stored = codec == Codec::none ? records : ByteView(packed);
  const std::size_t length = kRecordBatchHeaderSize - kRecordBatchOverhead + stored.size();
  if (length > std::numeric_limits<std::int32_t>::max()) {
    return Error{Errc::too_large, std::to_string(length) + " bytes are no length of a batch"};
  }
  Bytes made(kRecordBatchHeaderSize + stored.size());
  std::ranges::copy(batch_header, made.begin());
  std::ranges::copy(stored, made.begin() + kRecordBatchHeaderSize);
  store_big_endian(made.data() + kBatchLengthPosition, static_cast<std::int32_t>(length));
  const auto attributes =
      static_cast<std::int16_t>((header.attributes & ~kCodecBits) | static_cast<int>(codec));
  store_big_endian(made.data() + kAttributesPosition, attributes);
  set_max_timestamp(made, header.max_timestamp);  // and the CRC
  return made;
}

}  // namespace sillok::protocol
