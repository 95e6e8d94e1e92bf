#include "protocol/wire/describe.h"

namespace sillok::protocol {

std::string to_string(VersionRange range) {
  if (range.empty()) return "none";
  const std::string first = std::to_string(range.first);
  if (range.last == kAllVersions.last) return first + "+";
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

}  // namespace sillok::protocol
