// Value types of messages that C++ has no type of its own for.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"

namespace sillok::protocol {

// Record batches inside a message. Decoded, `bytes` views the frame. Encoded, either `bytes` are copied into
// the message, or, with `external_size` set, only the length is written, and whoever sends the message puts
// that many bytes at the place that the encoder notes (Encoder::holes()): how a fetch answer is sent from
// files without a copy.
struct Records {
  ByteView bytes;
  std::uint32_t external_size = 0;

  friend bool operator==(const Records& a, const Records& b) {
    return as_text(a.bytes) == as_text(b.bytes) && a.external_size == b.external_size;
  }
};

}  // namespace sillok::protocol
