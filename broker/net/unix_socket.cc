#include "broker/net/unix_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "protocol/base/unix_address.h"

namespace sillok::broker {
namespace {

constexpr std::chrono::seconds kFolderLockWait{5};
constexpr std::chrono::milliseconds kFolderLockRetryDelay{20};

Error fault(const std::string& name, const std::string& what) {
  return {Errc::invalid_config, fmt::format("listener unix://{}: {}", name, what)};
}

Error failed(const std::string& name, const char* step) {
  return fault(name, fmt::format("{}: {}", step, std::strerror(errno)));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int value() const { return value_; }
  bool is_open() const { return value_ >= 0; }

 private:
  int value_;
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Holds others of our kind off while one looks at a file, removes it and makes its own: two that start at a
// time must not both take a third one's file for a dead one.
Result<Descriptor> lock_folder(const std::string& path) {
  Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return failed(path, "its folder");
  const auto deadline = std::chrono::steady_clock::now() + kFolderLockWait;
  while (::flock(folder.value(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failed(path, "locking its folder");
    if (std::chrono::steady_clock::now() >= deadline)
      return fault(path, "its folder is locked by another process");
    std::this_thread::sleep_for(kFolderLockRetryDelay);
  }
  return folder;
}

// Nothing where nobody listens at the socket file that is there.
Result<void> check_unused(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? Result<void>() : failed(path, "stat");
  if (!S_ISSOCK(found.st_mode)) return fault(path, "there is a file that is no socket; it is left alone");
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return failed(path, "socket");
  const UnixSocketAddress address = unix_socket_address(path);
  if (::connect(probe.value(), address.pointer(), address.size) == 0) {
    const auto listener = peer_credentials(probe.value());
    if (!listener || listener->pid == 0) return fault(path, "in use by another process");
    return fault(path, fmt::format("in use by process {}", listener->pid));
  }
  if (errno == ECONNREFUSED || errno == ENOENT) return {};
  if (errno == EAGAIN) return fault(path, "in use by another process");
  return failed(path, "asking whether it is in use");
}

}  // namespace

Result<std::unique_ptr<UnixSocketPlace>> UnixSocketPlace::listen(int socket, const std::string& name,
                                                                 mode_t mode, int backlog) {
  if (!is_abstract_unix_name(name)) return listen_at_path(socket, name, mode, backlog);
  const UnixSocketAddress address = unix_socket_address(name);
  if (::bind(socket, address.pointer(), address.size) != 0) return failed(name, "bind");
  if (::listen(socket, backlog) != 0) return failed(name, "listen");
  return std::unique_ptr<UnixSocketPlace>(new UnixSocketPlace("", 0, 0));
}

Result<std::unique_ptr<UnixSocketPlace>> UnixSocketPlace::listen_at_path(int socket, const std::string& path,
                                                                         mode_t mode, int backlog) {
  const Descriptor lock = TRY(lock_folder(path));
  const UnixSocketAddress address = unix_socket_address(path);
  if (::bind(socket, address.pointer(), address.size) != 0) {
    if (errno != EADDRINUSE) return failed(path, "bind");
    TRY(check_unused(path));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return failed(path, "removing what a dead server left");
    if (::bind(socket, address.pointer(), address.size) != 0) return failed(path, "bind");
  }
  struct stat made{};
  if (::lstat(path.c_str(), &made) != 0) return failed(path, "stat");
  std::unique_ptr<UnixSocketPlace> place(new UnixSocketPlace(path, made.st_dev, made.st_ino));
  if (::chmod(path.c_str(), mode) != 0) return failed(path, "chmod");
  if (::listen(socket, backlog) != 0) return failed(path, "listen");
  return place;
}

UnixSocketPlace::~UnixSocketPlace() {
  if (path_.empty()) return;
  // Where the folder cannot be locked, the look alone must do.
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) (void)::flock(folder.value(), LOCK_EX | LOCK_NB);
  struct stat found{};
  if (::lstat(path_.c_str(), &found) != 0 || found.st_dev != device_ || found.st_ino != inode_) return;
  (void)::unlink(path_.c_str());
}

std::optional<PeerCredentials> peer_credentials(int socket) {
  ucred found{};
  socklen_t size = sizeof found;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &size) != 0) return std::nullopt;
  return PeerCredentials{found.pid, found.uid, found.gid};
}

}  // namespace sillok::broker
