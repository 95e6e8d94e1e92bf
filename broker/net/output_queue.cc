#include "broker/net/output_queue.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "broker/spare_frames.h"

namespace sillok::broker {
namespace {

constexpr std::size_t kGatherMax = 64;
constexpr std::size_t kCopyBytes = 64 << 10;
// More than that waits under the cork where the reader could have it already: fetches of 1 MiB took twice the
// CPU time.
constexpr ByteCount kCorkedBytesMax = 128 << 10;

Error socket_error() { return {Errc::connection_lost, std::strerror(errno)}; }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// What is sent while it lives leaves in as few packets as it can: sendfile has no MSG_MORE, and the few bytes
// that end a fetch answer would be a packet, and a wake-up of the reader, of their own.
class Cork {
 public:
  Cork(int socket, bool wanted) : socket_(wanted ? socket : -1) { set(1); }
  ~Cork() { set(0); }
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

 private:
  // Fails where the socket is none of TCP's: it has no packets, then.
  void set(int value) const {
    if (socket_ >= 0) (void)::setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
  }

  const int socket_;
};

}  // namespace

void OutputQueue::push(OutgoingFrame frame) {
  if (!frames_.empty()) {
    for (auto& file : frame.files) file.slice.end = storage::RangeEnd::unknown;
  }
  unsent_ += frame.size();
  frames_.push_back(std::move(frame));
}

std::size_t OutputQueue::buffer_end(const OutgoingFrame& frame, std::size_t next_file) const {
  return next_file < frame.files.size() ? frame.files[next_file].position : frame.bytes.size();
}

Result<OutputQueue::Progress> OutputQueue::send(int socket) {
  const bool is_fetched = !frames_.empty() && !frames_.front().files.empty();
  const Cork cork(socket, is_fetched && unsent_ <= kCorkedBytesMax);
  sent_this_round_ = 0;
  while (!frames_.empty()) {
    const OutgoingFrame& frame = frames_.front();
    const bool at_file = next_file_ < frame.files.size() && bytes_sent_ == frame.files[next_file_].position;
    const Progress progress = at_file ? TRY(send_file(socket)) : TRY(send_buffers(socket));
    if (progress != Progress::drained) return progress;
    if (sent_this_round_ >= kSendRoundBytes && !frames_.empty()) return Progress::more;
  }
  return Progress::drained;
}

// Sends the buffers of as many frames as come before the next file, in one call.
Result<OutputQueue::Progress> OutputQueue::send_buffers(int socket) {
  std::array<iovec, kGatherMax> parts;
  std::size_t part_count = 0;
  bool file_follows = false;
  std::size_t from = bytes_sent_;
  std::size_t next_file = next_file_;
  for (std::size_t i = 0; i < frames_.size() && part_count < parts.size(); ++i) {
    const OutgoingFrame& frame = frames_[i];
    const std::size_t end = buffer_end(frame, next_file);
    if (end > from) {
      parts[part_count++] = {const_cast<std::byte*>(frame.bytes.data()) + from, end - from};
    }
    file_follows = next_file < frame.files.size();
    if (file_follows) break;
    from = 0;
    next_file = 0;
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < part_count; ++i) total += parts[i].iov_len;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = part_count;
  // The header of a fetch answer and the start of its file share a packet.
  const ssize_t sent =
      ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (file_follows ? MSG_MORE : 0));
  if (sent < 0) {
    if (would_block()) return Progress::socket_full;
    if (errno == EINTR) return Progress::drained;
    return socket_error();
  }
  advance_bytes(static_cast<std::size_t>(sent));
  return static_cast<std::size_t>(sent) < total ? Progress::socket_full : Progress::drained;
}

void OutputQueue::advance_bytes(std::size_t count) {
  unsent_ -= static_cast<ByteCount>(count);
  sent_this_round_ += static_cast<ByteCount>(count);
  while (!frames_.empty()) {
    const OutgoingFrame& frame = frames_.front();
    const std::size_t step = std::min(count, buffer_end(frame, next_file_) - bytes_sent_);
    bytes_sent_ += step;
    count -= step;
    if (bytes_sent_ < frame.bytes.size() || next_file_ < frame.files.size()) return;
    keep_spare_frame(std::move(frames_.front()));
    frames_.pop_front();
    bytes_sent_ = 0;
    next_file_ = 0;
    if (count == 0 && !frames_.empty()) return;
  }
}

Result<OutputQueue::Progress> OutputQueue::send_file(int socket) {
  storage::FileSlice& slice = frames_.front().files[next_file_].slice;
  while (file_sent_ < slice.size) {
    const FilePosition position = slice.position + file_sent_;
    const ByteCount step = std::min(slice.size - file_sent_, kSendStepBytes);
    // By the next look the page may have gone, and be on its way again.
    const auto known = std::exchange(slice.end, storage::RangeEnd::unknown);
    const auto end = step == slice.size ? known : storage::RangeEnd::unknown;
    if (!slice.file->is_resident(position, step, end)) {
      cold_ = {slice.file, position, step};
      return Progress::cold;
    }
    std::size_t sent = 0;
    if (const auto descriptor = slice.file->descriptor()) {
      off_t offset = position.value;
      const ssize_t result = ::sendfile(socket, *descriptor, &offset, static_cast<std::size_t>(step));
      if (result < 0) {
        if (would_block()) return Progress::socket_full;
        if (errno == EINTR) continue;
        if (errno == EIO) return Error{Errc::io_error, "sendfile: " + std::string(std::strerror(errno))};
        return socket_error();
      }
      if (result == 0) return Error{Errc::io_error, "a log file is shorter than it was"};
      sent = static_cast<std::size_t>(result);
    } else {
      sent = TRY(copy_file(socket, {slice.file, position, step}));
      if (sent == 0) return Progress::socket_full;
    }
    file_sent_ += static_cast<ByteCount>(sent);
    unsent_ -= static_cast<ByteCount>(sent);
    sent_this_round_ += static_cast<ByteCount>(sent);
    if (sent_this_round_ >= kSendRoundBytes && file_sent_ < slice.size) return Progress::more;
  }
  file_sent_ = 0;
  ++next_file_;
  advance_bytes(0);
  return Progress::drained;
}

// For files without a descriptor. 0 where the socket is full.
Result<std::size_t> OutputQueue::copy_file(int socket, const storage::FileSlice& part) {
  std::array<std::byte, kCopyBytes> buffer;
  const std::size_t wanted = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(part.size));
  const std::size_t read = TRY(part.file->read_resident_at(part.position, std::span(buffer).first(wanted)));
  if (read == 0) return Error{Errc::io_error, "a log file is shorter than it was"};
  for (;;) {
    const ssize_t sent = ::send(socket, buffer.data(), read, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (would_block()) return std::size_t{0};
    if (errno != EINTR) return socket_error();
  }
}

}  // namespace sillok::broker
