#include "broker/random_uuid.h"

#include <array>
#include <random>

namespace sillok::broker {

Uuid random_uuid() {
  std::random_device device;
  for (;;) {
    std::array<std::uint8_t, 16> random;
    for (std::uint8_t& byte : random) byte = static_cast<std::uint8_t>(device());
    if (const auto id = Uuid::from_random(random)) return *id;
  }
}

}  // namespace sillok::broker
