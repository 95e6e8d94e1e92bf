// One thread with its event loop. A Connection lives on one; its socket may go on as another one on another.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/durability_round.h"
#include "broker/net/receive_buffer.h"
#include "broker/reactor_port.h"
#include "protocol/base/bytes.h"
#include "storage/clock.h"

namespace sillok::broker {

// What one recv() takes at most: several frames, from any of the reactor's connections.
inline constexpr std::size_t kScratchBytes = 256 << 10;

// Timers that are gone, whose memory is kept for others.
inline constexpr std::size_t kSpareTimersMax = 1024;

// Threading: run_soon() and stop() from any thread; the rest on the reactor's own, or before run().
class Reactor final : public ReactorPort {
 public:
  // Somebody with answers to send at the end of the round.
  class RoundEnd {
   public:
    virtual ~RoundEnd() = default;
    virtual void end_of_round() = 0;
  };

  Reactor(std::size_t index, const storage::Clock& clock);
  ~Reactor() override;

  std::size_t index() const { return index_; }
  boost::asio::io_context& context() { return context_; }
  MutableByteView scratch() { return scratch_; }
  const std::shared_ptr<FramePool>& frame_pool() { return frame_pool_; }
  bool is_current() const;
  const storage::Clock& clock() const { return clock_; }

  // Runs until stop(). Marks the thread as one that must not wait for the disk.
  void run();
  void stop();

  void run_soon(std::shared_ptr<ReactorTask> task) override;
  TimerId call_at(storage::SteadyTime time, std::weak_ptr<Expirable> target) override;
  void cancel(TimerId timer) override;
  // Calls `who` once when the work at hand is done, so that all its answers leave together.
  void at_end_of_round(std::shared_ptr<RoundEnd> who);

 private:
  class DrainTask;
  template <class T>
  class DrainAllocator;

  void drain();
  void schedule_drain();
  void arm_timer();
  void fire_timers();

  const std::size_t index_;
  const storage::Clock& clock_;
  // Of the one drain() that may be scheduled.
  alignas(std::max_align_t) std::array<std::byte, 128> drain_memory_;
  boost::asio::io_context context_;
  boost::asio::steady_timer timer_;
  Bytes scratch_;
  const std::shared_ptr<FramePool> frame_pool_ = std::make_shared<FramePool>();

  std::mutex inbox_mutex_;
  std::vector<std::shared_ptr<ReactorTask>> inbox_;
  bool drain_scheduled_ = false;  // guarded by inbox_mutex_

  DurabilityRound durability_round_{[this] { schedule_drain(); }};
  std::vector<std::shared_ptr<ReactorTask>> taken_;
  std::vector<std::shared_ptr<RoundEnd>> round_ends_;
  std::vector<std::shared_ptr<RoundEnd>> ending_;

  struct TimerKey {
    storage::SteadyTime time;
    std::uint64_t id;
    auto operator<=>(const TimerKey&) const = default;
  };
  using Timers = std::map<TimerKey, std::weak_ptr<Expirable>>;
  void forget(Timers::iterator timer);
  Timers timers_;
  std::vector<Timers::node_type> spare_timers_;
  std::uint64_t next_timer_id_ = 1;
  std::optional<storage::SteadyTime> armed_for_;
};

}  // namespace sillok::broker
