// CRC-32C (Castagnoli), the checksum of record batches and snapshots. RFC 3720, appendix B.4.
#pragma once

#include <cstdint>

#include "protocol/base/bytes.h"

namespace sillok {

// The checksum of everything so far and then `bytes`; start with 0.
std::uint32_t crc32c(ByteView bytes, std::uint32_t so_far = 0);

}  // namespace sillok
