#include "bench/floor_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "bench/floor_requests.h"
#include "bench/load_clock.h"
#include "protocol/frame.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kReceiveSize = 128 << 10;
constexpr std::size_t kReceiveRoomMin = 16 << 10;
constexpr std::size_t kSentKeptMax = 64 << 10;
constexpr std::byte kTail[kFloorTailSize] = {};

std::int64_t now_ms() { return clock_ns(CLOCK_MONOTONIC) / 1'000'000; }

bool would_block() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

FloorConnection::~FloorConnection() { ::close(descriptor); }

FloorServer::FloorServer(const Endpoint& endpoint, const std::string& directory, FlushMode mode,
                         ByteCount journal_bytes)
    : endpoint_(endpoint), topics_(directory), flusher_(mode, directory, journal_bytes) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  signals_ = ::signalfd(-1, &ends, SFD_CLOEXEC);
  must(signals_ >= 0, "signalfd");
  const SocketAddress address = address_of(endpoint);
  listener_ = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int one = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  must(::bind(listener_, address.pointer(), address.size) == 0, "bind");
  must(::listen(listener_, SOMAXCONN) == 0, "listen");
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  must(epoll_ >= 0, "epoll_create1");
  for (int* descriptor : {&signals_, &listener_}) {
    epoll_event event{EPOLLIN, {.ptr = descriptor}};
    must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, *descriptor, &event) == 0, "epoll_ctl");
  }
  epoll_event event{EPOLLIN, {.ptr = &flusher_}};
  must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, flusher_.wake_descriptor(), &event) == 0, "epoll_ctl");
}

FloorServer::~FloorServer() {
  for (const int descriptor : {epoll_, listener_, signals_}) ::close(descriptor);
}

void FloorServer::run() {
  for (;;) {
    int timeout_ms = ready_.empty() ? -1 : 0;
    if (ready_.empty() && !waiting_.empty()) {
      timeout_ms = static_cast<int>(std::max<std::int64_t>(next_give_up_ms_ - now_ms(), 0));
    }
    const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      void* source = events_[static_cast<std::size_t>(i)].data.ptr;
      if (source == &signals_) return;
      if (source == &listener_) {
        accept_all();
      } else if (source == &flusher_) {
        take_flushed();
      } else {
        auto& connection = *static_cast<FloorConnection*>(source);
        if (connection.is_closed) continue;
        connection.is_readable = true;
        serve(connection);
        answer_woken();
      }
    }
    serve_ready();
    flusher_.hand_over();
    if (!waiting_.empty() && now_ms() >= next_give_up_ms_) give_up_waits();
    closed_.clear();
  }
}

void FloorServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      must(would_block(), "accept4");
      return;
    }
    const int one = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    auto connection = std::make_unique<FloorConnection>(descriptor);
    // Edge-triggered, so that no socket that is full needs another call to be watched for room.
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = connection.get()}};
    must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
    connections_[descriptor] = std::move(connection);
  }
}

void FloorServer::close(FloorConnection& connection) {
  if (connection.is_closed) return;
  connection.is_closed = true;
  if (connection.fetch_waits) end_wait(connection);
  std::erase(gated_, &connection);
  std::erase(ready_, &connection);
  const auto found = connections_.find(connection.descriptor);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.descriptor, nullptr);
  closed_.push_back(std::move(found->second));
  connections_.erase(found);
}

void FloorServer::serve(FloorConnection& connection) {
  for (bool received = false;;) {
    if (!send_answers(connection) || connection.is_closed || connection.is_busy()) return;
    const std::size_t begin = connection.begin;
    take_frames(connection);
    if (connection.begin != begin) continue;
    if (!connection.is_readable) return;
    if (received) {
      if (!std::exchange(connection.has_turn, true)) ready_.push_back(&connection);
      return;
    }
    receive(connection);
    received = true;
  }
}

void FloorServer::serve_ready() {
  for (std::size_t left = ready_.size(); left > 0 && !ready_.empty(); --left) {
    FloorConnection& connection = *ready_.front();
    ready_.erase(ready_.begin());
    connection.has_turn = false;
    serve(connection);
  }
  answer_woken();
}

