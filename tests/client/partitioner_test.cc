#include "client/partitioner.h"

#include <catch2/catch.hpp>

namespace sillok {
namespace {

TEST_CASE("partitioner: hashes as the Java client does") {
  // Every tail length of the four-byte steps; the values are those of the Java client.
  const std::pair<const char*, std::int32_t> expected[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [text, hash] : expected) {
    CAPTURE(text);
    CHECK(static_cast<std::int32_t>(client::murmur2(as_bytes(text))) == hash);
  }
}

TEST_CASE("partitioner: a key always has the same partition, within the count") {
  for (std::int32_t count = 1; count < 20; ++count) {
    const auto partition = client::partition_of_key(as_bytes("21"), count);
    CHECK(partition.value == (-973932308 & 0x7fffffff) % count);
  }
}

}  // namespace
}  // namespace sillok
