#include "broker/strand.h"

#include <utility>

namespace sillok::broker {

bool Strand::post(Executor& pool, std::size_t size, std::function<void()> work) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (!items_.empty() && size + size_ > size_max_) return false;
    is_first = items_.empty();
    items_.push_back({size, std::move(work)});
    size_ += size;
  }
  if (is_first) pool.post([self = shared_from_this()] { self->run(); });
  return true;
}

bool Strand::is_idle() const {
  const std::lock_guard lock(mutex_);
  return items_.empty();
}

void Strand::run() {
  std::function<void()> work;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      work = std::move(items_.front().work);
    }
    work();
    work = nullptr;
    const std::lock_guard lock(mutex_);
    size_ -= items_.front().size;
    items_.pop_front();
    if (items_.empty()) return;
  }
}

}  // namespace sillok::broker
