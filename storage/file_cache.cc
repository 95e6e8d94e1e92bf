#include "storage/file_cache.h"

#include <iterator>
#include <utility>

#include "protocol/base/check.h"

namespace sillok::storage {

FileCache::FileCache(FileSystem& file_system, std::size_t limit) : file_system_(file_system), limit_(limit) {
  CHECK(limit > 0);
}

Result<std::shared_ptr<File>> FileCache::open(const std::string& path) {
  std::uint64_t forget_count_before;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_path_.find(path); found != by_path_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->file;
    }
    forget_count_before = forget_count_;
  }
  auto file = TRY(file_system_.open(path, OpenMode::read_write));
  Entries evicted;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  // What the name meant when it was opened may be another file by now. Then this caller has the one it asked
  // for, and the next caller opens anew.
  if (forget_count_ != forget_count_before) return file;
  if (const auto found = by_path_.find(path); found != by_path_.end()) return found->second->file;
  entries_.push_front({path, file});
  by_path_.emplace(path, entries_.begin());
  if (entries_.size() > limit_) {
    by_path_.erase(entries_.back().path);
    evicted.splice(evicted.begin(), entries_, std::prev(entries_.end()));
  }
  return file;
}

std::shared_ptr<File> FileCache::try_cached(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->file;
}

void FileCache::forget(const std::string& path) {
  Entries forgotten;
  const std::lock_guard lock(mutex_);
  ++forget_count_;
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  forgotten.splice(forgotten.begin(), entries_, found->second);
  by_path_.erase(found);
}

std::size_t FileCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace sillok::storage
