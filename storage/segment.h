// One contiguous run of record batches in a `.log` file, and the two sparse indexes over it. Layout:
// storage/FORMAT.md.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "storage/batch_walk.h"
#include "storage/log.h"
#include "storage/log_config.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace sillok::storage {

// The greatest timestamp of a segment, and the last offset of the first batch that has it.
struct MaxTimestamp {
  TimestampMs timestamp = kNoTimestamp;
  Offset offset;
};

// Bytes that are damaged for good: never cut, never served. Empty at the end of a segment where bytes are
// missing.
struct DamagedRange {
  FilePosition begin;
  FilePosition end;
  Offset first_offset;  // the offsets that were, or may have been, in there
  Offset next_offset;
};

// One batch of an append.
struct AppendedBatch {
  Offset base_offset;
  Offset last_offset;
  TimestampMs max_timestamp = kNoTimestamp;
  FilePosition position;
  ByteCount size = 0;
};

// Where a read begins: the batch, and the open file.
struct FoundBatch {
  std::shared_ptr<const File> file;
  FilePosition position;
  ByteCount size = 0;
};

// Threading: find() and the accessors from any thread; the rest under the lock of the Log.
// Durability: none of its own; Log::flush() syncs file().
// Failure: after a failed append() the bytes past end() are unknown; roll_back() may take them away once.
// Invariants: end() is a batch boundary; bytes below it never change; every index entry names a batch below
// it.
class Segment {
 public:
  // Makes the three files, empty. Errc::already_exists.
  static Result<std::shared_ptr<Segment>> create(const LogFiles* files, Offset base);
  // Takes the file's size for its end; looks at nothing else.
  static Result<std::shared_ptr<Segment>> open(const LogFiles* files, Offset base);
  Segment(const LogFiles* files, Offset base)
      : files_(files), base_(base), index_(files, base), times_(files, base) {}

  Offset base_offset() const { return base_; }
  FilePosition end() const { return FilePosition(end_.load(std::memory_order_acquire)); }
  ByteCount size() const { return end() - FilePosition(0); }

  // The first batch whose last offset is not below `from`; nullopt where there is none below end().
  // Errc::malformed or not_found say that the index needs to be built anew; Errc::corrupt, that the log is
  // damaged there.
  Result<std::optional<FoundBatch>> find(Offset from, IoMode mode);
  // Makes a slice that find() began end with a whole batch; none is left of one that is smaller than its
  // first. Remembers where the next read goes on. A slice stays as it is where the index does not help.
  void cut_to_batches(FileSlice& slice, ByteCount first_batch_size, IoMode mode);
  // Where reading from `position` must stop, for damage or the end.
  FilePosition readable_end(FilePosition position) const;
  // Where reading goes on behind the damage that begins at `position`; `position` where there is none.
  FilePosition damage_end(FilePosition position) const;
  // The open file. Errc::would_block in mode resident_only where it is not open.
  Result<std::shared_ptr<File>> file(IoMode mode) const;
  // From the time index, if the segment was opened and never appended to; Errc::malformed or not_found as
  // find().
  Result<MaxTimestamp> max_timestamp();

  // For a segment whose records have no timestamps: the last append, or what the file says of it; where
  // neither is known, when this was first asked.
  TimestampMs last_changed(TimestampMs now);
  void note_change(TimestampMs now) { changed_ = now; }

  // Kafka's conditions (LogSegment.shouldRoll) for a batch that would go to batch.position.
  bool should_roll(const LogConfig& config, const AppendedBatch& batch, TimestampMs now) const;
  // Gets what should_roll() and append() need from disk, once.
  Result<void> prepare_appends(TimestampMs now);
  // Writes the parts at end(), and moves end(). Requires: prepare_appends() succeeded.
  Result<void> append(std::span<const ByteView> parts, std::span<const AppendedBatch> batches,
                      const LogConfig& config);
  // After a failed append(): cuts what it left.
  Result<void> roll_back();
  // Writes both indexes whole, the final time entry included, and gives reserved space back.
  Result<void> seal();
  // Gives the blocks behind end() back that reserve() got.
  Result<void> give_back_reserved();
  // Writes the entries that wait in memory.
  Result<void> write_indexes();

  // Keeps the file open until release_file(): it has bytes that are not synced, or gets more.
  Result<void> hold_file();
  void release_file();

  OffsetIndex& offset_index() { return index_; }
  TimeIndex& time_index() { return times_; }
  const LogFiles& files() const { return *files_; }

  // For recovery.
  // Puts a batch that is in the file into the indexes. Requires: prepare_appends() succeeded.
  Result<void> replay(const BatchPlace& batch, const LogConfig& config);
  // Gives the blocks behind end() back that a process before this one reserved.
  Result<void> give_back_all();
  // Empties both, so that replay() can fill them.
  Result<void> reset_indexes();
  void set_end(FilePosition end) { end_.store(end.value, std::memory_order_release); }
  void set_max_timestamp(const MaxTimestamp& value);
  void set_damage(std::vector<DamagedRange> damage) { damage_ = std::move(damage); }
  const std::vector<DamagedRange>& damage() const { return damage_; }

  void check_invariants();

 private:
  struct Recent {
    Offset base_offset;
    Offset last_offset{-1};
    FilePosition position;
    ByteCount size = 0;
  };
  static constexpr std::size_t kRecentCount = 8;

  bool is_index_lost(FilePosition walked) const;
  Result<void> check_final_time_entry(const MaxTimestamp& entry);
  void note_batches(std::span<const AppendedBatch> batches, const LogConfig& config);
  void add_index_entry(const AppendedBatch& batch);
  void reserve(ByteCount more, const LogConfig& config);
  std::optional<Recent> find_recent(Offset from) const;
  Result<std::optional<BatchPlace>> batch_across(const File& file, FilePosition from, FilePosition position,
                                                 IoMode mode);

  const LogFiles* const files_;
  const Offset base_;
  std::atomic<std::int64_t> end_{0};
  OffsetIndex index_;
  TimeIndex times_;
  // The index was made by this process: where it is empty, it has to be.
  std::atomic<bool> is_index_own_{false};
  std::vector<DamagedRange> damage_;  // set before the segment is shared

  mutable std::mutex mutex_;                 // for what follows, up to the blank line; held for copies only
  std::shared_ptr<File> file_;               // null: the cache has it
  mutable std::weak_ptr<File> cached_file_;  // what the cache, or a reader, has open
  std::array<Recent, kRecentCount> recent_;  // the latest appends, where consumers at the tail go on
  std::size_t recent_next_ = 0;
  // Batches that reads ended before, where consumers behind the tail go on. Null until there is one.
  std::unique_ptr<std::array<Recent, kRecentCount>> read_ends_;
  std::size_t read_ends_next_ = 0;
  std::optional<MaxTimestamp> max_timestamp_;

  // Of appends.
  bool prepared_ = false;
  TimestampMs first_timestamp_ = kNoTimestamp;
  TimestampMs created_ = kNoTimestamp;  // by Kafka's meaning: when it was made or opened for appends
  TimestampMs changed_ = kNoTimestamp;
  std::int64_t last_indexed_position_ = 0;
  std::int64_t reserved_end_ = 0;
};

}  // namespace sillok::storage
