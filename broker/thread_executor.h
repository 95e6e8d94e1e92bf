// Threads with a queue: the control thread, the writer thread, the I/O pool.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "broker/executor.h"
#include "storage/thread_priority.h"

namespace sillok::broker {

// Threading: any thread. With one thread, work runs in the order in which it was posted.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor(std::string name, std::size_t thread_count,
                 storage::ThreadPriority priority = storage::ThreadPriority::ordinary);
  ~ThreadExecutor() override;

  bool post(std::function<void()> work) override;
  // The number of threads from now on; those that are too many end when they have nothing to do. Where the
  // system gives fewer, there are fewer, with a warning; std::system_error where it gives none.
  void resize(std::size_t thread_count);
  // Runs what is queued, then ends. What is posted from now on is dropped.
  void stop();

 private:
  bool start_one();
  void join_ended();
  void run(std::list<std::thread>::iterator self);

  const std::string name_;
  const storage::ThreadPriority priority_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::size_t wanted_ = 0;          // threads
  std::size_t running_ = 0;         // threads that have not ended, or will not
  std::list<std::thread> threads_;  // as they run
  std::list<std::thread> ended_;    // to be joined
};

// Sets the calling thread's name, as top and perf show it (15 bytes of it).
void name_this_thread(const std::string& name);

}  // namespace sillok::broker
