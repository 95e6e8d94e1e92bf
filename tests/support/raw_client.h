// A client of bare frames, for tests of what is on the wire.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "protocol/base/unix_address.h"
#include "protocol/frame.h"

namespace sillok::tests {

// Blocking, with a limit of 30 s on every wait.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  // By the "/path" or "@name" of a Unix domain socket.
  explicit RawClient(std::string_view socket_name)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const UnixSocketAddress address = unix_socket_address(socket_name);
    connect_to(address.pointer(), address.size);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send_bytes(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the test looks at what comes back
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }
  void send_text(std::string_view text) { send_bytes(as_bytes(text)); }

  template <protocol::Message Request>
  static Bytes frame(const Request& request, protocol::Version version, std::int32_t correlation_id) {
    Bytes bytes;
    REQUIRE(
        protocol::encode_request_frame(
            bytes, request, {static_cast<std::int16_t>(Request::kKey), version, correlation_id, "raw-client"})
            .ok());
    return bytes;
  }
  template <protocol::Message Request>
  void send(const Request& request, protocol::Version version, std::int32_t correlation_id) {
    send_bytes(frame(request, version, correlation_id));
  }

  // The next frame without its size; nullopt where the server closed the connection.
  std::optional<Bytes> receive() {
    Bytes size(4);
    if (!receive_exactly(size)) return std::nullopt;
    const auto count = load_big_endian<std::int32_t>(size.data());
    REQUIRE(count >= 4);
    Bytes bytes(static_cast<std::size_t>(count));
    REQUIRE(receive_exactly(bytes));
    return bytes;
  }

  // The next answer, whose correlation id must be this. The views in it live in `kept`.
  template <protocol::Message Response>
  Response receive(protocol::Version version, std::int32_t correlation_id, Bytes& kept) {
    auto bytes = receive();
    REQUIRE(bytes.has_value());
    kept = *std::move(bytes);
    protocol::Decoder in(kept);
    CHECK(in.integer<std::int32_t>() == correlation_id);
    if (protocol::response_header_is_flexible<Response>(version)) protocol::skip_tagged_fields(in);
    Response response;
    REQUIRE(protocol::decode(in, response, version).ok());
    return response;
  }

  bool is_closed_by_server() {
    char byte = 0;
    const ssize_t got = ::recv(socket_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  void connect_to(const sockaddr* address, socklen_t size) {
    REQUIRE(::connect(socket_, address, size) == 0);
    const timeval limit{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  bool receive_exactly(MutableByteView into) {
    while (!into.empty()) {
      const ssize_t got = ::recv(socket_, into.data(), into.size(), 0);
      if (got <= 0) return false;
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return true;
  }

  int socket_;
};

}  // namespace sillok::tests
