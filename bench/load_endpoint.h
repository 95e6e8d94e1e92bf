// Where a load goes and the floor listens: an address of the loopback, and no other.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "protocol/base/result.h"

namespace sillok::bench {

struct Endpoint {
  std::string host;  // an IPv4 or IPv6 literal of the loopback
  std::uint16_t port = 9092;
};

// "host:port" of a loopback address, or why not.
Result<Endpoint> parse_loopback(const std::string& text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
// Requires: an endpoint that parse_loopback() gave.
SocketAddress address_of(const Endpoint& endpoint);

}  // namespace sillok::bench
