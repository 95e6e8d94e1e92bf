#include "protocol/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sillok {

void check_failed(const char* condition, std::source_location where) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%u in %s\n", condition, where.file_name(), where.line(),
               where.function_name());
  std::fflush(stderr);
  std::abort();
}

}  // namespace sillok
