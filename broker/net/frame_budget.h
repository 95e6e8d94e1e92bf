// The memory that large frames may take over all connections: while they are being received, and then what
// their requests keep of them until they are answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "broker/reactor_port.h"
#include "protocol/base/ids.h"

namespace sillok::broker {

// A frame reserves its whole declared size before its bytes are taken, first come first served. (Growing step
// by step under one cap would deadlock on half-received frames.)
//
// Threading: any thread.
class FrameBudget {
 public:
  // Somebody who waits for a reservation; run() on its reactor tells that it was made.
  class Waiter : public ReactorTask {
   public:
    virtual ReactorPort& reactor() = 0;
  };

  explicit FrameBudget(ByteCount limit) : limit_(limit) {}

  // False where it must be waited for.
  bool reserve_now(ByteCount bytes);
  // True where `bytes` are reserved now; false where `waiter` is in the queue.
  bool reserve(ByteCount bytes, std::shared_ptr<Waiter> waiter);
  // Leaves the queue. False where it was not in it any more: the reservation was made, and is the caller's to
  // release.
  bool cancel(const Waiter* waiter);
  void release(ByteCount bytes);

 private:
  struct Waiting {
    ByteCount bytes;
    std::shared_ptr<Waiter> waiter;
  };
  // A frame larger than the whole budget is let in when nothing else is.
  bool fits(ByteCount bytes) const { return reserved_ == 0 || reserved_ + bytes <= limit_; }

  const ByteCount limit_;
  std::mutex mutex_;
  ByteCount reserved_ = 0;
  std::deque<Waiting> queue_;
};

}  // namespace sillok::broker
