// What something costs beside something else of the same run; never a time of its own.
#pragma once

#include <algorithm>
#include <ctime>
#include <limits>

namespace sillok::tests {

// CPU time of the process, the least of three runs, at least one tick.
template <class Work>
std::clock_t cpu_time_of(const Work& work) {
  std::clock_t least = std::numeric_limits<std::clock_t>::max();
  for (int run = 0; run < 3; ++run) {
    const std::clock_t before = std::clock();
    work();
    least = std::min(least, std::clock() - before);
  }
  return std::max<std::clock_t>(least, 1);
}

}  // namespace sillok::tests
