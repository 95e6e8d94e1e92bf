// What the commit journal has of a log and cannot go back into it: kept beside it, for people to look at.
#pragma once

#include <cstdint>
#include <string>

#include "storage/file_system.h"
#include "storage/journal_replay.h"

namespace sillok::storage {

// "<end>.log.journaled-<incarnation>" in the partition's folder.
std::string journaled_tail_path(const std::string& folder, Offset end, std::int64_t incarnation);

// Writes the batches that reach past `end` to that file, durably, and returns their bytes. Where that fails,
// the file is removed again.
Result<ByteCount> keep_journaled_tail(FileSystem& file_system, const JournalReplay& journal,
                                      const JournalKey& key, Offset end, const std::string& path);

}  // namespace sillok::storage
