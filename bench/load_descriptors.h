// How many files and sockets this process may have open.
#pragma once

#include <sys/resource.h>

#include <algorithm>

namespace sillok::bench {

inline constexpr rlim_t kDescriptorsWanted = 65'536;

// To kDescriptorsWanted where the process may (root), else to what the system lets it have.
inline void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = std::max(limit.rlim_max, kDescriptorsWanted);
  const rlimit raised{wanted, wanted};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sillok::bench
