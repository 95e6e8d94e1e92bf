#include "storage/flusher.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/base/check.h"

namespace sillok::storage {
namespace {

// Longer delays are cut to this, so that no sum of times overflows. An earlier round than asked for does no
// harm.
constexpr std::chrono::milliseconds kDelayMax = std::chrono::hours(24);
constexpr std::size_t kThreadCountMax = 64;

}  // namespace

// One round at a time, because the rounds of one device would not run side by side anyway: an fdatasync that
// grows a file waits for a commit of the file system's journal, there is one journal, and a commit takes with
// it what every other file has in it. A second round beside the first would wait for the same commits with
// fewer targets in each. What comes of it: a target whose flush takes long holds back the others' next round
// by that one flush at most, since it is not flushed twice before they have had their turn.
//
// The threads take turns at leading. The leader is the only thread that sleeps by the deadlines; it begins
// the round and works in it itself, so that a round of one target costs no hand-over between threads. Whoever
// ends the last flush of a round leads next.
class Flusher::Impl {
 public:
  Impl(std::size_t thread_count, const Clock& clock) : thread_count_(thread_count), clock_(clock) {
    CHECK(thread_count > 0 && thread_count <= kThreadCountMax);
    threads_.reserve(thread_count);
    for (std::size_t index = 0; index < thread_count; ++index) threads_.emplace_back([this] { run(); });
  }

  void request(std::shared_ptr<FlushTarget> target) {
    CHECK(target != nullptr);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const auto [entry, is_new] = waiting_.try_emplace(target.get(), kAtOnce);
    if (!is_new) {
      if (entry->second == kAtOnce) return;
      later_.erase(later_.find(DelayedKey{entry->second, target.get()}));
      entry->second = kAtOnce;
    }
    next_.push_back(std::move(target));
    leader_wake_.notify_one();
  }

  void request_within(std::shared_ptr<FlushTarget> target, std::chrono::milliseconds delay) {
    CHECK(target != nullptr);
    const SteadyTime deadline = clock_.steady() + std::clamp(delay, std::chrono::milliseconds(0), kDelayMax);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const auto [entry, is_new] = waiting_.try_emplace(target.get(), deadline);
    if (!is_new) {
      if (entry->second <= deadline) return;  // kAtOnce is below every deadline
      later_.erase(later_.find(DelayedKey{entry->second, target.get()}));
      entry->second = deadline;
    }
    const auto place = later_.insert(Delayed{deadline, std::move(target)}).first;
    if (place == later_.begin()) leader_wake_.notify_one();
  }

  void stop() {
    const std::lock_guard one_stop(stop_mutex_);
    drop_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void clock_changed() {
    const std::lock_guard lock(mutex_);
    leader_wake_.notify_one();
  }

 private:
  static constexpr SteadyTime kAtOnce = SteadyTime::min();

  struct Delayed {
    SteadyTime deadline;
    std::shared_ptr<FlushTarget> target;
  };
  using DelayedKey = std::pair<SteadyTime, const FlushTarget*>;
  struct ByDeadline {
    using is_transparent = void;
    static DelayedKey key(const Delayed& entry) { return {entry.deadline, entry.target.get()}; }
    static DelayedKey key(const DelayedKey& key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) < key(b);
    }
  };
  using Lock = std::unique_lock<std::mutex>;

  void run() {
    pthread_setname_np(pthread_self(), "flusher");
    Lock lock(mutex_);
    for (;;) {
      if (round_position_ < round_.size()) {
        flush_one(lock);
      } else if (stopping_) {
        return;
      } else if (is_led_ || running_count_ > 0) {
        followers_wake_.wait(lock);
      } else {
        lead(lock);
      }
    }
  }

  void drop_all() {
    // Let go of outside the lock: a target's destructor may be anything.
    std::vector<std::shared_ptr<FlushTarget>> dropped;
    std::set<Delayed, ByDeadline> dropped_later;
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(next_);
    dropped_later.swap(later_);
    waiting_.clear();
    leader_wake_.notify_all();
    followers_wake_.notify_all();
  }

  // Takes one target of the round, flushes it and lets go of it.
  void flush_one(Lock& lock) {
    std::shared_ptr<FlushTarget> target = std::move(round_[round_position_++]);
    ++running_count_;
    lock.unlock();
    target->flush();
    target.reset();
    lock.lock();
    --running_count_;
  }

  // Waits until a round is due, begins it, and wakes the threads that it can use.
  void lead(Lock& lock) {
    is_led_ = true;
    while (!stopping_ && !begin_round()) {
      if (later_.empty()) {
        leader_wake_.wait(lock);
      } else {
        // A clock that does not move with the real one is looked at again whenever it says so
        // (clock_changed), and at the latest after the time that it would have needed.
        leader_wake_.wait_for(lock, later_.begin()->deadline - clock_.steady());
      }
    }
    is_led_ = false;
    for (std::size_t helper = 1; helper < std::min(round_.size(), thread_count_); ++helper) {
      followers_wake_.notify_one();
    }
  }

  bool begin_round() {
    const SteadyTime now = clock_.steady();
    while (!later_.empty() && later_.begin()->deadline <= now) {
      next_.push_back(std::move(later_.extract(later_.begin()).value().target));
    }
    round_.clear();
    round_.swap(next_);
    round_position_ = 0;
    for (const auto& target : round_) waiting_.erase(target.get());
    return !round_.empty();
  }

  const std::size_t thread_count_;
  const Clock& clock_;
  std::mutex stop_mutex_;  // one stop() at a time; taken before mutex_
  std::mutex mutex_;       // all below; never held over a flush
  std::condition_variable leader_wake_;
  std::condition_variable followers_wake_;
  bool stopping_ = false;
  bool is_led_ = false;
  // A target stands in one of next_ and later_ at most, so both have as many entries as there are logs, and
  // no more.
  std::unordered_map<const FlushTarget*, SteadyTime>
      waiting_;  // all in next_ (kAtOnce) and later_ (the deadline)
  std::vector<std::shared_ptr<FlushTarget>> next_;
  std::set<Delayed, ByDeadline> later_;
  std::vector<std::shared_ptr<FlushTarget>>
      round_;                       // the running round; empty pointers below round_position_
  std::size_t round_position_ = 0;  // of the first target that no thread has taken yet
  std::size_t running_count_ = 0;   // of the targets that are being flushed
  std::vector<std::thread> threads_;
};

Flusher::Flusher(std::size_t thread_count, const Clock& clock)
    : impl_(std::make_unique<Impl>(thread_count, clock)) {}
Flusher::~Flusher() { impl_->stop(); }

void Flusher::request(std::shared_ptr<FlushTarget> target) { impl_->request(std::move(target)); }
void Flusher::request_within(std::shared_ptr<FlushTarget> target, std::chrono::milliseconds delay) {
  impl_->request_within(std::move(target), delay);
}
void Flusher::stop() { impl_->stop(); }
void Flusher::clock_changed() { impl_->clock_changed(); }

}  // namespace sillok::storage
