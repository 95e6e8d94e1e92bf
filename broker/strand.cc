#include "broker/strand.h"

#include <utility>

namespace sillok::broker {

bool Strand::post(Executor& pool, std::size_t size, std::function<void()> work) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (!fits(size)) return false;
    is_first = items_.empty();
    items_.push_back({size, std::move(work)});
    size_ += size;
  }
  if (is_first) continue_on(pool);
  return true;
}

bool Strand::has_room(std::size_t size) const {
  const std::lock_guard lock(mutex_);
  return fits(size);
}

bool Strand::is_idle() const {
  const std::lock_guard lock(mutex_);
  return items_.empty();
}

void Strand::continue_on(Executor& pool) {
  if (pool.post([self = shared_from_this(), &pool] { self->run(pool); })) return;
  while (run_one()) {
  }
}

void Strand::run(Executor& pool) {
  if (run_one()) continue_on(pool);
}

// Requires: there is one, and nobody else runs it. Whether there are more.
bool Strand::run_one() {
  std::function<void()> work;
  {
    const std::lock_guard lock(mutex_);
    work = std::move(items_.front().work);
  }
  work();
  work = nullptr;  // what it held may take a while to go
  const std::lock_guard lock(mutex_);
  size_ -= items_.front().size;
  items_.pop_front();
  return !items_.empty();
}

}  // namespace sillok::broker
