#include "bench/load_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

#include "protocol/base/unix_address.h"

namespace sillok::bench {
namespace {

constexpr std::uint32_t kLoopbackNet = 127;

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

}  // namespace

Result<Endpoint> parse_local(const std::string& text) {
  if (is_unix_address(text)) {
    const std::string name(unix_name_of(text));
    if (const auto wrong = unix_name_fault(name)) return bad("'" + text + "': it " + *wrong);
    return Endpoint{"", 0, name};
  }
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
  return bad("'" + text + "': a load goes to 127.0.0.0/8, [::1] or unix:///PATH only");
}

SocketAddress address_of(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.is_unix()) {
    const UnixSocketAddress local = unix_socket_address(endpoint.socket_name);
    std::memcpy(&address.storage, &local.storage, sizeof local.storage);
    address.size = local.size;
    return address;
  }
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
