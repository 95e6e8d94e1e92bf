// Which frames of the journal are still needed, by whom.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/flusher.h"
#include "storage/journal_format.h"

namespace sillok::storage {

// A partition needs every frame from the first that has batches of it which no sync has covered since.
//
// Threading: any thread.
class JournalPins {
 public:
  // The frame has batches of the partition. `target` may be null: of an earlier run.
  void add(const JournalKey& key, std::uint64_t sequence, const std::weak_ptr<FlushTarget>& target);
  void sync_begins(const JournalKey& key);
  void sync_succeeded(const JournalKey& key);
  void release(const JournalKey& key);
  void keep_only(const std::vector<JournalKey>& keys);

  // The oldest frame that is needed; nullopt where none is.
  std::optional<std::uint64_t> oldest() const;
  // Adds who needs frames up to `sequence`.
  void holders(std::uint64_t sequence, std::vector<std::shared_ptr<FlushTarget>>& all) const;

 private:
  struct Pin {
    std::optional<std::uint64_t> first;
    bool is_syncing = false;
    std::optional<std::uint64_t> first_since_sync;
    std::weak_ptr<FlushTarget> target;
  };

  void set_first(Pin& pin, std::optional<std::uint64_t> sequence);

  mutable std::mutex mutex_;
  std::unordered_map<JournalKey, Pin> pins_;
  std::map<std::uint64_t, std::size_t> counts_;  // of the pins that begin at a frame
};

}  // namespace sillok::storage
