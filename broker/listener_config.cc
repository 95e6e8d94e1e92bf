#include "broker/listener_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "broker/setting_value.h"
#include "protocol/base/unix_address.h"

namespace sillok::broker {
namespace {

constexpr std::size_t kListenersMax = 64;
// Kafka's, and one of our own.
constexpr std::array<std::string_view, 5> kProtocols = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL",
                                                        "UNIX"};

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

bool is_ipv4(std::string_view host) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view host) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

bool is_any_address(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool is_host_name(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '%' || c == ':';
  });
}

struct Endpoint {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
};

// "NAME://host:port", "NAME://[ipv6]:port"; the host may be empty.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  if (colon < scheme + 3) return std::nullopt;
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535) return std::nullopt;
  std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return std::nullopt;
  } else if (host.find(':') != std::string_view::npos && !is_ipv6(host)) {
    return std::nullopt;
  }
  if (!is_host_name(host)) return std::nullopt;
  return Endpoint{upper_case(text.substr(0, scheme)), std::string(host), static_cast<std::uint16_t>(*port)};
}

class Resolver {
 public:
  Resolver(const ListenerSettings& settings, std::vector<SettingFault>& faults,
           std::vector<std::string>& notes)
      : settings_(settings), faults_(faults), notes_(notes) {}

  std::vector<Listener> resolve() {
    read_protocol_map();
    const std::string controllers = settings_.controller_listener_names.value_or("");
    for (std::string_view name : parse_list(controllers)) {
      controller_names_.push_back(upper_case(name));
    }
    if (settings_.listeners) {
      read_listeners();
    } else {
      listeners_ = {{"PLAINTEXT", "127.0.0.1", 9092, "", 0, true, false},
                    {"PLAINTEXT", "::1", 9092, "", 0, true, false}};
    }
    read_advertised();
    for (Listener& listener : listeners_) finish(listener);
    return std::move(listeners_);
  }

 private:
  void fault(std::string setting, std::string text) {
    faults_.push_back({std::move(setting), std::move(text)});
  }

  bool is_of_controller(std::string_view name) const {
    return std::ranges::find(controller_names_, name) != controller_names_.end();
  }

  void read_protocol_map() {
    for (std::string_view protocol : kProtocols) protocols_[std::string(protocol)] = protocol;
    const std::string map = settings_.protocol_map.value_or("");
    for (std::string_view entry : parse_list(map)) {
      const std::size_t colon = entry.find(':');
      const std::string protocol =
          colon == std::string_view::npos ? "" : upper_case(trim(entry.substr(colon + 1)));
      if (std::ranges::find(kProtocols, protocol) == kProtocols.end()) {
        fault("listener.security.protocol.map",
              fmt::format("'{}' is not NAME:PROTOCOL with a protocol of Kafka's (PLAINTEXT, SSL, "
                          "SASL_PLAINTEXT, SASL_SSL) or UNIX",
                          entry));
        continue;
      }
      protocols_[upper_case(trim(entry.substr(0, colon)))] = protocol;
    }
  }

  void read_listeners() {
    const auto texts = parse_list(*settings_.listeners);
    if (texts.size() > kListenersMax)
      return fault("listeners", fmt::format("more than {} listeners", kListenersMax));
    for (std::string_view text : texts) {
      if (is_unix(text)) {
        read_unix_listener(text);
        continue;
      }
      const auto endpoint = parse_endpoint(text);
      if (!endpoint) {
        fault("listeners", fmt::format("'{}' is not NAME://host:port, with a port up to 65535", text));
      } else if (is_of_controller(endpoint->name)) {
        notes_.push_back(fmt::format("listeners: {} is left out: there is no Kafka controller here", text));
      } else {
        check_distinct(*endpoint);
        check_protocol(*endpoint);
        listeners_.push_back({endpoint->name, endpoint->host, endpoint->port, "", 0, false, false});
      }
    }
    if (listeners_.empty() && faults_.empty()) fault("listeners", "there is none for clients");
  }

  // What follows "NAME://". Requires: that is there.
  static std::string_view place_of(std::string_view text) { return text.substr(text.find("://") + 3); }

  // Where a listener of this machine's is advertised as it is anyway.
  void check_listens_there(std::string_view text) {
    const auto is_there = [&](const Listener& one) {
      return one.is_unix && one.name == name_of(text) && one.host == place_of(text);
    };
    if (std::ranges::any_of(listeners_, is_there)) return;
    fault("advertised.listeners",
          fmt::format("'{}' is not in listeners: a Unix domain socket is advertised as it is", text));
  }

  static std::string name_of(std::string_view text) { return upper_case(text.substr(0, text.find("://"))); }

  bool is_unix(std::string_view text) const {
    const auto protocol = protocols_.find(name_of(text));
    return protocol != protocols_.end() && protocol->second == "UNIX" &&
           text.find("://") != std::string_view::npos;
  }

