// The log directories at the start: which can be used, and which make the start impossible.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/known_directories.h"
#include "broker/metadata/store.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"
#include "storage/log_dir.h"

namespace sillok::broker {

struct FailedDirectory {
  std::string path;
  Error error;
};

struct OpenedDirectory {
  std::unique_ptr<storage::LogDir> log_dir;
  Uuid id;
  // Which directory has the metadata, as it said when it was opened (storage/metadata_home.h).
  std::optional<Uuid> metadata_home = {};
};

struct OpenLogDirs {
  std::vector<OpenedDirectory> opened;  // the first of the setting is the first here
  std::vector<FailedDirectory> failed;
};

// Opens what log.dirs names. The first has the broker's metadata, so it must be there; one of the others that
// cannot be opened is left out, as in Kafka. Errc::invalid_config where they do not belong together: of
// several clusters or nodes, copies of each other, or in an order in which the metadata would not be found.
// Errc::lock_held for any that another process has.
//
// A predecessor that was killed may hold its lock while its last thread is in an fdatasync: it is waited for.
inline constexpr std::chrono::seconds kLockWait{5};
Result<OpenLogDirs> open_log_dirs(const Config& config, storage::FileSystem& file_system,
                                  std::chrono::milliseconds lock_wait = kLockWait);

// After the store of the first is open: durably sets right, in the store and in the directories, what each
// says of the others. Strangers (DirectoryCensus) become failed ones. Errors as take_census() has them.
struct SettledDirectories {
  std::vector<KnownDirectory> missing;
  bool are_several = false;
};
Result<SettledDirectories> settle_log_dirs(const Config& config, storage::FileSystem& file_system,
                                           MetadataStore& store, OpenLogDirs& directories);

}  // namespace sillok::broker
