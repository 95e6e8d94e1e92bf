// One non-blocking connection of a load: bytes out as the socket takes them, whole frames in.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/load_socket.h"
#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

namespace sillok::bench {

// Threading: not thread-safe.
class Channel {
 public:
  // `receive_size` should hold a whole answer, so that reading one seldom moves bytes. What is not received
  // into is not touched: an idle channel takes little memory.
  Channel(Socket socket, std::size_t receive_size)
      : socket_(std::move(socket)),
        in_(std::make_unique_for_overwrite<std::byte[]>(receive_size)),
        in_size_(receive_size) {}

  int descriptor() const { return socket_.descriptor(); }
  std::size_t unsent() const { return out_.size() - sent_; }

  // Queues a request with its correlation id set.
  void queue(ByteView request, std::int32_t correlation_id);
  // Sends what the socket takes.
  Result<void> flush();
  // Reads once what is there. Errc::connection_lost at the peer's end.
  Result<void> receive();
  // The next whole frame that was received, from the correlation id on; empty where there is none. Valid
  // until receive().
  Result<ByteView> next_frame();

 private:
  void grow(std::size_t size);

  Socket socket_;
  Bytes out_;
  std::size_t sent_ = 0;
  std::unique_ptr<std::byte[]> in_;
  std::size_t in_size_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Waits for many descriptors.
class Poller {
 public:
  struct Event {
    std::uint64_t tag;
    bool writable;
  };
  static constexpr int kEventsMax = 256;

  static Result<Poller> create();
  Result<void> watch(int descriptor, std::uint64_t tag);
  // Reports that the descriptor is writable only while asked for.
  void want_write(int descriptor, std::uint64_t tag, bool wanted);
  // The number of events put into `events`; 0 after the timeout.
  int wait(Event (&events)[kEventsMax], std::int64_t timeout_ns);

 private:
  explicit Poller(Socket epoll) : epoll_(std::move(epoll)) {}
  Socket epoll_;
};

}  // namespace sillok::bench
