// What handlers and partitions know of a reactor: how to come back to its thread, and how to be called at a
// time.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/clock.h"

namespace sillok::broker {

// Work for a reactor's thread.
class ReactorTask {
 public:
  virtual ~ReactorTask() = default;
  virtual void run() = 0;
};

// Something that waits, but not for ever.
class Expirable {
 public:
  virtual ~Expirable() = default;
  // On the thread of the reactor whose timer it was.
  virtual void expire() = 0;
};

struct TimerId {
  std::uint64_t value = 0;  // 0: none
  storage::SteadyTime time{};
};

class ReactorPort {
 public:
  virtual ~ReactorPort() = default;

  // Any thread. Tasks that come while the reactor works are gathered and run together.
  virtual void run_soon(std::shared_ptr<ReactorTask> task) = 0;
  // The reactor's own thread only.
  virtual TimerId call_at(storage::SteadyTime time, std::weak_ptr<Expirable> target) = 0;
  virtual void cancel(TimerId timer) = 0;  // fine for timers that are gone
};

}  // namespace sillok::broker