void FloorServer::receive(FloorConnection& connection) {
  std::size_t wanted = kReceiveRoomMin;
  const std::size_t have = connection.end - connection.begin;
  if (have == 0) connection.begin = connection.end = 0;
  if (have >= protocol::kFrameSizeBytes) {
    const auto size = load_big_endian<std::int32_t>(connection.in.get() + connection.begin);
    wanted = std::max(wanted, protocol::kFrameSizeBytes + static_cast<std::size_t>(size) - have);
  }
  if (connection.capacity - connection.end < wanted) {
    if (connection.capacity < have + wanted) {
      connection.capacity = std::max(kReceiveSize, have + wanted + kReceiveRoomMin);
      auto larger = std::make_unique_for_overwrite<std::byte[]>(connection.capacity);
      if (have > 0) std::memcpy(larger.get(), connection.in.get() + connection.begin, have);
      connection.in = std::move(larger);
    } else if (have > 0) {
      std::memmove(connection.in.get(), connection.in.get() + connection.begin, have);
    }
    connection.begin = 0;
    connection.end = have;
  }
  const std::size_t room = connection.capacity - connection.end;
  const ssize_t received = ::recv(connection.descriptor, connection.in.get() + connection.end, room, 0);
  if (received == 0 || (received < 0 && !would_block())) return close(connection);
  connection.is_readable = received == static_cast<ssize_t>(room) || (received < 0 && errno == EINTR);
  if (received > 0) connection.end += static_cast<std::size_t>(received);
}

void FloorServer::take_frames(FloorConnection& connection) {
  while (!connection.is_busy() && connection.end - connection.begin >= protocol::kFrameSizeBytes) {
    std::byte* frame = connection.in.get() + connection.begin;
    const auto size = static_cast<std::size_t>(load_big_endian<std::int32_t>(frame));
    const std::size_t whole = protocol::kFrameSizeBytes + size;
    if (connection.end - connection.begin < whole) return;
    connection.begin += whole;
    take(connection, {frame + protocol::kFrameSizeBytes, size});
  }
}

void FloorServer::take(FloorConnection& connection, MutableByteView frame) {
  protocol::Decoder in(frame);
  const auto header = protocol::decode_request_header(in, [](std::int16_t key, protocol::Version version) {
    return static_cast<protocol::ApiKey>(key) != protocol::ApiKey::api_versions || version >= 3;
  });
  switch (static_cast<protocol::ApiKey>(header.api_key)) {
    case protocol::ApiKey::produce:
      return produce(connection, in, header.correlation_id, frame);
    case protocol::ApiKey::fetch:
      return fetch(connection, in, header.correlation_id);
    default:
      return answer_seldom(topics_, endpoint_, header, in, connection.out);
  }
}

bool FloorServer::send_answers(FloorConnection& connection) {
  Bytes& out = connection.out;
  const std::size_t end = connection.gates.empty() ? out.size() : connection.gates.front().begin;
  while (connection.sent < end) {
    const int flags = MSG_NOSIGNAL | (connection.slice_left > 0 && end == out.size() ? MSG_MORE : 0);
    const ssize_t sent =
        ::send(connection.descriptor, out.data() + connection.sent, end - connection.sent, flags);
    if (sent < 0) {
      if (!would_block()) close(connection);
      return false;
    }
    connection.sent += static_cast<std::size_t>(sent);
  }
  if (connection.sent == out.size()) {
    out.clear();
    connection.sent = 0;
    return send_slice(connection);
  }
  if (connection.sent > kSentKeptMax) {
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(connection.sent));
    for (FloorConnection::Gate& gate : connection.gates) gate.begin -= connection.sent;
    connection.sent = 0;
  }
  return true;
}

bool FloorServer::send_slice(FloorConnection& connection) {
  while (connection.slice_left > 0 || connection.tail_left > 0) {
    const ssize_t sent = connection.slice_left > 0
                             ? ::sendfile(connection.descriptor, connection.slice_descriptor,
                                          &connection.slice_position, connection.slice_left)
                             : ::send(connection.descriptor, kTail, connection.tail_left, MSG_NOSIGNAL);
    if (sent <= 0) {
      if (sent == 0 || !would_block()) close(connection);
      return false;
    }
    std::size_t& left = connection.slice_left > 0 ? connection.slice_left : connection.tail_left;
    left -= static_cast<std::size_t>(sent);
  }
  return true;
}

void FloorServer::take_flushed() {
  std::uint64_t rounds = 0;
  must(::read(flusher_.wake_descriptor(), &rounds, sizeof rounds) == sizeof rounds, "eventfd");
  const std::uint64_t done = flusher_.done();
  std::vector<FloorConnection*> gated;
  gated.swap(gated_);
  for (FloorConnection* connection : gated) {
    if (connection->is_closed) continue;
    auto& gates = connection->gates;
    const auto waits = [done](const FloorConnection::Gate& gate) { return gate.hand_over > done; };
    gates.erase(gates.begin(), std::find_if(gates.begin(), gates.end(), waits));
    if (!gates.empty()) gated_.push_back(connection);
    serve(*connection);
  }
  answer_woken();
}

}  // namespace sillok::bench
