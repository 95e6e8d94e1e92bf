// One log directory's device as the partitions on it see it: is it calm enough for a reactor to write by
// itself, how much is waiting for a flush, and is there room for more.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/disk_space.h"
#include "broker/executor.h"
#include "protocol/base/ids.h"
#include "storage/clock.h"
#include "storage/flusher.h"
#include "storage/journal.h"

namespace sillok::broker {

// An append that takes longer than this says that the kernel makes writers wait. On a busy core a thread that
// is only preempted loses some 4 ms a turn, and must not be taken for one that waits.
inline constexpr std::chrono::milliseconds kSlowAppend{20};
// How long all appends must have been quick before reactors write by themselves again.
inline constexpr std::chrono::milliseconds kCalmAfter{100};

// How long after somebody last asked for one a device counts as one whose flushes are waited for.
inline constexpr std::chrono::milliseconds kFlushesAwaitedFor{1000};

// How many bytes of appends may wait for a device that stalls before their producers must.
inline constexpr ByteCount kQueuedBytesMax = 64 << 20;

// Targets that have nothing to flush any more, whose memory in the table is kept for others.
inline constexpr std::size_t kSpareTargetsMax = 64;

// Threading: any thread.
class Device {
 public:
  // `writer` runs appends while the device is not calm: one thread, so that a stall holds that and no
  // reactor.
  Device(const storage::Clock& clock, storage::Flusher& flusher, Executor& writer, ByteCount unflushed_max)
      : clock_(clock), flusher_(flusher), writer_(writer), unflushed_max_(unflushed_max) {}

  const storage::Clock& clock() const { return clock_; }
  storage::Flusher& flusher() { return flusher_; }
  // Null: everything that must be durable is flushed.
  storage::Journal* journal() { return journal_; }
  // Before anything is appended.
  void use(storage::Journal& journal) { journal_ = &journal; }
  Executor& writer() { return writer_; }
  DiskSpace& space() { return space_; }

  // Whether a reactor may append by itself now.
  bool is_calm() const;
  // Every append reports how long its write took.
  void note_append(storage::SteadyTime began, storage::SteadyTime ended);

  // Somebody waits until what these have appended is on disk: they join the journal's next round, or the
  // flusher's.
  void request_durability(std::span<const std::shared_ptr<storage::JournalTarget>> targets);
  // Whether somebody did of late: what else is read or written here makes them wait.
  bool has_awaited_flushes() const;

  // Bytes that were appended and wait for a flush. Past the limit appends wait, and all that has such bytes
  // is flushed at once, however long it might have waited.
  void add_unflushed(ByteCount bytes, const std::shared_ptr<storage::FlushTarget>& target);
  // Of what the target had added. Others may add to it meanwhile, and even be late with what is removed here.
  void remove_unflushed(ByteCount bytes, const storage::FlushTarget* target);
  // All that ever was flushed, for who measures how much came since.
  ByteCount flushed() const { return flushed_.load(std::memory_order_relaxed); }
  bool is_full() const { return unflushed_.load(std::memory_order_relaxed) > unflushed_max_; }
  // Calls back, from remove_unflushed(), once the device is not full any more. At once where it is not.
  void when_not_full(std::function<void()> resume) { wait_for_room(full_waiting_, std::move(resume)); }

  // Bytes of appends that wait to be written at all. While there are too many, or the device is full,
  // connections that produce are not read from.
  void add_queued(ByteCount bytes) { queued_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove_queued(ByteCount bytes);
  bool is_congested() const { return is_full() || queued_.load(std::memory_order_relaxed) > kQueuedBytesMax; }
  void when_not_congested(std::function<void()> resume) {
    wait_for_room(congested_waiting_, std::move(resume));
  }

 private:
  using Waiting = std::vector<std::function<void()>>;
  bool has_room_for(const Waiting& waiting) const {
    return &waiting == &full_waiting_ ? !is_full() : !is_congested();
  }
  void wait_for_room(Waiting& waiting, std::function<void()> resume);
  void resume(Waiting& waiting);
  void flush_everything();
  struct Unflushed {
    ByteCount bytes = 0;
    std::weak_ptr<storage::FlushTarget> target;
  };
  using Targets = std::unordered_map<const storage::FlushTarget*, Unflushed>;
  // With mutex_ held. An entry that comes to 0 bytes is none any more.
  Targets::iterator entry_of(const storage::FlushTarget* target);
  void add_bytes(Targets::iterator entry, ByteCount bytes);

  const storage::Clock& clock_;
  storage::Flusher& flusher_;
  storage::Journal* journal_ = nullptr;
  Executor& writer_;
  DiskSpace space_;
  const ByteCount unflushed_max_;
  std::atomic<ByteCount> unflushed_{0};
  std::atomic<storage::SteadyTime::rep> calm_at_{0};           // 0: calm
  std::atomic<storage::SteadyTime::rep> awaited_flush_at_{0};  // 0: there was none
  std::atomic<ByteCount> flushed_{0};
  std::atomic<ByteCount> queued_{0};
  std::mutex mutex_;  // guards what follows
  Targets unflushed_targets_;
  std::vector<Targets::node_type> spare_targets_;
  Waiting full_waiting_;
  Waiting congested_waiting_;
};

}  // namespace sillok::broker
