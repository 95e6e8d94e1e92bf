#include "broker/net/reactor.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "protocol/base/check.h"
#include "storage/blocking_guard.h"

namespace sillok::broker {
namespace {

thread_local const Reactor* current_reactor = nullptr;

}  // namespace

template <class T>
class Reactor::DrainAllocator {
 public:
  using value_type = T;

  explicit DrainAllocator(Reactor& reactor) : reactor_(&reactor) {}
  template <class U>
  DrainAllocator(const DrainAllocator<U>& other) : reactor_(other.reactor_) {}

  T* allocate(std::size_t count) {
    static_assert(sizeof(T) <= sizeof(Reactor::drain_memory_) && alignof(T) <= alignof(std::max_align_t));
    CHECK(count == 1);
    return reinterpret_cast<T*>(reactor_->drain_memory_.data());
  }
  void deallocate(T*, std::size_t) {}
  friend bool operator==(const DrainAllocator&, const DrainAllocator&) = default;

 private:
  template <class U>
  friend class DrainAllocator;
  Reactor* reactor_;
};

// Posted by any thread, so that Asio's own memory for it, which is each thread's, would not be used again.
class Reactor::DrainTask {
 public:
  using allocator_type = DrainAllocator<std::byte>;

  explicit DrainTask(Reactor& reactor) : reactor_(&reactor) {}
  allocator_type get_allocator() const { return allocator_type(*reactor_); }
  void operator()() const { reactor_->drain(); }

 private:
  Reactor* reactor_;
};

// One thread runs the context: a concurrency hint of 1 spares its inner wake-ups.
Reactor::Reactor(std::size_t index, const storage::Clock& clock)
    : index_(index), clock_(clock), context_(1), timer_(context_), scratch_(kScratchBytes) {}

Reactor::~Reactor() = default;

bool Reactor::is_current() const { return current_reactor == this; }

void Reactor::run() {
  const storage::ForbidBlocking guard;
  const DurabilityRound::Scope gathering(durability_round_);
  current_reactor = this;
  const auto work = boost::asio::make_work_guard(context_);
  context_.run();
  durability_round_.end();
  current_reactor = nullptr;
}

void Reactor::stop() { context_.stop(); }

void Reactor::run_soon(std::shared_ptr<ReactorTask> task) {
  bool must_schedule = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(task));
    must_schedule = !std::exchange(drain_scheduled_, true);
  }
  if (must_schedule) boost::asio::post(context_, DrainTask(*this));
}

void Reactor::schedule_drain() {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (std::exchange(drain_scheduled_, true)) return;
  }
  boost::asio::post(context_, DrainTask(*this));
}

void Reactor::drain() {
  {
    const std::lock_guard lock(inbox_mutex_);
    drain_scheduled_ = false;
    taken_.swap(inbox_);
  }
  for (const std::shared_ptr<ReactorTask>& task : taken_) task->run();
  taken_.clear();
  durability_round_.end();
  // Ending a round can begin the next one: what comes meanwhile has scheduled a drain of its own.
  ending_.swap(round_ends_);
  for (const std::shared_ptr<RoundEnd>& who : ending_) who->end_of_round();
  ending_.clear();
}

void Reactor::at_end_of_round(std::shared_ptr<RoundEnd> who) {
  round_ends_.push_back(std::move(who));
  schedule_drain();
}

TimerId Reactor::call_at(storage::SteadyTime time, std::weak_ptr<Expirable> target) {
  const TimerKey key{time, next_timer_id_++};
  if (spare_timers_.empty()) {
    timers_.emplace(key, std::move(target));
  } else {
    Timers::node_type timer = std::move(spare_timers_.back());
    spare_timers_.pop_back();
    timer.key() = key;
    timer.mapped() = std::move(target);
    timers_.insert(std::move(timer));
  }
  arm_timer();
  return {key.id, time};
}

void Reactor::cancel(TimerId timer) {
  const auto found = timers_.find({timer.time, timer.value});
  if (found != timers_.end()) forget(found);
}

void Reactor::forget(Timers::iterator timer) {
  Timers::node_type node = timers_.extract(timer);
  node.mapped().reset();
  if (spare_timers_.size() < kSpareTimersMax) spare_timers_.push_back(std::move(node));
}

// Leaves a timer that is armed for an earlier time alone: it fires in vain at worst.
void Reactor::arm_timer() {
  if (timers_.empty()) return;
  const storage::SteadyTime first = timers_.begin()->first.time;
  if (armed_for_ && *armed_for_ <= first) return;
  armed_for_ = first;
  timer_.expires_at(first);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;  // armed anew for an earlier time
    armed_for_.reset();
    fire_timers();
  });
}

void Reactor::fire_timers() {
  const storage::SteadyTime now = clock_.steady();
  while (!timers_.empty() && timers_.begin()->first.time <= now) {
    const std::shared_ptr<Expirable> target = timers_.begin()->second.lock();
    forget(timers_.begin());
    if (target) target->expire();
  }
  arm_timer();
}

}  // namespace sillok::broker
