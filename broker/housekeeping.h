// What is done every so often: retention, checkpoints, removal of deleted files.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "broker/config.h"
#include "broker/partitions.h"
#include "storage/clock.h"
#include "storage/log_dir.h"

namespace sillok::broker {

// Threading: a thread of its own, since all of it may block. start() and stop() from one thread.
class Housekeeping {
 public:
  Housekeeping(const Config& config, const storage::Clock& clock, Partitions& partitions, Device& device,
               storage::LogDir& log_dir)
      : config_(config), clock_(clock), partitions_(partitions), device_(device), log_dir_(log_dir) {}
  ~Housekeeping() { stop(); }

  void start();
  void stop();

  // One pass of each; what the thread calls.
  void clean_up();
  void clean_up_finely();  // topics that ask for it (broker/fine_retention.h)
  void write_checkpoints();
  void remove_deleted();
  void balance_reserve();
  void look_at_space();

 private:
  void run();

  const Config& config_;
  const storage::Clock& clock_;
  Partitions& partitions_;
  Device& device_;
  storage::LogDir& log_dir_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sillok::broker
