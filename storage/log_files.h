// Where the files of one partition are, and how they are reached.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"
#include "storage/format.h"
#include "storage/log.h"

namespace sillok::storage {

class FileCache;

struct LogFiles {
  FileSystem* file_system = nullptr;
  FileCache* file_cache = nullptr;
  std::string directory;
  // The folder's name may mean another log's folder by now: nothing is opened by path any more.
  std::atomic<bool> is_retired{false};

  std::string path(Offset base, std::string_view suffix) const {
    return join_path(directory, offset_file_name(base, suffix));
  }
  // Through the cache of open files, for reading and writing. In mode resident_only Errc::would_block where
  // the file would have to be opened first. Errc::closed once is_retired.
  Result<std::shared_ptr<File>> open(Offset base, std::string_view suffix, IoMode mode) const;
  // The next open() by this name opens the file anew: it was replaced, renamed or removed.
  void forget(Offset base, std::string_view suffix) const;
};

// read_at() or read_resident_at(), as `mode` says.
inline Result<std::size_t> read_in_mode(const File& file, FilePosition position, MutableByteView out,
                                        IoMode mode) {
  return mode == IoMode::resident_only ? file.read_resident_at(position, out) : file.read_at(position, out);
}

}  // namespace sillok::storage
