// The cluster-wide features of KIP-584, as ApiVersions offers them and UpdateFeatures judges them.
//
// Non-obvious: clients change what they send by some of these names, transaction.version above all: one may
// only stand here once what it promises is there. metadata.version promises nothing to clients; tools read
// the release of Kafka from it that a broker is like.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sillok::broker {

// None can be changed: what is finalized is `level`.
struct Feature {
  std::string_view name;
  std::int16_t level_min = 0;
  std::int16_t level_max = 0;
  std::int16_t level = 0;
};

inline constexpr std::int16_t kMetadataVersion43 = 30;  // "4.3-IV0"
inline constexpr std::array kFeatures{
    Feature{"metadata.version", kMetadataVersion43, kMetadataVersion43, kMetadataVersion43},
};
// Clients take over what is finalized only with a greater epoch than they have seen: add one with each change
// of the table.
inline constexpr std::int64_t kFeaturesEpoch = 1;

}  // namespace sillok::broker
