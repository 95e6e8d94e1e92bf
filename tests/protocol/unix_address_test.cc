#include "protocol/base/unix_address.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace sillok {
namespace {

TEST_CASE("unix address: the scheme is known in any case, and a name follows it") {
  CHECK(is_unix_address("unix:///run/a.sock"));
  CHECK(is_unix_address("UNIX://@a"));
  CHECK_FALSE(is_unix_address("unix:/run/a.sock"));
  CHECK_FALSE(is_unix_address("localhost:9092"));
  CHECK_FALSE(is_unix_address(""));
  CHECK(unix_name_of("Unix:///run/a.sock") == "/run/a.sock");
}

TEST_CASE("unix address: what cannot be a socket's name is told why") {
  CHECK_FALSE(unix_name_fault("/run/a.sock"));
  CHECK_FALSE(unix_name_fault("@a"));
  for (const char* wrong : {"", "run/a.sock", "/", "@", "/run/", "/a\nb"}) {
    INFO(wrong);
    CHECK(unix_name_fault(wrong));
  }
}

TEST_CASE("unix address: the longest name that the kernel takes is taken, and no longer one") {
  CHECK_FALSE(unix_name_fault("/" + std::string(106, 'a')));
  CHECK(unix_name_fault("/" + std::string(107, 'a')));
  CHECK_FALSE(unix_name_fault("@" + std::string(107, 'a')));
  CHECK(unix_name_fault("@" + std::string(108, 'a')));
}

TEST_CASE("unix address: a path ends with a zero, an abstract name begins with one") {
  const UnixSocketAddress path = unix_socket_address("/a/b");
  CHECK(path.size == offsetof(sockaddr_un, sun_path) + 5);
  CHECK(std::memcmp(path.storage.sun_path, "/a/b\0", 5) == 0);
  const UnixSocketAddress name = unix_socket_address("@a");
  CHECK(name.size == offsetof(sockaddr_un, sun_path) + 2);
  CHECK(std::memcmp(name.storage.sun_path, "\0a", 2) == 0);
}

}  // namespace
}  // namespace sillok
