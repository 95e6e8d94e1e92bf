// What every file system must do, shown on all of them.
#include "storage/file_system.h"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/posix_file_system.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/temp_dir.h"

namespace sillok::storage {
namespace {

using tests::FaultFileSystem;
using tests::MemFileSystem;
using tests::TempDir;

// One of the file systems, and an empty directory in it.
struct Backend {
  std::unique_ptr<TempDir> temp;
  std::unique_ptr<FileSystem> inner;
  std::unique_ptr<FileSystem> file_system;
  std::string directory;

  FileSystem* operator->() const { return file_system.get(); }
  std::string path(std::string_view name) const { return join_path(directory, name); }
};

Backend make_backend(const std::string& name) {
  Backend backend;
  if (name == "posix") {
    backend.temp = std::make_unique<TempDir>();
    backend.directory = backend.temp->path();
    backend.file_system = make_posix_file_system();
    return backend;
  }
  backend.directory = "/data";
  backend.file_system = std::make_unique<MemFileSystem>();
  if (name == "fault") {
    backend.inner = std::move(backend.file_system);
    backend.file_system = std::make_unique<FaultFileSystem>(*backend.inner);
  }
  backend->make_directory(backend.directory).value();
  return backend;
}

#define FOR_EACH_BACKEND()                                                                  \
  const std::string backend_name = GENERATE(as<std::string>{}, "posix", "memory", "fault"); \
  INFO("file system " << backend_name);                                                     \
  const Backend backend = make_backend(backend_name)

Result<void> write(File& file, std::int64_t position, const std::vector<std::string_view>& texts) {
  std::vector<ByteView> parts;
  for (const std::string_view text : texts) parts.push_back(as_bytes(text));
  return file.write_at(FilePosition(position), parts);
}

std::string read(const File& file, std::int64_t position, std::size_t size) {
  Bytes out(size);
  const std::size_t count = file.read_at(FilePosition(position), out).value();
  return std::string(as_text(ByteView(out).first(count)));
}

void write_file(FileSystem& file_system, const std::string& path, std::string_view text) {
  const auto file = file_system.open(path, OpenMode::open_or_create).value();
  file->truncate(FilePosition(0)).value();
  write(*file, 0, {text}).value();
}

template <class T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

std::vector<std::string> names(const Backend& backend) {
  std::vector<std::string> found;
  const auto entries = backend->list_directory(backend.directory).value();
  for (const auto& entry : entries) {
    found.push_back(entry.name + (entry.is_directory ? "/" : ""));
  }
  return found;
}

}  // namespace

TEST_CASE("file system: the parts of a write follow each other, empty ones too") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  REQUIRE(write(*file, 0, {"one,", "", "two,", "three"}).ok());
  REQUIRE(write(*file, 4, {"TWO"}).ok());
  REQUIRE(write(*file, 13, {"", ""}).ok());
  REQUIRE(read(*file, 0, 100) == "one,TWO,three");
  REQUIRE(file->size().value() == FilePosition(13));
}

TEST_CASE("file system: a write of more parts than one system call takes") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    texts.push_back(i % 7 == 0 ? "" : std::to_string(i) + ";");
    all += texts.back();
  }
  REQUIRE(write(*file, 0, std::vector<std::string_view>(texts.begin(), texts.end())).ok());
  REQUIRE(read(*file, 0, all.size() + 1) == all);
}

TEST_CASE("file system: a read ends where the file does") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  REQUIRE(write(*file, 0, {"0123456789"}).ok());
  REQUIRE(read(*file, 7, 100) == "789");
  REQUIRE(read(*file, 10, 100) == "");
  REQUIRE(read(*file, 5000, 100) == "");
  Bytes out(4);
  REQUIRE(file->read_resident_at(FilePosition(8), out).value() == 2);
}

