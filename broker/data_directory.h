// One log directory with all that works on it: its device, who flushes and writes to it, its journal.
#pragma once

#include <memory>
#include <string>

#include "broker/config.h"
#include "broker/device.h"
#include "broker/thread_executor.h"
#include "storage/clock.h"
#include "storage/flusher.h"
#include "storage/log_dir.h"

namespace sillok::broker {

// Threading: the parts have their own; start() and the stops from one thread.
class DataDirectory {
 public:
  DataDirectory(const Config& config, const storage::Clock& clock, std::unique_ptr<storage::LogDir> log_dir);
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  storage::LogDir& log_dir() { return *log_dir_; }
  Device& device() { return device_; }
  const std::string& path() const { return log_dir_->path(); }

  // Begins to journal, and to watch the space. `disk_free_bytes_min` is as in Config.
  void start(ByteCount disk_free_bytes_min);
  // No partition is flushed by the journal any more when it returns.
  void stop_journal() { log_dir_->journal().stop(); }
  // Nothing is written or flushed any more when it returns. The logs can still be closed.
  void stop();

 private:
  const storage::Clock& clock_;
  const std::unique_ptr<storage::LogDir> log_dir_;
  storage::Flusher flusher_;
  ThreadExecutor writer_;
  Device device_;
};

}  // namespace sillok::broker
