// Where a broker listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace sillok::client {

inline constexpr std::uint16_t kDefaultPort = 9092;

struct Endpoint {
  std::string host;
  std::uint16_t port = kDefaultPort;
  std::string socket_name = {};  // of a Unix domain socket: "/path" or "@name"; empty: host and port count

  bool is_unix() const { return !socket_name.empty(); }
  bool operator==(const Endpoint&) const = default;
  std::string to_string() const;  // an IPv6 literal in brackets
};

// "host", "host:port", "[::1]:port", "unix:///path", "unix://@name", or several of these with commas between.
Result<std::vector<Endpoint>> parse_endpoints(std::string_view text);

}  // namespace sillok::client
