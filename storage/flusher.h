// Group commit: who waits for the disk joins the next round, and one round of fdatasync answers them all.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "storage/clock.h"

namespace sillok::storage {

// Something with bytes that are not on disk yet: a partition's log.
class FlushTarget {
 public:
  virtual ~FlushTarget() = default;
  // On a flusher thread: makes durable what was appended before the call, and tells whoever waits for it.
  // Handles its own failures.
  virtual void flush() = 0;
};

// The flusher of one device. A round takes all targets that asked since the last one began, flushes them on
// its threads at the same time, and ends when all are done; a target that asks meanwhile is in the next.
//
// Threading: every call from any thread. A target is never flushed by two threads at once.
class Flusher {
 public:
  Flusher(std::size_t thread_count, const Clock& clock);
  // Ends the running round and drops what waits.
  ~Flusher();

  // Joins the next round. Asking twice before it is asking once.
  void request(std::shared_ptr<FlushTarget> target);
  // Joins a round that begins no later than `delay` from now, by the clock.
  void request_within(std::shared_ptr<FlushTarget> target, std::chrono::milliseconds delay);
  // No target is flushed after it returns. Not from inside a flush().
  void stop();
  // Looks at the deadlines anew: for a clock that was turned by hand, which the threads cannot sleep by.
  void clock_changed();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sillok::storage
