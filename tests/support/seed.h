// Where random tests start. Print it: INFO("seed " << seed).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace sillok::tests {

// Another one each time, or SILLOK_TEST_SEED from the environment, to repeat a run.
inline std::uint64_t seed() {
  if (const char* fixed = std::getenv("SILLOK_TEST_SEED"); fixed != nullptr) return std::stoull(fixed);
  return std::random_device{}();
}

}  // namespace sillok::tests
