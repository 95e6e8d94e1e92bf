#include "broker/thread_executor.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <system_error>
#include <utility>

namespace sillok::broker {

ThreadExecutor::ThreadExecutor(std::string name, std::size_t thread_count, storage::ThreadPriority priority)
    : name_(std::move(name)), priority_(priority) {
  resize(thread_count);
}

ThreadExecutor::~ThreadExecutor() { stop(); }

bool ThreadExecutor::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void ThreadExecutor::resize(std::size_t thread_count) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    wanted_ = thread_count;
    while (running_ < wanted_ && start_one()) ++running_;
  }
  wake_.notify_all();
  join_ended();
}

// With mutex_ held. False where the system gives no more, and there is one at least.
bool ThreadExecutor::start_one() {
  threads_.emplace_back();
  const auto place = std::prev(threads_.end());
  try {
    *place = std::thread([this, place] { run(place); });
    return true;
  } catch (const std::system_error& error) {
    threads_.erase(place);
    if (running_ == 0) throw;
    spdlog::warn("{} threads for \"{}\" instead of {}: {}", running_, name_, wanted_, error.what());
    return false;
  }
}

void ThreadExecutor::join_ended() {
  std::list<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (std::thread& thread : ended) thread.join();
}

void ThreadExecutor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  // They take nothing out of the list any more.
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  join_ended();
}

void ThreadExecutor::run(std::list<std::thread>::iterator self) {
  name_this_thread(name_);
  storage::set_thread_priority(priority_);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || running_ > wanted_; });
    if (queue_.empty()) {
      if (stopping_) return;
      --running_;
      ended_.splice(ended_.end(), threads_, self);
      return;
    }
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it held may take a while to go
    lock.lock();
  }
}

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace sillok::broker
