#include "client/partitioner.h"

#include "protocol/base/check.h"

namespace sillok::client {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28c;
constexpr std::uint32_t kMultiplier = 0x5bd1e995;
constexpr int kShift = 24;

std::uint32_t byte_at(ByteView bytes, std::size_t position) {
  return static_cast<std::uint32_t>(bytes[position]);
}

}  // namespace

std::uint32_t murmur2(ByteView bytes) {
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t position = 0;
  for (; position + 4 <= bytes.size(); position += 4) {
    std::uint32_t word = byte_at(bytes, position) | byte_at(bytes, position + 1) << 8 |
                         byte_at(bytes, position + 2) << 16 | byte_at(bytes, position + 3) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
  }
  const std::size_t left = bytes.size() - position;
  if (left >= 3) hash ^= byte_at(bytes, position + 2) << 16;
  if (left >= 2) hash ^= byte_at(bytes, position + 1) << 8;
  if (left >= 1) {
    hash ^= byte_at(bytes, position);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

PartitionIndex partition_of_key(ByteView key, std::int32_t partition_count) {
  CHECK(partition_count > 0);
  const auto positive = static_cast<std::int32_t>(murmur2(key) & 0x7fffffff);
  return PartitionIndex(positive % partition_count);
}

}  // namespace sillok::client
