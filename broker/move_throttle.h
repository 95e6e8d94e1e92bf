// How fast partitions move between log directories, all together:
// replica.alter.log.dirs.io.max.bytes.per.second.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "protocol/base/bytes.h"
#include "storage/clock.h"
#include "storage/log_config.h"

namespace sillok::broker {

inline constexpr std::int64_t kNoMoveLimit = storage::kForever;

// What is copied is paid for afterwards, by the wait before the next step: so the rate is kept over several
// steps, not within one. The end of a move, for which appends wait, is paid for and never waits.
//
// Threading: any thread.
class MoveThrottle {
 public:
  explicit MoveThrottle(const storage::Clock& clock) : clock_(clock), due_(clock.steady()) {}

  // 0: nothing is copied but the end of a move. From now on, whatever was copied before.
  void set_rate(std::int64_t bytes_per_second);
  void note(ByteCount copied);
  // Until the next step may run. nullopt: not at this rate.
  std::optional<std::chrono::nanoseconds> delay() const;
  // Waits as long. False once stop() was called.
  bool wait();
  void stop();

 private:
  std::optional<std::chrono::nanoseconds> delay_locked() const;

  const storage::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t rate_ = kNoMoveLimit;
  storage::SteadyTime due_;
  bool is_stopping_ = false;
};

}  // namespace sillok::broker
