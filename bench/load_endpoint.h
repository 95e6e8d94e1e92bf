// Where a load goes and the floor listens: an address of the loopback or a Unix domain socket, and no other.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "protocol/base/result.h"

namespace sillok::bench {

struct Endpoint {
  std::string host;  // an IPv4 or IPv6 literal of the loopback
  std::uint16_t port = 9092;
  std::string socket_name = {};  // of a Unix domain socket: "/path" or "@name"; empty: host and port count

  bool is_unix() const { return !socket_name.empty(); }
};

// "host:port" of a loopback address, "unix:///path" or "unix://@name"; or why not.
Result<Endpoint> parse_local(const std::string& text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
// Requires: an endpoint that parse_local() gave.
SocketAddress address_of(const Endpoint& endpoint);

}  // namespace sillok::bench
