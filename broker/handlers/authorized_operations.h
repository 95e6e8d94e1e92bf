// The operations that a client may do, as bits by Kafka's operation codes. Without an authorizer everybody
// may do everything.
#pragma once

#include <cstdint>

namespace sillok::broker {

// Read 3, write 4, create 5, delete 6, alter 7, describe 8, describe configs 10, alter configs 11.
inline constexpr std::int32_t kTopicOperations = 0b1101'1111'1000;
// Create 5, alter 7, describe 8, cluster action 9, describe configs 10, alter configs 11, idempotent
// write 12.
inline constexpr std::int32_t kClusterOperations = 0b1'1111'1010'0000;

static_assert(kTopicOperations == 3576 && kClusterOperations == 8096);

}  // namespace sillok::broker
