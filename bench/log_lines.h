// What the benchmarks write: text as logs have it.
#pragma once

#include <cstddef>
#include <string>

namespace sillok::bench {

inline constexpr std::size_t kLineSize = 100;

// Text that compresses to about a third, as log lines do.
inline std::string line(int number) {
  std::string text =
      "request " + std::to_string(number * 7919) + " took " + std::to_string(number * 31) + " us ";
  while (text.size() < kLineSize)
    text += std::to_string(text.size() * static_cast<std::size_t>(number + 13)) + " ";
  text.resize(kLineSize);
  return text;
}

}  // namespace sillok::bench
