#include "storage/flusher.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace sillok::storage {
namespace {

using std::chrono::milliseconds;

// Counts its flushes; holds them while the gate is shut.
class Target final : public FlushTarget {
 public:
  void flush() override {
    if (inside_.exchange(true)) flushed_by_two_ = true;
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    ++ended_;
    inside_ = false;
    changed_.notify_all();
  }

  void shut() { set_open(false); }
  void open() { set_open(true); }
  void wait_for_begun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= count; });
  }
  void wait_for_ended(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ >= count; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  bool flushed_by_two() const { return flushed_by_two_; }

 private:
  void set_open(bool is_open) {
    const std::lock_guard lock(mutex_);
    is_open_ = is_open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  int begun_ = 0;
  int ended_ = 0;
  std::atomic<bool> inside_{false};
  std::atomic<bool> flushed_by_two_{false};
};

struct Fixture {
  explicit Fixture(std::size_t thread_count) : flusher(thread_count, clock) {
    clock.on_change([this] { flusher.clock_changed(); });
  }
  // When it returns, every round that was due has ended: a round of this one cannot begin before.
  void finish_rounds() {
    const auto last = std::make_shared<Target>();
    flusher.request(last);
    last->wait_for_ended(1);
  }

  tests::ManualClock clock;
  Flusher flusher;
};

TEST_CASE("flusher: a target that asks is flushed once") {
  Fixture fixture(2);
  const auto target = std::make_shared<Target>();
  fixture.flusher.request(target);
  target->wait_for_ended(1);
  fixture.finish_rounds();
  CHECK(target->begun() == 1);
}

TEST_CASE("flusher: whoever asks during a round is in the next one, and asking often is asking once") {
  Fixture fixture(2);
  const auto slow = std::make_shared<Target>();
  const auto other = std::make_shared<Target>();
  slow->shut();
  fixture.flusher.request(slow);
  slow->wait_for_begun(1);
  for (int i = 0; i < 10; ++i) {
    fixture.flusher.request(other);
    fixture.flusher.request(slow);
    fixture.flusher.request_within(slow, milliseconds(50));
  }
  CHECK(other->begun() == 0);  // one round at a time, though a thread is free
  slow->open();
  slow->wait_for_ended(2);
  other->wait_for_ended(1);
  fixture.clock.advance(milliseconds(100));
  fixture.finish_rounds();
  CHECK(slow->begun() == 2);
  CHECK(other->begun() == 1);
}

TEST_CASE("flusher: the targets of a round are flushed at the same time") {
  constexpr int kThreadCount = 4;
  Fixture fixture(kThreadCount);
  const auto first = std::make_shared<Target>();
  first->shut();
  fixture.flusher.request(first);
  first->wait_for_begun(1);
  std::vector<std::shared_ptr<Target>> targets;
  for (int i = 0; i < kThreadCount; ++i) {
    targets.push_back(std::make_shared<Target>());
    targets.back()->shut();
    fixture.flusher.request(targets.back());
  }
  first->open();
  for (const auto& target : targets) target->wait_for_begun(1);  // all are held, so all are inside
  for (const auto& target : targets) target->open();
  for (const auto& target : targets) target->wait_for_ended(1);
}

TEST_CASE("flusher: a target that can wait is flushed when its time comes and not before") {
  Fixture fixture(2);
  const auto patient = std::make_shared<Target>();
  const auto sooner = std::make_shared<Target>();
  fixture.flusher.request_within(patient, milliseconds(1000));
  fixture.flusher.request_within(sooner, milliseconds(400));
  fixture.clock.advance(milliseconds(399));
  fixture.finish_rounds();
  CHECK(sooner->begun() == 0);
  fixture.clock.advance(milliseconds(1));
  sooner->wait_for_ended(1);
  CHECK(patient->begun() == 0);
  fixture.clock.advance(milliseconds(600));
  patient->wait_for_ended(1);
}

TEST_CASE("flusher: the earliest of several deadlines holds") {
  Fixture fixture(1);
  const auto target = std::make_shared<Target>();
  fixture.flusher.request_within(target, milliseconds(1000));
  fixture.flusher.request_within(target, milliseconds(100));
  fixture.flusher.request_within(target, milliseconds(500));
  fixture.clock.advance(milliseconds(100));
  target->wait_for_ended(1);
  fixture.clock.advance(milliseconds(2000));
  fixture.finish_rounds();
  CHECK(target->begun() == 1);
}

TEST_CASE("flusher: a round that a target joins by an urgent request serves its deadline too") {
  Fixture fixture(1);
  const auto target = std::make_shared<Target>();
  fixture.flusher.request_within(target, milliseconds(1000));
  fixture.flusher.request(target);
  target->wait_for_ended(1);
  fixture.clock.advance(milliseconds(2000));
  fixture.finish_rounds();
  CHECK(target->begun() == 1);
}

TEST_CASE("flusher: by the system's clock a deadline needs nobody to wake it") {
  Flusher flusher(2, system_clock());
  const auto target = std::make_shared<Target>();
  const SteadyTime asked = system_clock().steady();
  flusher.request_within(target, milliseconds(20));
  target->wait_for_ended(1);
  CHECK(system_clock().steady() - asked >= milliseconds(20));
}

TEST_CASE("flusher: a delay without end is no deadline in the past") {
  Fixture fixture(1);
  const auto target = std::make_shared<Target>();
  fixture.flusher.request_within(target, milliseconds::max());
  fixture.finish_rounds();
  CHECK(target->begun() == 0);
}

TEST_CASE("flusher: after stop nothing is flushed, and what waited is let go") {
  Fixture fixture(2);
  const auto waiting = std::make_shared<Target>();
  const auto running = std::make_shared<Target>();
  running->shut();
  fixture.flusher.request(running);
  running->wait_for_begun(1);
  fixture.flusher.request(waiting);
  fixture.flusher.request_within(waiting, milliseconds(1));
  std::thread stopper([&] { fixture.flusher.stop(); });
  // The stop has let go of what waited, but goes on until the running flush has ended.
  while (waiting.use_count() > 1) std::this_thread::yield();
  running->open();
  stopper.join();
  CHECK(running->begun() == 1);
  fixture.flusher.request(waiting);
  fixture.clock.advance(milliseconds(10));
  fixture.flusher.stop();
  CHECK(waiting->begun() == 0);
  CHECK(waiting.use_count() == 1);
}

TEST_CASE("flusher: a target lives until its flush has ended, and no longer") {
  Fixture fixture(2);
  auto target = std::make_shared<Target>();
  const std::weak_ptr<Target> seen = target;
  target->shut();
  Target* raw = target.get();
  fixture.flusher.request(std::move(target));
  raw->wait_for_begun(1);
  CHECK(!seen.expired());
  raw->open();
  fixture.finish_rounds();
  CHECK(seen.expired());
}

TEST_CASE("flusher: a slow target holds the others back by one of its flushes at most") {
  Fixture fixture(2);
  const auto slow = std::make_shared<Target>();
  const auto other = std::make_shared<Target>();
  slow->shut();
  fixture.flusher.request(slow);
  slow->wait_for_begun(1);
  fixture.flusher.request(slow);
  fixture.flusher.request(other);
  slow->open();
  slow->wait_for_ended(1);
  slow->shut();
  other->wait_for_ended(1);  // though slow may already be held in its second flush
  slow->open();
  slow->wait_for_ended(2);
}

// What a log does: whoever counted up before asking finds its count flushed.
class Counter final : public FlushTarget {
 public:
  void flush() override {
    if (inside_.exchange(true)) failed_ = true;
    const std::lock_guard lock(mutex_);
    flushed_ = counted_.load();
    inside_ = false;
    changed_.notify_all();
  }
  void count_and_wait(Flusher& flusher, const std::shared_ptr<FlushTarget>& self, bool urgent) {
    const int mine = ++counted_;
    if (urgent) {
      flusher.request(self);
    } else {
      flusher.request_within(self, milliseconds(1));
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return flushed_ >= mine; });
  }
  bool failed() const { return failed_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> counted_{0};
  int flushed_ = 0;
  std::atomic<bool> inside_{false};
  std::atomic<bool> failed_{false};
};

TEST_CASE("flusher: with many threads every request is answered, each target by one thread at a time") {
  Flusher flusher(3, system_clock());
  std::vector<std::shared_ptr<Counter>> counters;
  for (int i = 0; i < 5; ++i) counters.push_back(std::make_shared<Counter>());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 300; ++i) {
        const auto& counter = counters[static_cast<std::size_t>(i * 7 + thread) % counters.size()];
        counter->count_and_wait(flusher, counter, i % 50 != 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  flusher.stop();
  for (const auto& counter : counters) CHECK(!counter->failed());
}

}  // namespace
}  // namespace sillok::storage
