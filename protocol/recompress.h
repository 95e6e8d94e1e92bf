// A record batch in another codec.
#pragma once

#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/compression.h"
#include "protocol/record_batch_view.h"

namespace sillok::protocol {

// A batch of these records (as plain_records() gives them) compressed by `codec`, or plain: offsets, producer
// and attributes are those of `batch_header`, the bytes of the old one's header; the maximum timestamp is
// what `header` says; the CRC is new. Errc::too_large where the new batch would have no length that the
// format can hold. May take long.
Result<Bytes> recompress(const RecordBatchHeader& header, ByteView batch_header, ByteView records,
                         Codec codec, std::optional<int> level);

}  // namespace sillok::protocol
