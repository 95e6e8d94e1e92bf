// Open files of cold segments: a box holds far more segments than a process may have descriptors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

// The files used last, open for reading and writing. Eviction drops only the cache's reference: whoever still
// reads or flushes a file keeps it open.
//
// Threading: every call from any thread. The lock is never held while a file is opened or closed.
// Invariants: size() <= limit.
class FileCache {
 public:
  // Requires: limit > 0.
  FileCache(FileSystem& file_system, std::size_t limit);

  // Opens the file if it is not open yet. May block. Errc::not_found, too_many_files, io_error.
  Result<std::shared_ptr<File>> open(const std::string& path);
  // Null where the file is not open: for callers that must not wait for the disk.
  std::shared_ptr<File> try_cached(const std::string& path);
  // The next open() opens the file anew. To be called after a file was renamed, replaced or removed.
  void forget(const std::string& path);
  std::size_t size() const;

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<File> file;
  };
  using Entries = std::list<Entry>;

  FileSystem& file_system_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  Entries entries_;  // the one used last is in front
  std::unordered_map<std::string, Entries::iterator> by_path_;
  std::uint64_t forget_count_ = 0;
};

}  // namespace sillok::storage
