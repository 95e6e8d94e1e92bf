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

}  // namespace
}  // namespace sillok::tests
