#include "broker/block_pool.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

using namespace sillok::broker;

namespace {

// A size of this test's own, so that the pools of others do not matter.
constexpr std::size_t kSize = 2064;
using Pool = BlockPool<kSize>;

std::vector<void*> take(std::size_t count) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < count; ++i) {
    blocks.push_back(Pool::take());
    std::memset(blocks.back(), static_cast<int>(i), kSize);
  }
  return blocks;
}

void give(const std::vector<void*>& blocks) {
  for (void* const block : blocks) Pool::give(block);
}

}  // namespace

TEST_CASE("block pool: no block is given out twice") {
  for (int round = 0; round < 3; ++round) {
    const std::vector<void*> blocks = take(5 * kThreadBlocksMax);
    CHECK(std::set<void*>(blocks.begin(), blocks.end()).size() == blocks.size());
    give(blocks);
  }
}

TEST_CASE("block pool: what another thread gave back is used again") {
  if (!kBlocksArePooled) return;
  const std::vector<void*> blocks = take(4 * kThreadBlocksMax);
  std::thread([&] { give(blocks); }).join();
  const std::set<void*> before(blocks.begin(), blocks.end());
  const std::vector<void*> again = take(kThreadBlocksMax);
  std::size_t known = 0;
  for (void* const block : again) known += before.contains(block) ? 1 : 0;
  CHECK(known == again.size());
  give(again);
}

TEST_CASE("block pool: threads pass blocks on while both work") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) give(take(static_cast<std::size_t>(round)));
    });
  }
  for (std::thread& thread : threads) thread.join();
}
