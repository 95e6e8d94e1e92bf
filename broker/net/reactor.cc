#include "broker/net/reactor.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "storage/blocking_guard.h"

namespace sillok::broker {
namespace {

thread_local const Reactor* current_reactor = nullptr;

}  // namespace

// One thread runs the context: a concurrency hint of 1 spares its inner wake-ups.
Reactor::Reactor(std::size_t index, const storage::Clock& clock)
    : index_(index), clock_(clock), context_(1), timer_(context_), scratch_(kScratchBytes) {}

Reactor::~Reactor() = default;

bool Reactor::is_current() const { return current_reactor == this; }

void Reactor::run() {
  const storage::ForbidBlocking guard;
  current_reactor = this;
  const auto work = boost::asio::make_work_guard(context_);
  context_.run();
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
  if (must_schedule) boost::asio::post(context_, [this] { drain(); });
}

void Reactor::schedule_drain() {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (std::exchange(drain_scheduled_, true)) return;
  }
  boost::asio::post(context_, [this] { drain(); });
}

void Reactor::drain() {
  {
    const std::lock_guard lock(inbox_mutex_);
    drain_scheduled_ = false;
    taken_.swap(inbox_);
  }
  for (const std::shared_ptr<ReactorTask>& task : taken_) task->run();
  taken_.clear();
  // Ending a round can begin the next one: what comes meanwhile has scheduled a drain of its own.
  std::vector<std::shared_ptr<RoundEnd>> ends;
  ends.swap(round_ends_);
  for (const std::shared_ptr<RoundEnd>& who : ends) who->end_of_round();
}

void Reactor::at_end_of_round(std::shared_ptr<RoundEnd> who) {
  round_ends_.push_back(std::move(who));
  schedule_drain();
}

TimerId Reactor::call_at(storage::SteadyTime time, std::weak_ptr<Expirable> target) {
  const std::uint64_t id = next_timer_id_++;
  timers_by_id_[id] = timers_.insert({time, {id, std::move(target)}});
  arm_timer();
  return {id};
}

void Reactor::cancel(TimerId timer) {
  const auto found = timers_by_id_.find(timer.value);
  if (found == timers_by_id_.end()) return;
  timers_.erase(found->second);
  timers_by_id_.erase(found);
}

// Leaves a timer that is armed for an earlier time alone: it fires in vain at worst.
void Reactor::arm_timer() {
  if (timers_.empty()) return;
  const storage::SteadyTime first = timers_.begin()->first;
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
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Timer timer = std::move(timers_.begin()->second);
    timers_by_id_.erase(timer.id);
    timers_.erase(timers_.begin());
    if (const auto target = timer.target.lock()) target->expire();
  }
  arm_timer();
}

}  // namespace sillok::broker
