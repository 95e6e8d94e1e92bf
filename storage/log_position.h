// A batch boundary: its offset, and where it lies in the files.
#pragma once

#include <atomic>
#include <compare>

#include "protocol/base/ids.h"

namespace sillok::storage {

// Positions of one log compare by offset alone.
struct LogPosition {
  Offset offset;
  Offset segment_base;    // the segment that the next byte belongs to
  FilePosition position;  // in that segment's .log

  friend bool operator==(const LogPosition& a, const LogPosition& b) { return a.offset == b.offset; }
  friend auto operator<=>(const LogPosition& a, const LogPosition& b) { return a.offset <=> b.offset; }
};

// A LogPosition that one thread at a time writes and any thread reads without a lock, always whole (a
// sequence lock of atomics, since 16-byte atomics are not lock-free here).
class PublishedPosition {
 public:
  // Requires: no other store() at the same time.
  void store(const LogPosition& value) {
    const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    offset_.store(value.offset.value, std::memory_order_release);
    segment_base_.store(value.segment_base.value, std::memory_order_release);
    position_.store(value.position.value, std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
  }
  LogPosition load() const {
    for (;;) {
      const std::uint32_t before = sequence_.load(std::memory_order_acquire);
      const LogPosition value{Offset(offset_.load(std::memory_order_acquire)),
                              Offset(segment_base_.load(std::memory_order_acquire)),
                              FilePosition(position_.load(std::memory_order_acquire))};
      // Had a load seen a value of a later store, it would have seen that store's odd sequence number as
      // well.
      if ((before & 1) == 0 && sequence_.load(std::memory_order_relaxed) == before) return value;
    }
  }
  Offset offset() const { return Offset(offset_.load(std::memory_order_acquire)); }

 private:
  std::atomic<std::uint32_t> sequence_{0};
  std::atomic<std::int64_t> offset_{0};
  std::atomic<std::int64_t> segment_base_{0};
  std::atomic<std::int64_t> position_{0};
};

}  // namespace sillok::storage
