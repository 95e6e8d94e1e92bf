#include "bench/load_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sillok::bench {
namespace {

constexpr timeval kBlockingTimeout{120, 0};

Error lost(const char* what) {
  return Error{Errc::connection_lost, fmt::format("{}: {}", what, strerror(errno))};
}

Result<void> send_all(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return lost("send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> receive_all(int descriptor, MutableByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t received = ::recv(descriptor, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received == 0) return Error{Errc::connection_lost, "the server closed the connection"};
    if (received < 0) return lost("recv");
    bytes = bytes.subspan(static_cast<std::size_t>(received));
  }
  return {};
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Socket> connect_to(const Endpoint& endpoint, Blocking blocking) {
  const SocketAddress address = address_of(endpoint);
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.descriptor() < 0) return lost("socket");
  const int one = 1;
  if (!endpoint.is_unix()) ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &kBlockingTimeout, sizeof kBlockingTimeout);
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &kBlockingTimeout, sizeof kBlockingTimeout);
  if (::connect(socket.descriptor(), address.pointer(), address.size) != 0) return lost("connect");
  if (blocking == Blocking::no) {
    const int flags = ::fcntl(socket.descriptor(), F_GETFL);
    ::fcntl(socket.descriptor(), F_SETFL, flags | O_NONBLOCK);
  }
  return socket;
}

Result<void> round_trip(Socket& socket, ByteView request, Bytes& response) {
  TRY(send_all(socket.descriptor(), request));
  std::byte size_bytes[protocol::kFrameSizeBytes];
  TRY(receive_all(socket.descriptor(), size_bytes));
  const auto size = load_big_endian<std::int32_t>(size_bytes);
  if (size < 4 || static_cast<std::size_t>(size) > kResponseBytesMax) {
    return Error{Errc::malformed, fmt::format("an answer of {} bytes", size)};
  }
  response.resize(static_cast<std::size_t>(size));
  return receive_all(socket.descriptor(), response);
}

}  // namespace sillok::bench
