#include "broker/batch_preparation.h"

#include <catch2/catch.hpp>

#include "tests/support/batches.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {
namespace {

using namespace protocol;

TEST_CASE(
    "batch preparation: the header tells the latest of its records, whatever the producer wrote there") {
  storage::LogConfig config;
  config.cleanup_compact = true;
  for (const std::optional<Codec> codec : {std::optional<Codec>(), std::optional(Codec::lz4)}) {
    config.codec = codec;
    Bytes bytes = batch().record("a", "1", 50).record("b", "2", 90);
    store_big_endian(bytes.data() + kMaxTimestampPosition, TimestampMs{60});
    renew_crc(bytes);
    const auto prepared = broker::prepare_batch(config, header_of(bytes), bytes, 100);
    REQUIRE(prepared.ok());
    const ByteView stored = prepared->bytes.empty() ? ByteView(bytes) : ByteView(prepared->bytes);
    CHECK(header_of(stored).max_timestamp == 90);
    CHECK(header_of(stored) == prepared->header);
    CHECK(check_crc(prepared->header, stored).ok());
  }
}

TEST_CASE("batch preparation: what waits for it counts as waiting to be written, until it is done") {
  PartitionFixture fixture;
  HeldExecutor pool;
  const Bytes bytes(40 << 20);
  int done = 0;
  const auto work = [&done](MutableByteView copy) { done += copy.size() == (40 << 20) ? 1 : 0; };
  CHECK(fixture.partition->prepare(pool, bytes, work));
  CHECK_FALSE(fixture.device.is_congested());
  CHECK(fixture.partition->has_preparations());
  CHECK(fixture.partition->prepare(pool, bytes, work));
  CHECK(fixture.device.is_congested());
  pool.run_all();
  CHECK(done == 2);
  CHECK_FALSE(fixture.device.is_congested());
  CHECK_FALSE(fixture.partition->has_preparations());
}

TEST_CASE(
    "batch preparation: one partition has a limit of what waits, and a refused batch counts for nothing") {
  PartitionFixture fixture;
  HeldExecutor pool;
  const Bytes bytes(broker::kPreparedBytesMax);
  const auto work = [](MutableByteView) {};
  CHECK(fixture.partition->prepare(pool, bytes, work));
  CHECK_FALSE(fixture.partition->prepare(pool, ByteView(bytes).first(1), work));
  pool.run_all();
  CHECK_FALSE(fixture.device.is_congested());
  CHECK(fixture.partition->prepare(pool, ByteView(bytes).first(1), work));
  pool.run_all();
}

}  // namespace
}  // namespace sillok::tests
