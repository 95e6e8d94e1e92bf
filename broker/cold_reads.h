// Reads of data that is not in memory, which must not push out what the others need.
//
// A replay of a log that is larger than the memory would otherwise fill the page cache with what nobody reads
// again, and whoever appends then waits while the system looks for memory (KAFKA-7504). So what was brought
// in is given back when as much came after it: consumers that follow each other closely still find it there.
//
// Nor may they fill the disk's queue, where a flush that a producer waits for would stand behind them.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "storage/log.h"

namespace sillok::broker {

// How many reads may be under way at the disk.
enum class ReadWidth {
  all,
  one_at_a_time,  // a flush waits for little more than one; the disk reads at half to three quarters of its
                  // speed
};

// Threading: any thread that may wait for the disk.
class ColdReads {
 public:
  // `kept_max`: bytes; negative: nothing is given back.
  explicit ColdReads(ByteCount kept_max) : kept_max_(kept_max) {}

  // Brings the slice into memory, and gives back what is too old by then.
  // Errors: those of File::make_resident().
  Result<void> bring_in(const storage::FileSlice& slice, ReadWidth width);

 private:
  struct Range {
    // What was closed meanwhile stays in memory until the system finds it itself.
    std::weak_ptr<const storage::File> file;
    FilePosition position;
    ByteCount size;
  };
  Result<void> read(const storage::FileSlice& slice, ReadWidth width);
  void forget(const storage::FileSlice& slice);
  void give_back_oldest();

  const ByteCount kept_max_;
  std::mutex one_read_;     // held over a read that is to be the only one; taken before mutex_
  std::mutex mutex_;        // guards what follows
  std::deque<Range> kept_;  // oldest first
  ByteCount kept_bytes_ = 0;
};

}  // namespace sillok::broker
