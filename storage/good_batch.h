// Record batches among bytes that may be anything.
#pragma once

#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/record_batch_view.h"

namespace sillok::storage {

// The batch at the front, whole and with its CRC right. Its base offset and epoch, which the CRC does not
// cover, may be anything.
std::optional<protocol::RecordBatchHeader> good_batch_at_front(ByteView bytes);

// Whether such a batch begins anywhere behind the first byte: then the bytes are no torn tail. Also true
// where so much looks like batches that not all of it can be checked.
bool has_good_batch_inside(ByteView bytes);

}  // namespace sillok::storage
