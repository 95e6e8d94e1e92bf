#include "bench/load_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace sillok::bench {
namespace {

constexpr std::uint32_t kLoopbackNet = 127;

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

}  // namespace

Result<Endpoint> parse_loopback(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad("'" + text + "': HOST:PORT is expected");
  Endpoint endpoint;
  endpoint.host = text.substr(0, colon);
  if (endpoint.host.size() > 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (parsed.ec != std::errc() || parsed.ptr != end || endpoint.port == 0)
    return bad("'" + text + "': bad port");
  in_addr four{};
  if (inet_pton(AF_INET, endpoint.host.c_str(), &four) == 1) {
    if ((ntohl(four.s_addr) >> 24) == kLoopbackNet) return endpoint;
  } else if (endpoint.host == "::1") {
    return endpoint;
  }
  return bad("'" + text + "': a load goes to 127.0.0.0/8 or [::1] only");
}

SocketAddress address_of(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.host == "::1") {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(endpoint.port);
    six.sin6_addr = in6addr_loopback;
    std::memcpy(&address.storage, &six, sizeof six);
    address.size = sizeof six;
    return address;
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(endpoint.port);
  SILLOK_CHECK(inet_pton(AF_INET, endpoint.host.c_str(), &four.sin_addr) == 1);
  std::memcpy(&address.storage, &four, sizeof four);
  address.size = sizeof four;
  return address;
}

}  // namespace sillok::bench
