#include "protocol/base/crc32c.h"

#include <isa-l.h>

#include <algorithm>
#include <limits>

namespace sillok {

std::uint32_t crc32c(ByteView bytes, std::uint32_t so_far) {
  // ISA-L leaves the initial and final inversion to its caller, takes an int length and does not write to the
  // buffer.
  std::uint32_t state = ~so_far;
  while (!bytes.empty()) {
    const std::size_t step = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
    auto* start = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    state = crc32_iscsi(start, static_cast<int>(step), state);
    bytes = bytes.subspan(step);
  }
  return ~state;
}

}  // namespace sillok
