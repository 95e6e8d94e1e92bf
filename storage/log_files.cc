#include "storage/log_files.h"

#include "storage/file_cache.h"

namespace sillok::storage {

Result<std::shared_ptr<File>> LogFiles::open(Offset base, std::string_view suffix, IoMode mode) const {
  const std::string name = path(base, suffix);
  if (mode == IoMode::may_block) return file_cache->open(name);
  auto file = file_cache->try_cached(name);
  if (!file) return Error{Errc::would_block, name + " is not open"};
  return file;
}

void LogFiles::forget(Offset base, std::string_view suffix) const { file_cache->forget(path(base, suffix)); }

}  // namespace sillok::storage
