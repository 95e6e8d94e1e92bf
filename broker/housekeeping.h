// What is done every so often: retention, checkpoints, removal of deleted files.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/config.h"
#include "broker/data_directory.h"
#include "broker/partitions.h"
#include "storage/clock.h"
#include "storage/log_dir.h"

namespace sillok::broker {

// Threading: a thread of its own, since all of it may block. start() and stop() from one thread.
class Housekeeping {
 public:
  using Directories = std::vector<std::unique_ptr<DataDirectory>>;
  Housekeeping(const Config& config, const storage::Clock& clock, Partitions& partitions,
               const Directories& directories)
      : config_(config),
        clock_(clock),
        partitions_(partitions),
        directories_(directories),
        deletion_delay_ms_(config.log_defaults.file_delete_delay_ms) {}
  ~Housekeeping() { stop(); }

  void start();
  void stop();

  // log.segment.delete.delay.ms, for the folders of deleted partitions; what is over by it goes at once. Any
  // thread.
  void set_deletion_delay_ms(std::int64_t delay_ms);

  // One pass of each; what the thread calls.
  void clean_up();
  void clean_up_finely();  // topics that ask for it (broker/fine_retention.h)
  void write_checkpoints();
  void remove_deleted();
  void balance_reserve();
  void look_at_space();

 private:
  void run();
  ByteCount flushed() const;  // of all directories
  static void balance_reserve(storage::LogDir& log_dir);

  const Config& config_;
  const storage::Clock& clock_;
  Partitions& partitions_;
  const Directories& directories_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::int64_t deletion_delay_ms_;  // under mutex_
  bool deletion_delay_changed_ = false;
  std::thread thread_;
};

}  // namespace sillok::broker