TEST_CASE("file system: bytes between the end of a file and a write past it are zeros") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  REQUIRE(write(*file, 0, {"ab"}).ok());
  REQUIRE(write(*file, 4, {"c"}).ok());
  REQUIRE(read(*file, 0, 10) == std::string("ab\0\0c", 5));
  REQUIRE(file->truncate(FilePosition(1)).ok());
  REQUIRE(file->truncate(FilePosition(3)).ok());
  REQUIRE(read(*file, 0, 10) == std::string("a\0\0", 3));
}

TEST_CASE("file system: reserving leaves the size alone") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  REQUIRE(write(*file, 0, {"ab"}).ok());
  REQUIRE(file->reserve(FilePosition(2), 1 << 20).ok());
  REQUIRE(file->size().value() == FilePosition(2));
  REQUIRE(file->sync_data().ok());
}

TEST_CASE("file system: the modes of open()") {
  FOR_EACH_BACKEND();
  const std::string path = backend.path("a");
  REQUIRE(code_of(backend->open(path, OpenMode::read)) == Errc::not_found);
  REQUIRE(code_of(backend->open(path, OpenMode::read_write)) == Errc::not_found);
  REQUIRE(code_of(backend->open(backend.path("none/a"), OpenMode::create)) == Errc::not_found);
  REQUIRE(write(*backend->open(path, OpenMode::open_or_create).value(), 0, {"ab"}).ok());
  REQUIRE(code_of(backend->open(path, OpenMode::create)) == Errc::already_exists);
  REQUIRE(read(*backend->open(path, OpenMode::open_or_create).value(), 0, 9) == "ab");
  REQUIRE(write(*backend->open(path, OpenMode::read_write).value(), 1, {"c"}).ok());
  const auto file = backend->open(path, OpenMode::read).value();
  REQUIRE(read(*file, 0, 9) == "ac");
  REQUIRE(code_of(write(*file, 0, {"x"})) == Errc::io_error);
}

TEST_CASE("file system: a file's status needs no open file") {
  FOR_EACH_BACKEND();
  REQUIRE(code_of(backend->status(backend.path("a"))) == Errc::not_found);
  write_file(*backend.file_system, backend.path("a"), "first");
  REQUIRE(backend->status(backend.path("a")).value().size == FilePosition(5));
  REQUIRE(backend->make_directory(backend.path("b")).ok());
  REQUIRE(code_of(backend->status(backend.path("b"))) == Errc::io_error);
}

TEST_CASE("file system: an open file survives its removal and its replacement") {
  FOR_EACH_BACKEND();
  write_file(*backend.file_system, backend.path("a"), "first");
  write_file(*backend.file_system, backend.path("b"), "second");
  const auto a = backend->open(backend.path("a"), OpenMode::read).value();
  const auto b = backend->open(backend.path("b"), OpenMode::read_write).value();
  REQUIRE(backend->rename(backend.path("b"), backend.path("a")).ok());
  REQUIRE(names(backend) == std::vector<std::string>{"a"});
  REQUIRE(read(*a, 0, 9) == "first");
  REQUIRE(read_file(*backend.file_system, backend.path("a"), 9).value() == "second");
  REQUIRE(backend->remove(backend.path("a")).ok());
  REQUIRE(write(*b, 6, {"!"}).ok());
  REQUIRE(read(*b, 0, 9) == "second!");
  REQUIRE(code_of(backend->remove(backend.path("a"))) == Errc::not_found);
  REQUIRE(code_of(backend->rename(backend.path("a"), backend.path("b"))) == Errc::not_found);
}

