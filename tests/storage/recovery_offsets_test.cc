// Offsets of batches that cannot be, in files that are opened.
#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

// No checksum covers it.
TEST_CASE("recovery: a batch whose offset no index entry could say is no batch of its segment") {
  LogConfig config = LogFixture::small_config();
  config.segment_bytes = 1 << 20;
  LogFixture f(config);
  f.create();
  f.append_many(2);
  const FilePosition third = f.log->log_end().position;
  f.append_many(1);
  f.reopen(Stop::killed);
  REQUIRE(f.end() == 3);
  Bytes offset(8);
  store_big_endian(offset.data(), std::int64_t{2} + (std::int64_t{1} << 32));
  const auto path = std::string(kLogDirectory) + "/" + "00000000000000000000.log";
  SECTION("it is cut from a tail that may be torn") {
    REQUIRE(f.disk.corrupt(path, third, offset).ok());
    f.reopen(Stop::killed);
    CHECK(f.end() == 2);
  }
  SECTION("it is damage where the stop was clean") {
    REQUIRE(f.log->close().ok());
    f.log.reset();
    REQUIRE(f.disk.corrupt(path, third, offset).ok());
    f.open(true);
    CHECK(f.log->health() == LogHealth::degraded);
    CHECK(f.end() < std::int64_t{1} << 31);
  }
  f.log->check_invariants();
}

}  // namespace
}  // namespace sillok::tests
