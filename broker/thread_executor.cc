#include "broker/thread_executor.h"

#include <pthread.h>

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
    for (; running_ < wanted_; ++running_) threads_.emplace_back([this] { run(); });
  }
  wake_.notify_all();
}

void ThreadExecutor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadExecutor::run() {
  name_this_thread(name_);
  storage::set_thread_priority(priority_);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty() || running_ > wanted_; });
    if (queue_.empty()) {
      if (!stopping_) --running_;
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
