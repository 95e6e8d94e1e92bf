#include "storage/journaled_tail.h"

#include "storage/format.h"

namespace sillok::storage {

std::string journaled_tail_path(const std::string& folder, Offset end, std::int64_t incarnation) {
  return join_path(folder, offset_file_name(end, kLogSuffix)) + std::string(kJournaledInfix) +
         std::to_string(incarnation);
}

Result<ByteCount> keep_journaled_tail(FileSystem& file_system, const JournalReplay& journal,
                                      const JournalKey& key, Offset end, const std::string& path) {
  const auto keep = [&]() -> Result<ByteCount> {
    const auto file = TRY(file_system.open(path, OpenMode::open_or_create));
    TRY(file->truncate(FilePosition(0)));
    const ByteCount size = TRY(journal.copy_past(key, end, *file));
    TRY(file->sync_data());
    TRY(file_system.sync_directory(parent_path(path)));
    return size;
  };
  auto kept = keep();
  if (!kept.ok()) (void)file_system.remove(path).ok();
  return kept;
}

}  // namespace sillok::storage
