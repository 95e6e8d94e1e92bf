// Where an answer goes. Handlers know this much of a connection and no more.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/base/bytes.h"
#include "storage/log.h"

namespace sillok::broker {

// Bytes to send, with pieces of files at places inside them.
struct OutgoingFrame {
  struct FilePart {
    std::size_t position;  // in `bytes`: the slice goes in front of the byte there
    storage::FileSlice slice;
  };
  Bytes bytes;
  std::vector<FilePart> files;  // by rising position

  ByteCount size() const {
    ByteCount total = static_cast<ByteCount>(bytes.size());
    for (const FilePart& part : files) total += part.slice.size;
    return total;
  }
};

enum class SlotOutcome {
  answered,      // the frame is sent when its turn comes
  unanswered,    // nothing is sent (acks=0)
  disconnected,  // the connection is closed when its turn comes
};

// Something that waits for what may never come, and need not once nobody wants the answer. Threading:
// abandon() is called on the connection's reactor.
class Abandonable {
 public:
  virtual ~Abandonable() = default;
  virtual void abandon() = 0;
};

// Threading: complete() from any thread, watch() on the connection's reactor. Answers arrive in any order and
// leave in the order of the requests.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void complete(std::uint64_t slot, SlotOutcome outcome, OutgoingFrame frame) = 0;
  // Abandons `waits` if the connection ends before the slot is filled.
  virtual void watch(std::uint64_t slot, std::weak_ptr<Abandonable> waits) = 0;
};

}  // namespace sillok::broker
