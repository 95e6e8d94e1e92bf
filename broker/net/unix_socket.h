// Listening on a Unix domain socket: whose its file is, and who connects to it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "protocol/base/result.h"

namespace sillok::broker {

// The place that a socket listens at, for as long as this lives. An abstract one is the kernel's to give up;
// the file of a path is removed with this, unless another one stands there by then.
//
// Threading: one thread.
// Failure: Errc::invalid_config with the address and what to do. A file that somebody else listens at, and
// one
//   that is no socket, are left alone.
class UnixSocketPlace {
 public:
  // Binds `socket` to `name`, and listens. Nobody can connect before the file has its mode. A file that
  // nobody listens at any more, as a server leaves it that was killed, is replaced. Requires: a name without
  // a fault (protocol/base/unix_address.h); the socket is an AF_UNIX stream.
  static Result<std::unique_ptr<UnixSocketPlace>> listen(int socket, const std::string& name, mode_t mode,
                                                         int backlog);
  ~UnixSocketPlace();
  UnixSocketPlace(const UnixSocketPlace&) = delete;
  UnixSocketPlace& operator=(const UnixSocketPlace&) = delete;

 private:
  UnixSocketPlace(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}
  static Result<std::unique_ptr<UnixSocketPlace>> listen_at_path(int socket, const std::string& path,
                                                                 mode_t mode, int backlog);

  const std::string path_;  // empty: an abstract one
  const dev_t device_;
  const ino_t inode_;
};

// Of the process at the other end, at the time it connected (or listened).
struct PeerCredentials {
  pid_t pid;  // 0 where it is not to be seen from this process's namespace
  uid_t uid;
  gid_t gid;
};
std::optional<PeerCredentials> peer_credentials(int socket);

}  // namespace sillok::broker
