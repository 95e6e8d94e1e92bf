// A start of the whole broker that comes to nothing: the next one need not recover what it left.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "storage/clock.h"
#include "storage/log_dir.h"
#include "storage/posix_file_system.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

bool is_clean(const TempDir& directory) {
  const auto file_system = storage::make_posix_file_system();
  storage::LogDirOptions options;
  options.file_system = file_system.get();
  options.clock = &storage::system_clock();
  options.path = directory.path() + "/data";
  return storage::LogDir::open(options).value()->was_clean();
}

Result<void> start(const TempDir& directory, const std::string& listener) {
  auto loaded =
      broker::load_config({"", {}, {{"listeners", listener}, {"log.dirs", directory.path() + "/data"}}});
  REQUIRE(loaded.ok());
  return broker::Server(std::move(loaded).value()).start();
}

TEST_CASE("server: a start that finds its port taken leaves the logs closed in order") {
  const TempDir directory;
  {
    RunningServer(directory).create_topic("a", 2);
  }
  REQUIRE(is_clean(directory));
  const TempDir other;
  const RunningServer holder(other);
  CHECK(!start(directory, "PLAINTEXT://127.0.0.1:" + std::to_string(holder.port)).ok());
  CHECK(is_clean(directory));
}

TEST_CASE("server: a start that cannot read its metadata leaves the clean mark") {
  const TempDir directory;
  {
    RunningServer(directory).create_topic("a", 2);
  }
  const std::string path = directory.path() + "/data/sillok-metadata.log";
  const auto kept = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, 1);
  CHECK(!start(directory, "PLAINTEXT://127.0.0.1:0").ok());
  CHECK(kept > 1);
  CHECK(is_clean(directory));
}

}  // namespace
}  // namespace sillok::tests
