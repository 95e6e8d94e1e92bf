#include "storage/metadata_home.h"

#include <catch2/catch.hpp>

#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

const Uuid kHome = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");

TEST_CASE("metadata home: what was written is read, and there is none where there is no file") {
  MemFileSystem files;
  REQUIRE(files.make_directories("/b").ok());
  CHECK(*storage::read_metadata_home(files, "/b") == std::nullopt);
  REQUIRE(storage::write_metadata_home(files, "/b", kHome).ok());
  CHECK(*storage::read_metadata_home(files, "/b") == kHome);
  CHECK(storage::remove_metadata_home(files, "/b").ok());
  CHECK(*storage::read_metadata_home(files, "/b") == std::nullopt);
  CHECK(storage::remove_metadata_home(files, "/b").ok());
}

TEST_CASE("metadata home: what is no such file is told with its path") {
  MemFileSystem files;
  REQUIRE(files.make_directories("/b").ok());
  const auto error_of = [&](std::string_view text) {
    REQUIRE(storage::replace_file(files, "/b/sillok-metadata-directory", text).ok());
    const auto read = storage::read_metadata_home(files, "/b");
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.error().detail, Catch::Contains("/b/sillok-metadata-directory"));
    return read.error().code;
  };
  CHECK(error_of("") == Errc::malformed);
  CHECK(error_of("version: 0\n") == Errc::malformed);
  CHECK(error_of("version: 0\ndirectory.id: here\n") == Errc::malformed);
  CHECK(error_of("version: 0\ndirectory.id: AAAAAAAAAAAAAAAAAAAAAA\n") == Errc::malformed);
  CHECK(error_of("version: 1\ndirectory.id: AAAAAAAAQACAAAAAAAAAAQ\n") == Errc::unsupported_version);
}

}  // namespace
}  // namespace sillok::tests
