#include "broker/durability_round.h"

#include <catch2/catch.hpp>
#include <memory>

#include "broker/device.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {
namespace {

// Nothing to write; its flush is never seen here.
class IdleTarget final : public storage::JournalTarget {
 public:
  storage::JournalKey journal_key() const override { return {}; }
  Contribution contribute(storage::JournalFrame& /*frame*/) override { return Contribution::nothing; }
  void committed() override {}
  void not_committed() override {}
  void flush() override {}
};

TEST_CASE("durability round: one end for all devices, and each is asked") {
  OneDevice first;
  OneDevice second;
  int asked = 0;
  broker::DurabilityRound round([&] { ++asked; });
  for (int turn = 1; turn <= 2; ++turn) {
    for (int i = 0; i < 2; ++i) {
      round.add(first.device, std::make_shared<IdleTarget>());
      round.add(second.device, std::make_shared<IdleTarget>());
    }
    CHECK(asked == turn);
    if (turn == 1) CHECK_FALSE(first.device.has_awaited_flushes());
    round.end();
    CHECK(first.device.has_awaited_flushes());
    CHECK(second.device.has_awaited_flushes());
  }
  first.flusher.stop();
  second.flusher.stop();
}

}  // namespace
}  // namespace sillok::tests
