#include "client/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "protocol/base/unix_address.h"

namespace sillok::client {
namespace {

Error bad(std::string_view text) {
  return Error{Errc::invalid_argument, fmt::format("'{}' is not HOST:PORT", text)};
}

Result<Endpoint> parse_one(std::string_view text) {
  Endpoint endpoint;
  if (is_unix_address(text)) {
    endpoint.socket_name = unix_name_of(text);
    const auto wrong = unix_name_fault(endpoint.socket_name);
    if (wrong)
      return Error{Errc::invalid_argument, fmt::format("'{}': '{}' {}", text, endpoint.socket_name, *wrong)};
    endpoint.port = 0;
    return endpoint;
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return bad(text);
    endpoint.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return bad(text);
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    endpoint.host = text;  // a bare IPv6 literal
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    endpoint.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (endpoint.host.empty()) return bad(text);
  if (port.empty()) return endpoint;
  port.remove_prefix(1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || endpoint.port == 0)
    return bad(text);
  return endpoint;
}

}  // namespace

std::string Endpoint::to_string() const {
  if (is_unix()) return fmt::format("{}{}", kUnixScheme, socket_name);
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) endpoints.push_back(TRY(parse_one(one)));
  }
  if (endpoints.empty()) return Error{Errc::invalid_argument, "no broker is named"};
  return endpoints;
}

}  // namespace sillok::client
