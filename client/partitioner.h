// Which partition a record goes to, as the Java client decides it, so that records of one key stay together
// whoever writes them.
#pragma once

#include <cstdint>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"

namespace sillok::client {

// Murmur2 with the seed of the Java client.
std::uint32_t murmur2(ByteView bytes);

// Requires: partition_count > 0.
PartitionIndex partition_of_key(ByteView key, std::int32_t partition_count);

}  // namespace sillok::client
