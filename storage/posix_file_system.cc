#include "storage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/blocking_guard.h"
#include "storage/posix_file.h"

namespace sillok::storage {
namespace {

constexpr mode_t kFileMode = 0644;  // less the umask
constexpr mode_t kDirectoryMode = 0755;
// A roll makes five files, and a checkpoint two at a time.
constexpr fsfilcnt_t kFreeInodesMin = 64;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

int open_retrying(const std::string& path, int flags) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::open_or_create:
      return O_RDWR | O_CREAT;
  }
  CHECK(false);
}

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int descriptor) : descriptor_(descriptor) {}

 private:
  Descriptor descriptor_;  // the lock is its open file description's, and goes with it
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override {
    // A new file is made in memory, and is as much or little of a wait as the buffered writes that follow.
    if (mode != OpenMode::create) about_to_block("open");
    const int descriptor = open_retrying(path, open_flags(mode));
    if (descriptor < 0) return posix_error("open", path, errno);
    return make_posix_file(descriptor, path);
  }

  Result<void> make_directory(const std::string& path) override {
    about_to_block("make_directory");
    if (::mkdir(path.c_str(), kDirectoryMode) != 0) return posix_error("mkdir", path, errno);
    return {};
  }

  Result<void> make_directories(const std::string& path) override {
    about_to_block("make_directories");
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) return posix_error("mkdir", path, failure.value());
    return {};
  }

  Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) override {
    about_to_block("list_directory");
    const auto close_directory = [](DIR* directory) { ::closedir(directory); };
    const std::unique_ptr<DIR, decltype(close_directory)> directory(::opendir(path.c_str()), close_directory);
    if (!directory) return posix_error("opendir", path, errno);
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      const std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), is_directory(::dirfd(directory.get()), *entry)});
    }
    if (errno != 0) return posix_error("readdir", path, errno);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    about_to_block("rename");
    if (::rename(from.c_str(), to.c_str()) != 0) return posix_error("rename", from + " -> " + to, errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    about_to_block("remove");
    if (::unlink(path.c_str()) != 0) return posix_error("unlink", path, errno);
    return {};
  }

  Result<void> remove_directory_tree(const std::string& path) override {
    about_to_block("remove_directory_tree");
    std::error_code failure;
    std::filesystem::remove_all(path, failure);
    if (failure) return posix_error("remove_all", path, failure.value());
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    about_to_block("sync_directory");
    const Descriptor directory(open_retrying(path, O_RDONLY | O_DIRECTORY));
    if (directory.value() < 0) return posix_error("open", path, errno);
    for (;;) {
      if (::fsync(directory.value()) == 0) return {};
      if (errno != EINTR) return posix_error("fsync", path, errno);
    }
  }

  Result<bool> exists(const std::string& path) override {
    about_to_block("exists");
    struct stat status;
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return posix_error("stat", path, errno);
  }

  Result<FileStatus> status(const std::string& path) override {
    about_to_block("status");
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return posix_error("stat", path, errno);
    if (!S_ISREG(status.st_mode)) return Error{Errc::io_error, path + " is not a file"};
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
      return posix_error("access", path, errno);
    return FileStatus{FilePosition(status.st_size),
                      TimestampMs{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000};
  }

  Result<SpaceUse> space(const std::string& path) override {
    about_to_block("space");
    struct statvfs status;
    if (::statvfs(path.c_str(), &status) != 0) return posix_error("statvfs", path, errno);
    // Some file systems have a fixed number of inodes (others say 0), and are full without them.
    const bool has_inodes = status.f_files == 0 || status.f_favail >= kFreeInodesMin;
    return SpaceUse{has_inodes ? static_cast<ByteCount>(status.f_bavail * status.f_frsize) : 0,
                    static_cast<ByteCount>(status.f_blocks * status.f_frsize)};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    about_to_block("lock");
    Descriptor file(open_retrying(path, O_RDWR | O_CREAT));
    if (file.value() < 0) return posix_error("open", path, errno);
    // Of the open file description: unlike a lock of the process, it also holds against this process, and
    // does not end when some other descriptor of the file is closed. It conflicts with the lock that Kafka
    // takes all the same.
    struct flock request{};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    if (::fcntl(file.value(), F_OFD_SETLK, &request) != 0) {
      if (errno == EAGAIN || errno == EACCES)
        return Error{Errc::lock_held, path + " is locked by another process"};
      return posix_error("fcntl", path, errno);
    }
    std::unique_ptr<FileLock> held = std::make_unique<PosixFileLock>(file.release());
    return held;
  }

 private:
  static bool is_directory(int parent, const dirent& entry) {
    if (entry.d_type == DT_DIR) return true;
    if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return false;
    struct stat status;
    return ::fstatat(parent, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() { return std::make_unique<PosixFileSystem>(); }

}  // namespace sillok::storage
