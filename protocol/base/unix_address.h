// Addresses of Unix domain sockets, as people write them: "unix:///run/sillok.sock", or "unix://@sillok" for
// an abstract one, which has no file.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sillok {

inline constexpr std::string_view kUnixScheme = "unix://";
// What the kernel has room for, less a zero at the end of a path or in front of an abstract name.
inline constexpr std::size_t kUnixNameMax = sizeof(sockaddr_un::sun_path) - 1;

// Whether the text begins with the scheme, in whatever case.
bool is_unix_address(std::string_view text);
// What follows the scheme: the absolute path, or '@' and a name. Requires: is_unix_address(text).
std::string_view unix_name_of(std::string_view text);
inline bool is_abstract_unix_name(std::string_view name) { return name.starts_with('@'); }

// Why `name` cannot be that of a socket ("is longer than 107 bytes"); nullopt where it can.
std::optional<std::string> unix_name_fault(std::string_view name);

struct UnixSocketAddress {
  sockaddr_un storage{};
  socklen_t size = 0;

  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
// Requires: a name without a fault.
UnixSocketAddress unix_socket_address(std::string_view name);

}  // namespace sillok
