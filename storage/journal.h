// The commit journal of a log directory: makes the appends of many partitions durable with one write and one
// fdatasync, by a copy of the batches in files that never grow. The segments are synced later, and then the
// copy is not needed any more. Files and crash rules: storage/FORMAT.md, section 11.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/clock.h"
#include "storage/flusher.h"
#include "storage/journal_files.h"
#include "storage/journal_frame.h"
#include "storage/journal_replay.h"

namespace sillok::storage {

// What a partition does to have its appends made durable by the journal.
class JournalTarget : public FlushTarget {
 public:
  virtual JournalKey journal_key() const = 0;
  enum class Contribution {
    added,    // committed() or not_committed() follows
    nothing,  // all is durable
    no_room,  // the frame is too full: comes again in the next one
    unfit,    // its segments must be synced instead
  };
  // Adds to the frame what was appended and is not durable, all of it up to one place. On the journal's
  // thread, as are the next two.
  virtual Contribution contribute(JournalFrame& frame) = 0;
  // What contribute() added is durable.
  virtual void committed() = 0;
  // It is not, and flush() follows.
  virtual void not_committed() = 0;

 private:
  friend class Journal;
  std::atomic<bool> waits_{false};  // for the next round
};

struct JournalOptions {
  JournalFilesOptions files;
  // As many requests go to the flusher before the first file is made: who hardly asks needs none.
  std::int64_t requests_before = 64;
  ByteCount frame_size_max = kJournalFrameSizeMax;
};

// Threading: every call from any thread, but for open(), start(), stop() and close().
// Durability: a target's committed() is called once its bytes, and all before them, are on disk. They stay
//   in the journal until its segments were synced past them.
// Failure: a round that cannot be written is flushed to the segments instead, and so is everything after a
//   write that failed; entries of a partition whose segments do not sync are kept, also over a restart.
class Journal {
 public:
  // Reads what an unclean stop left. Nothing is written before start().
  static Result<std::unique_ptr<Journal>> open(const JournalOptions& options,
                                               std::vector<std::string>& warnings);
  ~Journal();

  // For recovery.
  const JournalReplay& replay() const;
  // The partition is open, with everything that the journal had of it.
  void restored(const JournalKey& key);
  // Entries of all other partitions are needed no more: these are gone.
  void keep_only(const std::vector<JournalKey>& keys);

  // Rounds begin; what is not for the journal goes to `flusher`, which must live as long.
  void start(Flusher& flusher, const Clock& clock);
  // They join the next round, the same one. Requires: start().
  void request(std::span<const std::shared_ptr<JournalTarget>> targets);
  void request(const std::shared_ptr<JournalTarget>& target) { request(std::span(&target, 1)); }
  // A sync of everything that a partition has begins, and has worked: its entries from before are needed no
  // more. One sync of a partition at a time.
  void sync_begins(const JournalKey& key);
  void sync_succeeded(const JournalKey& key);
  // The partition is deleted, its folder renamed or about to be.
  void release(const JournalKey& key);
  // Durably: what the journal has of the partition counts no more. To be called after everything of it was
  // synced, and before its log is cut. May block.
  Result<void> forget(const JournalKey& key);
  // No target is called after it returns.
  void stop();
  // After stop(), and after all segments were synced: removes the files, durably.
  Result<void> close();

  // Without start(), on the caller's thread: a round of this target alone, and a file to write it to. False
  // where flush() must do it, or where something must be flushed to make room.
  bool commit_now(std::shared_ptr<JournalTarget> target);
  Result<bool> add_file_now();

  // For tests and figures.
  std::int64_t round_count() const;
  bool is_in_use() const;  // there is a file to write to

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sillok::storage
