// Work for a pool that must run one after the other, in the order in which it came.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "broker/executor.h"

namespace sillok::broker {

// Threading: any thread. Lifetime: what is posted keeps the strand.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(std::size_t size_max) : size_max_(size_max) {}

  // Runs `work` on the pool once all before it is done; `size` is what it takes of size_max. False, and
  // nothing is run, where there is no room for it beside what waits. One piece a turn, so that many strands
  // share a small pool. A pool that takes nothing more, as the process ends, still ends what it began.
  bool post(Executor& pool, std::size_t size, std::function<void()> work);
  // What post() would say now; others may post meanwhile.
  bool has_room(std::size_t size) const;
  // Whether all that was posted is done.
  bool is_idle() const;

 private:
  struct Item {
    std::size_t size;
    std::function<void()> work;
  };
  bool fits(std::size_t size) const { return items_.empty() || size + size_ <= size_max_; }
  void continue_on(Executor& pool);
  void run(Executor& pool);
  bool run_one();

  const std::size_t size_max_;
  mutable std::mutex mutex_;
  std::deque<Item> items_;  // the first is the one that runs
  std::size_t size_ = 0;
};

}  // namespace sillok::broker
