#include "storage/kafka_swaps.h"

#include <algorithm>
#include <optional>

#include "storage/batch_walk.h"
#include "storage/format.h"

namespace sillok::storage {
namespace {

struct Swap {
  Offset base;
  std::string suffix;  // of the name that it is to have
  std::string name;
};

// What the new segments stand for: the old ones that begin in [begin, end).
struct Span {
  Offset begin;
  Offset end;
};

class Swaps {
 public:
  Swaps(FileSystem& file_system, const std::string& folder, std::vector<std::string>& notes)
      : file_system_(file_system), folder_(folder), notes_(notes) {}

  Result<bool> complete() {
    TRY(list());
    if (swaps_.empty()) return false;
    TRY(undo_incomplete());
    if (swaps_.empty()) return true;
    const Span span = TRY(covered());
    for (const Swap& old : old_) {
      if (old.base >= span.begin && old.base < span.end) TRY(file_system_.remove(path_of(old.name)));
    }
    // An old segment that came back would stand between the new ones.
    TRY(file_system_.sync_directory(folder_));
    // As long as the `.log` has not got its name, an index that has got it counts as old.
    std::ranges::stable_partition(swaps_, [](const Swap& swap) { return swap.suffix == kLogSuffix; });
    for (const Swap& swap : swaps_)
      TRY(file_system_.rename(path_of(swap.name), path_of(offset_file_name(swap.base, swap.suffix))));
    if (span.begin < span.end)
      notes_.push_back(folder_ + ": a compaction that Kafka had begun was completed, of offsets " +
                       std::to_string(span.begin.value) + " to " + std::to_string(span.end.value - 1));
    TRY(file_system_.sync_directory(folder_));
    return true;
  }

 private:
  std::string path_of(std::string_view name) const { return join_path(folder_, name); }

  Result<void> list() {
    for (const DirectoryEntry& entry : TRY(file_system_.list_directory(folder_))) {
      const auto name = parse_offset_file_name(entry.name);
      if (!name || entry.is_directory) continue;
      if (name->suffix.ends_with(kCleanedSuffix)) {
        least_cleaned_ = std::min(least_cleaned_.value_or(name->base), name->base);
      } else if (name->suffix.ends_with(kSwapSuffix)) {
        const auto bare = name->suffix.substr(0, name->suffix.size() - kSwapSuffix.size());
        swaps_.push_back({name->base, std::string(bare), entry.name});
      } else if (name->suffix == kLogSuffix || name->suffix == kOffsetIndexSuffix ||
                 name->suffix == kTimeIndexSuffix || name->suffix == kTransactionIndexSuffix) {
        old_.push_back({name->base, std::string(name->suffix), entry.name});
      }
    }
    return {};
  }

  // Where a `*.cleaned` is left, Kafka had not come to the old segments of it and of what lies behind it.
  Result<void> undo_incomplete() {
    if (!least_cleaned_) return {};
    const auto is_incomplete = [this](const Swap& swap) { return swap.base >= *least_cleaned_; };
    for (const Swap& swap : swaps_) {
      if (is_incomplete(swap)) TRY(file_system_.remove(path_of(swap.name)));
    }
    if (std::erase_if(swaps_, is_incomplete) == 0) return {};
    notes_.push_back(folder_ + ": a compaction that Kafka had begun was undone");
    // Before the `*.cleaned` go, which tell them from those that count.
    return file_system_.sync_directory(folder_);
  }

  Result<Span> covered() const {
    std::optional<Span> span;
    for (const Swap& swap : swaps_) {
      if (swap.suffix != kLogSuffix) continue;
      const Offset end = TRY(end_of(swap));
      if (!span) span = Span{swap.base, end};
      span = Span{std::min(span->begin, swap.base), std::max(span->end, end)};
    }
    // Indexes alone: their segment has its name already.
    return span.value_or(Span{swaps_.front().base, swaps_.front().base});
  }

  // At least the old segment of its own name goes, also for one without a record.
  Result<Offset> end_of(const Swap& swap) const {
    const auto file = TRY(file_system_.open(path_of(swap.name), OpenMode::read));
    BatchWalk walk(*file, FilePosition(0), TRY(file->size()), IoMode::may_block);
    Offset end = swap.base + 1;
    for (;;) {
      const auto place = TRY(walk.next());
      if (!place) return end;
      if (place->header.base_offset < swap.base)
        return Error{Errc::corrupt, path_of(swap.name) + ": begins before its name says"};
      end = place->header.next_offset();
    }
  }

  FileSystem& file_system_;
  const std::string& folder_;
  std::vector<std::string>& notes_;
  std::vector<Swap> swaps_;
  std::vector<Swap> old_;
  std::optional<Offset> least_cleaned_;
};

}  // namespace

Result<bool> complete_swaps(FileSystem& file_system, const std::string& folder,
                            std::vector<std::string>& notes) {
  return Swaps(file_system, folder, notes).complete();
}

}  // namespace sillok::storage
