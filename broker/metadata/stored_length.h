// How many bytes of an append-only file are known to be on disk. One line: "1 <bytes> <CRC-32C of what is
// before, in hex>". Bad bytes in there are decay; after there they may be a write that a crash tore.
#pragma once

#include <optional>
#include <string>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::broker {

// 0 where the file is missing. Errc::malformed where it does not say; other errors where it does not read.
Result<ByteCount> read_stored_length(storage::FileSystem& file_system, const std::string& path);
// Replaces the file in one step.
Result<void> write_stored_length(storage::FileSystem& file_system, const std::string& path, ByteCount length);
// Durably; fine if it is missing.
Result<void> remove_stored_length(storage::FileSystem& file_system, const std::string& path);

}  // namespace sillok::broker
