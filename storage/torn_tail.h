// Keeps bytes that recovery takes out of a log: they may be all that is left of something.
#pragma once

#include <string>

#include "storage/file_system.h"

namespace sillok::storage {

// Copies [begin, end) of the file to a new file `path`, and syncs that (its name is for the caller to sync).
// Zeros only, as preallocated files have them, are not kept. A file of that name from an attempt that a crash
// ended is replaced.
Result<void> keep_aside(FileSystem& file_system, const File& file, FilePosition begin, FilePosition end,
                        const std::string& path);

// Appends [begin, end) of `from` to `to`, at `position`.
Result<void> copy_range(const File& from, FilePosition begin, FilePosition end, File& to,
                        FilePosition position);

}  // namespace sillok::storage
