// Whether a log directory has room for more records. Producers are refused before the disk is full, so that
// what must go on then (checkpoints, retention, deletion, the next start) still can.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::broker {

// What is kept free where the setting leaves that to us: 5 % of the file system, and no more than this.
inline constexpr ByteCount kFreeSpaceKeptMax = 1 << 30;

// Threading: watch() before the others; those from any thread. measure() asks the file system, which does not
// wait for the disk.
class DiskSpace {
 public:
  using Measure = std::function<Result<storage::SpaceUse>()>;

  // `kept_free` bytes are not for records; -1 is the default above, 0 turns the watch off. `directory` is for
  // the log.
  void watch(std::string directory, ByteCount kept_free, Measure measure);

  // Records are refused; until there is an eighth more than is kept. False where nothing is watched, or the
  // file system did not answer.
  bool is_short() const { return is_short_.load(std::memory_order_relaxed); }
  // Looks again, and logs where the answer changed.
  void measure();
  // After an append: now and then it is time to look again.
  void note_written(ByteCount bytes) {
    if (until_measure_.fetch_sub(bytes, std::memory_order_relaxed) < bytes) measure();
  }

 private:
  std::string directory_;
  ByteCount kept_free_ = 0;
  Measure measure_;
  std::atomic<bool> is_short_{false};
  std::atomic<ByteCount> until_measure_{0};
};

}  // namespace sillok::broker
