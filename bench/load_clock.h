// Time, as a measuring program needs it.
#pragma once

#include <time.h>

#include <cstdint>

namespace sillok::bench {

inline std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}
inline std::int64_t steady_clock_ns() { return clock_ns(CLOCK_MONOTONIC); }
inline std::int64_t wall_clock_ms() { return clock_ns(CLOCK_REALTIME) / 1'000'000; }

inline void pause_ns(std::int64_t duration) {
  const timespec pause{duration / 1'000'000'000, duration % 1'000'000'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace sillok::bench
