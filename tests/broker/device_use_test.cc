#include "broker/device_use.h"

#include <catch2/catch.hpp>

#include "tests/support/batches.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {
namespace {

TEST_CASE("device use: a request waits for the devices that it appends to, and for no other") {
  PartitionFixture one;
  PartitionFixture other;
  one.device.add_queued(broker::kQueuedBytesMax + 1);
  const auto congested_after = [](PartitionFixture& fixture) {
    const broker::DeviceUse use;
    CHECK(use.congested() == nullptr);
    HeldExecutor pool;
    CHECK(fixture.partition->prepare(pool, Bytes(1), [](MutableByteView) {}));
    broker::Device* const congested = use.congested();
    pool.run_all();
    return congested;
  };
  CHECK(congested_after(one) == &one.device);
  CHECK(congested_after(other) == nullptr);
  one.device.remove_queued(broker::kQueuedBytesMax + 1);
  CHECK(congested_after(one) == nullptr);
}

TEST_CASE("device use: an append counts, also where its partition refuses it") {
  PartitionFixture fixture;
  fixture.partition->stop(protocol::ErrorCode::not_leader_or_follower);
  fixture.device.add_queued(broker::kQueuedBytesMax + 1);
  const broker::DeviceUse use;
  Bytes bytes = batch().record("k", "v");
  fixture.partition->append({bytes, header_of(bytes), broker::Acks::leader, nullptr, 0});
  CHECK(use.congested() == &fixture.device);
  fixture.device.remove_queued(broker::kQueuedBytesMax + 1);
}

}  // namespace
}  // namespace sillok::tests
