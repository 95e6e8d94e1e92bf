#include "storage/posix_file_system.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "storage/blocking_guard.h"
#include "storage/posix_file.h"
#include "tests/support/temp_dir.h"

namespace sillok::storage {
namespace {

using tests::TempDir;

// Runs it in a process of its own. True where it ended by abort().
template <class Body>
bool aborts(Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGABRT, SIG_DFL);  // without Catch2's report
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    body();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("posix errors: name call, path and reason, and are told apart where callers must") {
  const Error error = posix_error("pwritev", "/data/a", ENOSPC);
  REQUIRE(error.code == Errc::no_space);
  REQUIRE(error.detail == "pwritev /data/a: No space left on device");
  REQUIRE(posix_error("", "", EDQUOT).code == Errc::no_space);
  REQUIRE(posix_error("", "", EMFILE).code == Errc::too_many_files);
  REQUIRE(posix_error("", "", ENFILE).code == Errc::too_many_files);
  REQUIRE(posix_error("", "", ENOENT).code == Errc::not_found);
  REQUIRE(posix_error("", "", EEXIST).code == Errc::already_exists);
  REQUIRE(posix_error("", "", EAGAIN).code == Errc::would_block);
  REQUIRE(posix_error("", "", EIO).code == Errc::io_error);
  REQUIRE(posix_error("", "", EACCES).code == Errc::io_error);
}

TEST_CASE("posix file: cold bytes are not resident until they are brought in") {
  const TempDir directory;
  const auto file_system = make_posix_file_system();
  const auto file = file_system->open(directory.path("a"), OpenMode::create).value();
  constexpr std::size_t kSize = 1 << 20;
  const std::string text(kSize, 'x');
  const ByteView part = as_bytes(text);
  REQUIRE(file->write_at(FilePosition(0), {&part, 1}).ok());
  REQUIRE(file->sync_data().ok());
  REQUIRE(::posix_fadvise(*file->descriptor(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  Bytes out(4096);
  struct statfs kind{};
  REQUIRE(::statfs(directory.path().c_str(), &kind) == 0);
  if (kind.f_type == TMPFS_MAGIC) {
    WARN("the directory for temporary files is in memory: nothing is ever cold there");
    return;
  }
  REQUIRE_FALSE(file->is_resident(FilePosition(0), kSize));
  REQUIRE(file->read_resident_at(FilePosition(kSize - 4096), out).error().code == Errc::would_block);
  REQUIRE(file->make_resident(FilePosition(0), kSize).ok());
  REQUIRE(file->is_resident(FilePosition(0), kSize));
  REQUIRE(file->is_resident(FilePosition(0), kSize, RangeEnd::read_just_now));
  REQUIRE(file->read_resident_at(FilePosition(kSize - 4096), out).value() == 4096);
  file->give_back(FilePosition(0), kSize / 2);
  REQUIRE_FALSE(file->is_resident(FilePosition(0), kSize, RangeEnd::read_just_now));
  REQUIRE(file->is_resident(FilePosition(kSize / 2), kSize / 2));
}

TEST_CASE("posix file: its bytes can be had by the descriptor, which a child does not inherit") {
  const TempDir directory;
  const auto file = make_posix_file_system()->open(directory.path("a"), OpenMode::create).value();
  REQUIRE(file->descriptor().has_value());
  REQUIRE((::fcntl(*file->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("posix file: a write that the system cuts short goes on, until an error says why") {
  const TempDir directory;
  const auto file = make_posix_file_system()->open(directory.path("a"), OpenMode::create).value();
  const std::string first(3000, 'a');
  const std::string second(3000, 'b');
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit file_size{4000, 4000};
    ::setrlimit(RLIMIT_FSIZE, &file_size);
    ::signal(SIGXFSZ, SIG_IGN);
    const ByteView parts[] = {as_bytes(first), as_bytes(second)};
    const auto written = file->write_at(FilePosition(0), parts);
    ::_exit(!written.ok() && written.error().code == Errc::io_error ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(file->size().value() == FilePosition(4000));
}

TEST_CASE("posix lock: keeps out other processes, and their fcntl locks as Kafka takes them") {
  const TempDir directory;
  const auto file_system = make_posix_file_system();
  const std::string path = directory.path(".lock");
  const auto lock = file_system->lock(path).value();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    struct flock request{};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    const int file = ::open(path.c_str(), O_RDWR);
    ::_exit(::fcntl(file, F_SETLK, &request) == 0 ? 1 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
}

TEST_CASE("posix file system: removing a directory tree does not follow links out of it") {
  const TempDir directory;
  const auto file_system = make_posix_file_system();
  REQUIRE(file_system->make_directory(directory.path("outside")).ok());
  REQUIRE(replace_file(*file_system, directory.path("outside/a"), "text").ok());
  REQUIRE(file_system->make_directory(directory.path("tree")).ok());
  REQUIRE(::symlink(directory.path("outside").c_str(), directory.path("tree/link").c_str()) == 0);
  REQUIRE(file_system->list_directory(directory.path("tree")).value().at(0).is_directory);
  REQUIRE(file_system->remove_directory_tree(directory.path("tree")).ok());
  REQUIRE(file_system->exists(directory.path("outside/a")).value());
}

TEST_CASE("blocking guard: aborts calls that may wait for the disk, where they are forbidden") {
  const TempDir directory;
  const auto file_system = make_posix_file_system();
  const auto file = file_system->open(directory.path("a"), OpenMode::create).value();
  const ByteView part = as_bytes("text");

  REQUIRE(aborts([&] {
    abort_on_forbidden_blocking(true);
    const ForbidBlocking here;
    (void)file->sync_data();
  }));
  REQUIRE(aborts([&] {
    abort_on_forbidden_blocking(true);
    const ForbidBlocking here;
    Bytes out(4);
    (void)file->read_at(FilePosition(0), out);
  }));
  // Buffered writes, and reads that would not wait.
  REQUIRE_FALSE(aborts([&] {
    abort_on_forbidden_blocking(true);
    const ForbidBlocking here;
    Bytes out(4);
    (void)file->write_at(FilePosition(0), {&part, 1});
    (void)file->reserve(FilePosition(0), 1 << 20);
    (void)file->read_resident_at(FilePosition(0), out);
    (void)file->is_resident(FilePosition(0), 4);
    (void)file->size();
  }));
  // Only within the scope, and only if it is switched on.
  REQUIRE_FALSE(aborts([&] {
    abort_on_forbidden_blocking(true);
    {
      const ForbidBlocking here;
    }
    (void)file->sync_data();
  }));
  REQUIRE_FALSE(aborts([&] {
    const ForbidBlocking here;
    (void)file->sync_data();
  }));
}

}  // namespace sillok::storage
