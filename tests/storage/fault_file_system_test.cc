#include "tests/support/fault_file_system.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

using storage::File;
using storage::OpenMode;

Result<void> write(File& file, std::int64_t position, const std::vector<std::string>& texts) {
  std::vector<ByteView> parts;
  for (const std::string& text : texts) parts.push_back(as_bytes(text));
  return file.write_at(FilePosition(position), parts);
}

struct Faulty {
  MemFileSystem disk;
  FaultFileSystem file_system{disk};
  std::shared_ptr<File> a = file_system.open("/a.log", OpenMode::create).value();
  std::shared_ptr<File> b = file_system.open("/b.index", OpenMode::create).value();

  std::string content(const std::string& path) { return storage::read_file(disk, path, 1000).value(); }
};

}  // namespace

TEST_CASE("fault file system: the named call of a kind and path fails, and does nothing") {
  Faulty faulty;
  faulty.file_system.fail({FileCall::write, ".log", 2}, Errc::no_space);
  REQUIRE(write(*faulty.a, 0, {"1"}).ok());
  REQUIRE(write(*faulty.b, 0, {"1"}).ok());
  REQUIRE(faulty.a->sync_data().ok());
  REQUIRE(write(*faulty.a, 1, {"2"}).error().code == Errc::no_space);
  REQUIRE(faulty.content("/a.log") == "1");
  REQUIRE(faulty.file_system.failure_count() == 1);
  REQUIRE(write(*faulty.a, 1, {"3"}).ok());
}

TEST_CASE("fault file system: calls fail from one on until they are cleared") {
  Faulty faulty;
  faulty.file_system.fail({FileCall::sync, "", 1, kEveryCall}, Errc::io_error);
  REQUIRE_FALSE(faulty.a->sync_data().ok());
  REQUIRE_FALSE(faulty.b->sync_data().ok());
  faulty.file_system.clear();
  REQUIRE(faulty.a->sync_data().ok());
}

TEST_CASE("fault file system: a short write leaves the first bytes of its parts") {
  Faulty faulty;
  faulty.file_system.write_short({FileCall::write, "a.log"}, 5, Errc::no_space);
  REQUIRE(write(*faulty.a, 0, {"abc", "def", "ghi"}).error().code == Errc::no_space);
  REQUIRE(faulty.content("/a.log") == "abcde");
}

TEST_CASE("fault file system: every kind of call can fail") {
  Faulty faulty;
  Bytes out(1);
  const auto fails = [&](FileCall call, const std::string& part, auto make_call) {
    faulty.file_system.fail({call, part}, Errc::too_many_files);
    const auto result = make_call();
    return !result.ok() && result.error().code == Errc::too_many_files && make_call().ok();
  };
  auto& fs = faulty.file_system;
  REQUIRE(fails(FileCall::open, "a.log", [&] { return fs.open("/a.log", OpenMode::read); }));
  REQUIRE(fails(FileCall::read, "", [&] { return faulty.a->read_at(FilePosition(0), out); }));
  REQUIRE(
      fails(FileCall::read_resident, "", [&] { return faulty.a->read_resident_at(FilePosition(0), out); }));
  REQUIRE(fails(FileCall::make_resident, "", [&] { return faulty.a->make_resident(FilePosition(0), 1); }));
  REQUIRE(fails(FileCall::truncate, "", [&] { return faulty.a->truncate(FilePosition(0)); }));
  REQUIRE(fails(FileCall::reserve, "", [&] { return faulty.a->reserve(FilePosition(0), 1); }));
  REQUIRE(fails(FileCall::size, "", [&] { return faulty.a->size(); }));
  REQUIRE(fails(FileCall::size, "a.log", [&] { return fs.status("/a.log"); }));
  REQUIRE(fails(FileCall::make_directory, "d", [&] { return fs.make_directories("/d"); }));
  REQUIRE(fails(FileCall::list_directory, "", [&] { return fs.list_directory("/"); }));
  REQUIRE(fails(FileCall::sync_directory, "", [&] { return fs.sync_directory("/"); }));
  REQUIRE(fails(FileCall::exists, "", [&] { return fs.exists("/"); }));
  REQUIRE(fails(FileCall::space, "", [&] { return fs.space("/"); }));
  REQUIRE(fails(FileCall::lock, "", [&] { return fs.lock("/.lock"); }));
  REQUIRE(fails(FileCall::rename, "a.log", [&] { return fs.rename("/a.log", "/c.log"); }));
  REQUIRE(fails(FileCall::remove, "c.log", [&] { return fs.remove("/c.log"); }));
}

TEST_CASE("fault file system: a stalled call waits until the test releases it") {
  Faulty faulty;
  const auto stall = faulty.file_system.stall({FileCall::sync, "a.log"});
  std::atomic<bool> done = false;
  std::thread thread([&] {
    CHECK(faulty.a->sync_data().ok());
    done = true;
  });
  stall->wait_until_reached();
  REQUIRE_FALSE(done);
  REQUIRE(faulty.disk.calls().syncs == 0);
  REQUIRE(faulty.b->sync_data().ok());
  REQUIRE(stall->waiting_count() == 1);
  stall->release();
  thread.join();
  REQUIRE(done);
  REQUIRE(faulty.disk.calls().syncs == 2);
}

TEST_CASE("fault file system: clearing releases what waits") {
  Faulty faulty;
  const auto stall = faulty.file_system.stall({FileCall::write, ""});
  std::thread thread([&] { CHECK(write(*faulty.a, 0, {"x"}).ok()); });
  stall->wait_until_reached();
  faulty.file_system.clear();
  thread.join();
  REQUIRE(faulty.content("/a.log") == "x");
}

}  // namespace sillok::tests
