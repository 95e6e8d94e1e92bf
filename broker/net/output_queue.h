// What a connection still has to send: buffers, and slices of files that go from the page cache to the
// socket.
#pragma once

#include <cstddef>

#include "broker/response_sink.h"
#include "broker/ring.h"
#include "protocol/base/result.h"

namespace sillok::broker {

// One sendfile call moves at most this much: a piece whose residency was probed just before.
inline constexpr ByteCount kSendStepBytes = 512 << 10;
// One send() moves at most this much, so that one fast reader does not hold its reactor.
inline constexpr ByteCount kSendRoundBytes = 2 << 20;

// Threading: one thread.
class OutputQueue {
 public:
  enum class Progress {
    drained,
    socket_full,  // go on when the socket can be written to
    more,         // go on after others had their turn
    cold,         // cold_slice() must be brought into memory first, elsewhere
  };

  void push(OutgoingFrame frame);
  // Errors: connection_lost; io_error where a file could not be read (the frame's length was promised:
  // nothing can be sent in its place).
  // Requires: the socket does not block (sendfile has no flag for that).
  Result<Progress> send(int socket);
  bool empty() const { return frames_.empty(); }
  // While empty(): the memory of the queue itself.
  void release() { frames_.release(); }
  ByteCount unsent() const { return unsent_; }
  const storage::FileSlice& cold_slice() const { return cold_; }

 private:
  Result<Progress> send_buffers(int socket);
  Result<Progress> send_file(int socket);
  Result<std::size_t> copy_file(int socket, const storage::FileSlice& part);
  void advance_bytes(std::size_t count);
  // The bytes of a frame up to its next file, or to its end.
  std::size_t buffer_end(const OutgoingFrame& frame, std::size_t next_file) const;

  Ring<OutgoingFrame> frames_;
  // The place in the front frame.
  std::size_t bytes_sent_ = 0;
  std::size_t next_file_ = 0;
  ByteCount file_sent_ = 0;
  ByteCount unsent_ = 0;
  ByteCount sent_this_round_ = 0;
  storage::FileSlice cold_;
};

}  // namespace sillok::broker
