#include "storage/good_batch.h"

#include <catch2/catch.hpp>

#include "tests/support/batches.h"

namespace sillok::storage {
namespace {

TEST_CASE("good batch: one at the front is whole and has its CRC right") {
  const Bytes bytes = tests::batch().records(3);
  REQUIRE(good_batch_at_front(bytes).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(!good_batch_at_front(ByteView(bytes).first(size)).has_value());
  }
  Bytes damaged = bytes;
  damaged.back() ^= std::byte{1};
  CHECK(!good_batch_at_front(damaged).has_value());
}

TEST_CASE("good batch: one inside is found wherever it begins, but for the front") {
  const Bytes batch = tests::batch().records(3);
  for (std::size_t before = 0; before < 100; ++before) {
    Bytes bytes(before, std::byte{2});
    bytes.insert(bytes.end(), batch.begin(), batch.end());
    CHECK(has_good_batch_inside(bytes) == (before > 0));
    bytes.back() ^= std::byte{1};
    CHECK(!has_good_batch_inside(bytes));
  }
}

TEST_CASE("good batch: one whose offset was damaged counts as well") {
  const Bytes batch = tests::batch().records(3);
  Bytes bytes(1);
  bytes.insert(bytes.end(), batch.begin(), batch.end());
  bytes[1] = std::byte{0xff};
  CHECK(has_good_batch_inside(bytes));
}

}  // namespace
}  // namespace sillok::storage
