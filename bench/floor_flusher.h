// One thread that brings to the disk what acks=all waits for, in rounds: while one round is under way, all
// that comes joins the next. A probe of what durability costs, and no more: nothing reads the journal back.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/floor_log.h"
#include "protocol/base/bytes.h"

namespace sillok::bench {

// none: answered from the page cache. direct: fdatasync of each partition's file. journal: the batches also
// go to one preallocated file, one write and one fdatasync a round, overwritten in a circle.
enum class FlushMode { none, direct, journal };

// Threading: one thread calls; done() is what the flusher's thread reports to it through wake_descriptor().
class FloorFlusher {
 public:
  // With a journal, returns once its `journal_bytes` are zero-filled and on disk.
  FloorFlusher(FlushMode mode, const std::string& directory, ByteCount journal_bytes);
  FloorFlusher(const FloorFlusher&) = delete;
  FloorFlusher& operator=(const FloorFlusher&) = delete;
  ~FloorFlusher();

  FlushMode mode() const { return mode_; }
  // An eventfd that counts finished rounds.
  int wake_descriptor() const { return wake_descriptor_; }
  // A batch that was just appended. On disk once done() has reached what is returned.
  std::uint64_t add(FloorPartition& partition, ByteView batch);
  // Hands over what was added since the last call, if anything was.
  void hand_over();
  std::uint64_t done() const { return done_.load(std::memory_order_acquire); }

 private:
  void run();
  void flush_round();
  void write_journal();

  const FlushMode mode_;
  const ByteCount journal_bytes_;
  int journal_ = -1;
  ByteCount journal_position_ = 0;
  int wake_descriptor_ = -1;
  std::uint64_t collecting_ = 1;  // the number of the hand-over that add() adds to
  bool has_added_ = false;
  std::vector<int> added_;  // not before the last append of the hand-over: a flush may begin at any time
  std::atomic<std::uint64_t> done_ = 0;

  std::mutex mutex_;
  std::condition_variable handed_over_;
  bool stopping_ = false;  // with mutex_, as what follows
  std::uint64_t last_handed_over_ = 0;
  std::vector<int> dirty_;
  Bytes batches_;

  std::vector<int> round_dirty_;  // the flusher's own
  Bytes round_batches_;
  std::thread thread_;
};

}  // namespace sillok::bench
