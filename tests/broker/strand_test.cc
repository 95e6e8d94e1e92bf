#include "broker/strand.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "broker/thread_executor.h"
#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

TEST_CASE("strand: work runs in the order in which it came, though the pool has many threads") {
  auto strand = std::make_shared<broker::Strand>(1000);
  std::vector<int> order;  // only the strand's work touches it
  {
    broker::ThreadExecutor pool("pool", 4);
    for (int i = 0; i < 500; ++i) CHECK(strand->post(pool, 1, [&order, i] { order.push_back(i); }));
  }
  REQUIRE(order.size() == 500);
  for (int i = 0; i < 500; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  CHECK(strand->is_idle());
}

TEST_CASE("strand: past its size it takes nothing, but for one alone, until work is done") {
  ManualExecutor pool;
  auto strand = std::make_shared<broker::Strand>(10);
  int done = 0;
  const auto work = [&done] { ++done; };
  CHECK(strand->post(pool, 50, work));
  CHECK_FALSE(strand->is_idle());
  CHECK_FALSE(strand->post(pool, 1, work));
  pool.run_all();
  CHECK(done == 1);
  CHECK(strand->is_idle());
  CHECK(strand->post(pool, 6, work));
  CHECK(strand->post(pool, 4, work));
  CHECK_FALSE(strand->post(pool, 1, work));
  pool.run_all();
  CHECK(done == 3);
}

TEST_CASE("strand: one piece of work a turn, so that others have theirs") {
  ManualExecutor pool;
  std::vector<int> order;
  auto first = std::make_shared<broker::Strand>(1000);
  auto second = std::make_shared<broker::Strand>(1000);
  for (const int i : {0, 1, 2}) CHECK(first->post(pool, 1, [&order, i] { order.push_back(i); }));
  CHECK(second->post(pool, 1, [&order] { order.push_back(10); }));
  pool.run_all();
  CHECK(order == std::vector<int>{0, 10, 1, 2});
}

TEST_CASE("strand: what waits when the pool ends is done all the same") {
  ManualExecutor pool;
  auto strand = std::make_shared<broker::Strand>(1000);
  int done = 0;
  const auto count = [&done] { ++done; };
  for (int i = 0; i < 3; ++i) CHECK(strand->post(pool, 1, count));
  pool.stopped = true;
  pool.run_all();
  CHECK(done == 3);
  CHECK(strand->post(pool, 1, count));
  CHECK(done == 4);
  CHECK(strand->is_idle());
}

}  // namespace
}  // namespace sillok::tests
