#include "broker/net/frame_budget.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_reactor.h"

using namespace sillok;
using namespace sillok::tests;
using broker::FrameBudget;

namespace {

struct Waiter final : FrameBudget::Waiter {
  explicit Waiter(FakeReactor& reactor) : reactor_(reactor) {}
  broker::ReactorPort& reactor() override { return reactor_; }
  void run() override { granted = true; }
  FakeReactor& reactor_;
  bool granted = false;
};

}  // namespace

TEST_CASE("frame budget: reservations are granted first come, first served") {
  FakeReactor reactor;
  FrameBudget budget(100);
  REQUIRE(budget.reserve(60, nullptr));
  const auto large = std::make_shared<Waiter>(reactor);
  const auto small = std::make_shared<Waiter>(reactor);
  CHECK_FALSE(budget.reserve(80, large));
  CHECK_FALSE(budget.reserve(10, small));  // would fit, but is behind
  budget.release(60);
  reactor.run_all();
  CHECK(large->granted);
  CHECK(small->granted);
}

TEST_CASE("frame budget: a frame above the whole budget is let in alone") {
  FakeReactor reactor;
  FrameBudget budget(100);
  CHECK(budget.reserve(500, nullptr));
  const auto next = std::make_shared<Waiter>(reactor);
  CHECK_FALSE(budget.reserve(1, next));
  budget.release(500);
  reactor.run_all();
  CHECK(next->granted);
}

TEST_CASE("frame budget: who gives up leaves the queue, unless the reservation was made") {
  FakeReactor reactor;
  FrameBudget budget(100);
  REQUIRE(budget.reserve(100, nullptr));
  const auto first = std::make_shared<Waiter>(reactor);
  const auto second = std::make_shared<Waiter>(reactor);
  CHECK_FALSE(budget.reserve(50, first));
  CHECK_FALSE(budget.reserve(50, second));
  CHECK(budget.cancel(first.get()));
  budget.release(100);
  CHECK_FALSE(budget.cancel(second.get()));
  reactor.run_all();
  CHECK_FALSE(first->granted);
  CHECK(second->granted);
  budget.release(50);
  CHECK(budget.reserve(100, nullptr));
}
