// A reactor whose turns a test takes by hand.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/reactor_port.h"

namespace sillok::tests {

// Threading: run_soon() from any thread; the rest on the test's.
class FakeReactor final : public broker::ReactorPort {
 public:
  void run_soon(std::shared_ptr<broker::ReactorTask> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  broker::TimerId call_at(storage::SteadyTime time, std::weak_ptr<broker::Expirable> target) override {
    timers_[++last_id_] = {time, std::move(target)};
    return {last_id_};
  }
  void cancel(broker::TimerId timer) override { timers_.erase(timer.value); }

  // Runs what is queued, and what that queues. Gives how many tasks there were.
  std::size_t run_all() {
    std::size_t count = 0;
    for (;;) {
      std::vector<std::shared_ptr<broker::ReactorTask>> taken;
      {
        const std::lock_guard lock(mutex_);
        taken.swap(tasks_);
      }
      if (taken.empty()) return count;
      for (const auto& task : taken) task->run();
      count += taken.size();
    }
  }
  // Fires the timers that are due.
  void fire(storage::SteadyTime now) {
    for (auto it = timers_.begin(); it != timers_.end();) {
      if (it->second.time > now) {
        ++it;
        continue;
      }
      const auto target = it->second.target.lock();
      it = timers_.erase(it);
      if (target) target->expire();
    }
  }
  std::size_t timer_count() const { return timers_.size(); }

 private:
  struct Timer {
    storage::SteadyTime time;
    std::weak_ptr<broker::Expirable> target;
  };
  std::mutex mutex_;
  std::vector<std::shared_ptr<broker::ReactorTask>> tasks_;
  std::map<std::uint64_t, Timer> timers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace sillok::tests
