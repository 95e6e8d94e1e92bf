#include "storage/log_files.h"

#include "storage/file_cache.h"

namespace sillok::storage {

Result<std::shared_ptr<File>> LogFiles::open(Offset base, std::string_view suffix, IoMode mode) const {
  const std::string name = path(base, suffix);
  std::shared_ptr<File> file;
  if (!is_retired) {
    file = mode == IoMode::may_block ? TRY(file_cache->open(name)) : file_cache->try_cached(name);
  }
  // Looked at after the open as well: what was opened since may be the file of a new log.
  if (is_retired) return Error{Errc::closed, name + ": its log is deleted"};
  if (!file) return Error{Errc::would_block, name + " is not open"};
  return file;
}

void LogFiles::forget(Offset base, std::string_view suffix) const { file_cache->forget(path(base, suffix)); }

}  // namespace sillok::storage
