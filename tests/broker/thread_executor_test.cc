#include "broker/thread_executor.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

namespace sillok::tests {
namespace {

// Work that stays where it is until all of a number has come together.
class Meeting {
 public:
  void join(int wanted) {
    std::unique_lock lock(mutex_);
    ++here_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return here_ >= wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0;
};

TEST_CASE("thread executor: as many run at a time as it was resized to") {
  Meeting all;
  std::atomic<int> done{0};
  broker::ThreadExecutor pool("pool", 1);
  pool.resize(3);
  for (int i = 0; i < 3; ++i) {
    pool.post([&] {
      all.join(3);
      ++done;
    });
  }
  pool.stop();
  CHECK(done == 3);
}

TEST_CASE("thread executor: made smaller and larger again, it loses no work") {
  std::atomic<int> done{0};
  broker::ThreadExecutor pool("pool", 4);
  for (int round = 0; round < 50; ++round) {
    pool.resize(round % 2 == 0 ? 1 : 4);
    for (int i = 0; i < 20; ++i) pool.post([&] { ++done; });
  }
  pool.stop();
  CHECK(done == 50 * 20);
}

}  // namespace
}  // namespace sillok::tests
