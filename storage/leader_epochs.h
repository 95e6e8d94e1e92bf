// Which leader epoch wrote which part of a log (KIP-101, KIP-279, KIP-320), and its file. Layout:
// storage/FORMAT.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kLeaderEpochFileName = "leader-epoch-checkpoint";
inline constexpr ByteCount kLeaderEpochFileSizeMax = 16 << 20;
// Past it the oldest entries go; a question about their epochs is then answered as for epochs older than the
// log.
inline constexpr std::size_t kLeaderEpochCountMax = 100'000;

struct LeaderEpochEntry {
  LeaderEpoch epoch;
  Offset start_offset;
  friend bool operator==(const LeaderEpochEntry&, const LeaderEpochEntry&) = default;
};

// Threading: not thread-safe.
// Durability: none of its own: whoever changes it writes serialize() before the change may be relied on.
// Invariants: epochs and start offsets both rise from entry to entry, and neither is negative.
class LeaderEpochs {
 public:
  // Errc::malformed, naming the line, or unsupported_version.
  static Result<LeaderEpochs> parse(std::string_view text);
  std::string serialize() const;
  // Without entries where the file is missing.
  static Result<LeaderEpochs> read(FileSystem& file_system, const std::string& directory);
  // Durability: on disk when it returns; a crash leaves the old or the new content.
  Result<void> write(FileSystem& file_system, const std::string& directory) const;

  // From `start_offset` on, batches are of `epoch`. Entries that contradict it (as late, or of as great an
  // epoch) go. False where nothing changed: `epoch` is the latest, and begins no later than that. Requires:
  // neither is negative.
  bool assign(LeaderEpoch epoch, Offset start_offset);

  std::optional<LeaderEpochEntry> latest() const;
  // Of the batch that holds `offset`; nullopt below the first entry.
  std::optional<LeaderEpoch> epoch_at(Offset offset) const;

  struct End {
    LeaderEpoch epoch = kNoLeaderEpoch;
    Offset end_offset{-1};
    friend bool operator==(const End&, const End&) = default;
  };
  // OffsetForLeaderEpoch: the greatest epoch not past `requested`, and where its batches end. An epoch older
  // than all entries ends where the first begins; one past the latest is unknown: {-1, -1}.
  End end_offset_for(LeaderEpoch requested, Offset log_end) const;

  // The log now ends at `offset`. False where nothing changed.
  bool truncate_from_end(Offset offset);
  // The log now starts at `offset`: the entry that holds it starts there. False where nothing changed.
  bool truncate_from_start(Offset offset);
  void clear() { entries_.clear(); }

  const std::vector<LeaderEpochEntry>& entries() const { return entries_; }
  void check_invariants() const;

 private:
  std::vector<LeaderEpochEntry> entries_;
};

}  // namespace sillok::storage
