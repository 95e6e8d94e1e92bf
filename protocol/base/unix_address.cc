#include "protocol/base/unix_address.h"

#include <algorithm>
#include <cstring>

#include "protocol/base/check.h"

namespace sillok {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_unix_address(std::string_view text) {
  return text.size() >= kUnixScheme.size() &&
         std::equal(kUnixScheme.begin(), kUnixScheme.end(), text.begin(),
                    [](char expected, char given) { return expected == lower(given); });
}

std::string_view unix_name_of(std::string_view text) {
  CHECK(is_unix_address(text));
  return text.substr(kUnixScheme.size());
}

std::optional<std::string> unix_name_fault(std::string_view name) {
  if (!name.starts_with('/') && !is_abstract_unix_name(name))
    return "is neither an absolute path nor '@' and a name";
  if (name.size() == 1) return "names nothing";
  if (name.ends_with('/')) return "is a folder";
  // An abstract name has its zero where '@' stands here.
  const std::size_t size = is_abstract_unix_name(name) ? name.size() - 1 : name.size();
  if (size > kUnixNameMax)
    return "is longer than " + std::to_string(kUnixNameMax) + " bytes, which is all that the kernel takes";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(name, is_control)) return "has a control character in it";
  return std::nullopt;
}

UnixSocketAddress unix_socket_address(std::string_view name) {
  CHECK(!unix_name_fault(name));
  UnixSocketAddress address;
  address.storage.sun_family = AF_UNIX;
  std::memcpy(address.storage.sun_path, name.data(), name.size());
  std::size_t size = offsetof(sockaddr_un, sun_path) + name.size();
  if (is_abstract_unix_name(name)) {
    address.storage.sun_path[0] = '\0';
  } else {
    ++size;
  }
  address.size = static_cast<socklen_t>(size);
  return address;
}

}  // namespace sillok
