// What the journal of an earlier run says of each partition: batches that were durable there, and may be
// missing in the segments.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/file_system.h"
#include "storage/journal_format.h"

namespace sillok::storage {

// Threading: add() and forget() by one thread before all else; the rest from any thread.
class JournalReplay {
 public:
  // In the order in which they were written. `file` has the entry's batches at `position`.
  void add(const JournalEntry& entry, std::uint64_t sequence, std::shared_ptr<const File> file,
           FilePosition position);

  // The batches that follow a log which ends at `end`, as far as they lie together in the journal and go to
  // the same segment; empty where the journal has none that begin exactly there.
  Result<Bytes> read_from(const JournalKey& key, const LogPosition& end) const;
  // Whether a segment has, in [from, end), what the newest entry for a place there says: then it has all that
  // came before it as well, since logs only grow. It has not where somebody else wrote there since. Requires:
  // what the segment has there are sound batches, so that it is no damage that makes the difference.
  Result<bool> agrees_with(const JournalKey& key, const File& segment, const LogPosition& from,
                           FilePosition end) const;
  // Whether batches of the partition begin a segment at `base`.
  bool begins_segment(const JournalKey& key, Offset base) const;
  // Behind the last batch of the partition.
  std::optional<LogPosition> end_of(const JournalKey& key) const;

  // Writes all batches of the partition that reach past `end` to a file, in the order in which the journal
  // has them, and returns their bytes.
  Result<ByteCount> copy_past(const JournalKey& key, Offset end, File& to) const;

  struct Known {
    JournalKey key;
    std::uint64_t first_sequence;
  };
  std::vector<Known> all() const;
  // The partition is open, and its entries are asked for no more.
  void drop(const JournalKey& key);

 private:
  struct Extent {
    JournalEntry entry;
    std::shared_ptr<const File> file;
    FilePosition position;
  };
  struct Partition {
    std::uint64_t first_sequence = 0;
    std::vector<Extent> extents;
  };

  mutable std::mutex mutex_;  // guards the map; extents are never changed once they are read
  std::unordered_map<JournalKey, std::shared_ptr<Partition>> partitions_;

  std::shared_ptr<const Partition> find(const JournalKey& key) const;
};

}  // namespace sillok::storage
