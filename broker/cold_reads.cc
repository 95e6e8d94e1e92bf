#include "broker/cold_reads.h"

#include <algorithm>
#include <utility>

namespace sillok::broker {

Result<void> ColdReads::bring_in(const storage::FileSlice& slice, ReadWidth width) {
  TRY(read(slice, width));
  if (kept_max_ < 0) return {};
  {
    const std::lock_guard lock(mutex_);
    forget(slice);
    kept_.push_back({slice.file, slice.position, slice.size});
    kept_bytes_ += slice.size;
  }
  give_back_oldest();
  return {};
}

Result<void> ColdReads::read(const storage::FileSlice& slice, ReadWidth width) {
  std::unique_lock lock(one_read_, std::defer_lock);
  if (width == ReadWidth::one_at_a_time) lock.lock();
  return slice.file->make_resident(slice.position, slice.size);
}

// Two that read the same are counted once, from the later one on.
void ColdReads::forget(const storage::FileSlice& slice) {
  const auto is_same = [&](const Range& range) {
    return range.position == slice.position && range.size == slice.size &&
           !range.file.owner_before(slice.file) && !slice.file.owner_before(range.file);
  };
  const auto found = std::find_if(kept_.begin(), kept_.end(), is_same);
  if (found == kept_.end()) return;
  kept_bytes_ -= found->size;
  kept_.erase(found);
}

// One range at a time, without the lock: the system takes a while for it.
void ColdReads::give_back_oldest() {
  for (;;) {
    Range oldest;
    {
      const std::lock_guard lock(mutex_);
      if (kept_bytes_ <= kept_max_ || kept_.size() < 2) return;
      oldest = std::move(kept_.front());
      kept_.pop_front();
      kept_bytes_ -= oldest.size;
    }
    if (const auto file = oldest.file.lock()) file->give_back(oldest.position, oldest.size);
  }
}

}  // namespace sillok::broker
