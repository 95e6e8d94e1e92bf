// A record batch in another codec.
#pragma once

#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/compression.h"
#include "protocol/record_batch_view.h"

namespace sillok::protocol {

// The same batch with its records compressed by `codec`, or plain: offsets, timestamps, producer and
// attributes stay, and the CRC is new. Errc::corrupt or budget_exceeded where the records cannot be
// decompressed, Errc::too_large where the new batch would have no length that the format can hold. May take
// long.
Result<Bytes> recompress(const RecordBatchHeader& header, ByteView batch, Codec codec,
                         std::optional<int> level);

}  // namespace sillok::protocol