TEST_CASE("file system: directories are made, listed by name and removed with what is in them") {
  FOR_EACH_BACKEND();
  REQUIRE(backend->make_directory(backend.path("b")).ok());
  REQUIRE(code_of(backend->make_directory(backend.path("b"))) == Errc::already_exists);
  REQUIRE(code_of(backend->make_directory(backend.path("x/y"))) == Errc::not_found);
  REQUIRE(backend->make_directories(backend.path("c/d/e")).ok());
  REQUIRE(backend->make_directories(backend.path("c/d/e")).ok());
  write_file(*backend.file_system, backend.path("a"), "");
  write_file(*backend.file_system, backend.path("c/d/f"), "text");
  REQUIRE(names(backend) == std::vector<std::string>{"a", "b/", "c/"});
  REQUIRE(backend->exists(backend.path("c/d/f")).value());
  REQUIRE_FALSE(backend->exists(backend.path("c/d/g")).value());
  REQUIRE(code_of(backend->remove(backend.path("c"))) == Errc::io_error);
  REQUIRE(backend->rename(backend.path("c"), backend.path("g")).ok());
  REQUIRE(read_file(*backend.file_system, backend.path("g/d/f"), 9).value() == "text");
  REQUIRE(backend->sync_directory(backend.directory).ok());
  REQUIRE(backend->remove_directory_tree(backend.path("g")).ok());
  REQUIRE(backend->remove_directory_tree(backend.path("g")).ok());
  REQUIRE(names(backend) == std::vector<std::string>{"a", "b/"});
  REQUIRE(code_of(backend->list_directory(backend.path("g"))) == Errc::not_found);
  REQUIRE(code_of(backend->sync_directory(backend.path("g"))) == Errc::not_found);
}

TEST_CASE("file system: a lock is held once, until it is dropped") {
  FOR_EACH_BACKEND();
  auto lock = backend->lock(backend.path(".lock"));
  REQUIRE(lock.ok());
  REQUIRE(code_of(backend->lock(backend.path(".lock"))) == Errc::lock_held);
  REQUIRE(backend->lock(backend.path(".other")).ok());
  lock = Error{Errc::closed, ""};
  REQUIRE(backend->lock(backend.path(".lock")).ok());
}

TEST_CASE("file system: what was just written is in memory") {
  FOR_EACH_BACKEND();
  const auto file = backend->open(backend.path("a"), OpenMode::create).value();
  const std::string text(20'000, 'x');
  REQUIRE(write(*file, 0, {text}).ok());
  REQUIRE(file->make_resident(FilePosition(0), 20'000).ok());
  REQUIRE(file->is_resident(FilePosition(0), 20'000));
  REQUIRE(file->is_resident(FilePosition(19'999), 1));
  REQUIRE(file->is_resident(FilePosition(100), 0));
}

TEST_CASE("file system: there is free space") {
  FOR_EACH_BACKEND();
  const SpaceUse space = backend->space(backend.directory).value();
  REQUIRE(space.free > 0);
  REQUIRE(space.free <= space.total);
}

TEST_CASE("read_file: refuses a file over the limit") {
  FOR_EACH_BACKEND();
  write_file(*backend.file_system, backend.path("a"), "12345");
  REQUIRE(read_file(*backend.file_system, backend.path("a"), 5).value() == "12345");
  REQUIRE(code_of(read_file(*backend.file_system, backend.path("a"), 4)) == Errc::too_large);
  REQUIRE(code_of(read_file(*backend.file_system, backend.path("b"), 4)) == Errc::not_found);
}

TEST_CASE("replace_file: replaces, whatever a crash left of an earlier attempt") {
  FOR_EACH_BACKEND();
  write_file(*backend.file_system, backend.path("a.tmp"), "a half that is longer than the new content");
  REQUIRE(replace_file(*backend.file_system, backend.path("a"), "old").ok());
  REQUIRE(read_file(*backend.file_system, backend.path("a"), 99).value() == "old");
  REQUIRE(replace_file(*backend.file_system, backend.path("a"), "new").ok());
  REQUIRE(read_file(*backend.file_system, backend.path("a"), 99).value() == "new");
  REQUIRE(names(backend) == std::vector<std::string>{"a"});
}

TEST_CASE("paths: are joined and split at the last slash") {
  REQUIRE(join_path("/data", "a") == "/data/a");
  REQUIRE(join_path("/", "a") == "/a");
  REQUIRE(join_path("", "a") == "a");
  REQUIRE(parent_path("/data/a") == "/data");
  REQUIRE(parent_path("/data/") == "/");
  REQUIRE(parent_path("/data") == "/");
  REQUIRE(parent_path("data/a") == "data");
  REQUIRE(parent_path("a") == ".");
}

}  // namespace sillok::storage