  // "NAME:///path" or "NAME://@name". It is this machine's alone, so that it may be without encryption.
  // Several may share a name.
  void read_unix_listener(std::string_view text) {
    const std::string name = name_of(text);
    const std::string place(place_of(text));
    if (const auto wrong = unix_name_fault(place))
      return fault("listeners", fmt::format("{}: '{}' {}", name, place, *wrong));
    const auto is_same_place = [&](const Listener& other) { return other.is_unix && other.host == place; };
    if (std::ranges::any_of(listeners_, is_same_place))
      return fault("listeners", fmt::format("unix://{} is there twice", place));
    listeners_.push_back({name, place, 0, std::string(kUnixScheme) + place, 0, false, true});
  }

  // Names tell advertised addresses apart, so each has one listener, or one of IPv4 and one of IPv6 on the
  // same port.
  void check_distinct(const Endpoint& endpoint) {
    for (const Listener& other : listeners_) {
      const bool same_port = other.port == endpoint.port && endpoint.port != 0;
      if (same_port && other.host == endpoint.host) {
        fault("listeners", fmt::format("{}:{} is there twice", endpoint.host, endpoint.port));
        return;
      }
      const bool is_pair = other.port == endpoint.port && ((is_ipv4(other.host) && is_ipv6(endpoint.host)) ||
                                                           (is_ipv6(other.host) && is_ipv4(endpoint.host)));
      if (other.name == endpoint.name && !is_pair) {
        fault("listeners",
              fmt::format("two listeners are called {}; give the second a name of its own, and that name a "
                          "protocol in listener.security.protocol.map",
                          endpoint.name));
        return;
      }
    }
  }

  void check_protocol(const Endpoint& endpoint) {
    const auto protocol = protocols_.find(endpoint.name);
    if (protocol == protocols_.end()) {
      return fault("listeners",
                   fmt::format("{} is no protocol; say which it has in listener.security.protocol.map",
                               endpoint.name));
    }
    if (protocol->second != "PLAINTEXT") {
      return fault("listeners",
                   fmt::format("{}://{}:{} has protocol {}, which is not available: only PLAINTEXT is",
                               endpoint.name, endpoint.host, endpoint.port, protocol->second));
    }
    if (is_loopback(endpoint.host) || settings_.allow_remote_plaintext) return;
    fault("listeners",
          fmt::format(
              "{}://{}:{} can be reached from other machines, without encryption and without authentication: "
              "listen on 127.0.0.1 or [::1], or set sillok.allow.remote.plaintext=true where everybody who "
              "reaches it may read, write and delete everything",
              endpoint.name, endpoint.host, endpoint.port));
  }

  void read_advertised() {
    if (!settings_.advertised_listeners) return;
    for (std::string_view text : parse_list(*settings_.advertised_listeners)) {
      if (is_unix(text) && !unix_name_fault(place_of(text))) {
        check_listens_there(text);
        continue;
      }
      const auto endpoint = parse_endpoint(text);
      if (!endpoint) {
        fault("advertised.listeners",
              fmt::format("'{}' is not NAME://host:port, with a port up to 65535", text));
        continue;
      }
      if (is_of_controller(endpoint->name)) continue;
      if (endpoint->host.empty() || is_any_address(endpoint->host)) {
        fault("advertised.listeners",
              fmt::format("'{}' names no address that a client could connect to", text));
        continue;
      }
      bool is_known = false;
      for (Listener& listener : listeners_) {
        if (listener.name != endpoint->name) continue;
        is_known = true;
        listener.advertised_host = endpoint->host;
        listener.advertised_port = endpoint->port;
      }
      if (!is_known) {
        fault("advertised.listeners", fmt::format("'{}' has no listener of its name in listeners", text));
      }
    }
  }

  void finish(Listener& listener) {
    if (!listener.advertised_host.empty()) return;
    if (is_any_address(listener.host)) {
      return fault("listeners",
                   fmt::format("{}://{}:{} listens on every address, so advertised.listeners must say which "
                               "one clients are to connect to",
                               listener.name, listener.host, listener.port));
    }
    listener.advertised_host = listener.host.empty() ? own_host_name() : listener.host;
    listener.advertised_port = listener.port;
  }

  static std::string own_host_name() {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0) return "localhost";
    return name;
  }

  const ListenerSettings& settings_;
  std::vector<SettingFault>& faults_;
  std::vector<std::string>& notes_;
  std::map<std::string, std::string, std::less<>> protocols_;
  std::vector<std::string> controller_names_;
  std::vector<Listener> listeners_;
};

}  // namespace

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  in_addr address{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) == 1)
    return (ntohl(address.s_addr) >> 24) == 127;
  in6_addr address6{};
  if (inet_pton(AF_INET6, std::string(host).c_str(), &address6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&address6) != 0;
}

std::vector<Listener> resolve_listeners(const ListenerSettings& settings, std::vector<SettingFault>& faults,
                                        std::vector<std::string>& notes) {
  return Resolver(settings, faults, notes).resolve();
}

}  // namespace sillok::broker
