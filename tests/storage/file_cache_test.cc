#include "storage/file_cache.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

using tests::FaultFileSystem;
using tests::FileCall;
using tests::MemFileSystem;

struct Disk {
  MemFileSystem memory;
  FaultFileSystem file_system{memory};

  Disk() {
    for (const char* const path : {"/a", "/b", "/c"}) REQUIRE(replace_file(memory, path, path).ok());
  }
  std::int64_t opens() const { return memory.calls().opens; }
};

std::string content(const File& file) {
  Bytes out(16);
  const std::size_t count = file.read_at(FilePosition(0), out).value();
  return std::string(as_text(ByteView(out).first(count)));
}

}  // namespace

TEST_CASE("file cache: opens a file once") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  REQUIRE(cache.try_cached("/a") == nullptr);
  const auto before = disk.opens();
  const auto file = cache.open("/a").value();
  REQUIRE(cache.open("/a").value() == file);
  REQUIRE(cache.try_cached("/a") == file);
  REQUIRE(disk.opens() - before == 1);
}

TEST_CASE("file cache: closes the file that was used longest ago, when nobody else has it") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  std::weak_ptr<File> a = cache.open("/a").value();
  const auto b = cache.open("/b").value();
  REQUIRE(cache.try_cached("/a") != nullptr);
  REQUIRE(cache.open("/c").ok());
  REQUIRE(cache.size() == 2);
  REQUIRE(cache.try_cached("/b") == nullptr);
  REQUIRE(content(*b) == "/b");
  REQUIRE(cache.try_cached("/a") != nullptr);
  REQUIRE(cache.open("/b").ok());
  REQUIRE(cache.open("/c").ok());
  REQUIRE(a.expired());
}

TEST_CASE("file cache: a forgotten file is opened anew, under whatever now has its name") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  const auto old = cache.open("/a").value();
  REQUIRE(replace_file(disk.memory, "/a", "new").ok());
  REQUIRE(content(*cache.open("/a").value()) == "/a");
  cache.forget("/a");
  cache.forget("/unknown");
  REQUIRE(cache.try_cached("/a") == nullptr);
  REQUIRE(content(*cache.open("/a").value()) == "new");
  REQUIRE(content(*old) == "/a");
}

TEST_CASE("file cache: a failed open is told and not kept") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  disk.file_system.fail({FileCall::open, "/a"}, Errc::too_many_files);
  REQUIRE(cache.open("/a").error().code == Errc::too_many_files);
  REQUIRE(cache.open("/none").error().code == Errc::not_found);
  REQUIRE(cache.size() == 0);
  REQUIRE(cache.open("/a").ok());
}

TEST_CASE(
    "file cache: the lock is free while a file is opened, and a file that is forgotten meanwhile is not "
    "kept") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  REQUIRE(cache.open("/b").ok());
  const auto stall = disk.file_system.stall({FileCall::open, "/a"});
  std::thread slow([&] { CHECK(cache.open("/a").ok()); });
  stall->wait_until_reached();
  REQUIRE(cache.try_cached("/b") != nullptr);
  cache.forget("/a");
  stall->release();
  slow.join();
  REQUIRE(cache.try_cached("/a") == nullptr);
}

TEST_CASE("file cache: two that open the same file at once get the same one") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  const auto stall = disk.file_system.stall({FileCall::open, "/a"});
  std::shared_ptr<File> slow_file;
  std::thread slow([&] { slow_file = cache.open("/a").value(); });
  stall->wait_until_reached();
  const auto quick_file = cache.open("/a").value();
  stall->release();
  slow.join();
  REQUIRE(slow_file == quick_file);
  REQUIRE(cache.size() == 1);
}

TEST_CASE("file cache: serves many threads within its limit") {
  Disk disk;
  FileCache cache(disk.file_system, 2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&cache, i] {
      const std::vector<std::string> paths = {"/a", "/b", "/c"};
      for (std::size_t turn = 0; turn < 1000; ++turn) {
        const std::string& path = paths[(turn * (static_cast<std::size_t>(i) + 1)) % 3];
        if (turn % 97 == 0) cache.forget(path);
        const auto file = cache.open(path);
        if (!file.ok() || content(**file) != path) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(cache.size() <= 2);
}

}  // namespace sillok::storage
