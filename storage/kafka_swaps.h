// Compactions of Kafka's that a kill interrupted half way through the renames. Kafka first writes the new
// segments whole, as `*.cleaned`; then it renames them to `*.swap`, the last one first; then it renames the
// segments that they stand for to `*.deleted`; and only then the new ones get their own names. So from the
// first `*.swap` without a `*.cleaned` on, the new segments are what counts (storage/FORMAT.md, section 9).
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

// Brings a compaction that had come that far to its end, durably, and undoes one that had not: then the old
// segments are all there. `notes` tells of it. To be called before anything else looks at the folder, and
// before `*.deleted` files are removed.
// True where there was one. Errors: Errc::corrupt where a new segment is not whole, and no segment is changed
// then; those of the files.
Result<bool> complete_swaps(FileSystem& file_system, const std::string& folder,
                            std::vector<std::string>& notes);

}  // namespace sillok::storage
