// `sillok-metadata-directory`: in a log directory beside others, which of them has the metadata of the
// broker. Layout: storage/FORMAT.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr std::string_view kMetadataHomeName = "sillok-metadata-directory";

// The directory.id of the one that has the metadata; nullopt where the file is missing. Errc::malformed, or
// unsupported_version for other versions than 0.
Result<std::optional<Uuid>> read_metadata_home(FileSystem& file_system, const std::string& directory);
// Durability: on disk when it returns.
Result<void> write_metadata_home(FileSystem& file_system, const std::string& directory, const Uuid& home);
// The directory has the metadata itself now. Not durable: it may be there again after a crash.
Result<void> remove_metadata_home(FileSystem& file_system, const std::string& directory);

}  // namespace sillok::storage
