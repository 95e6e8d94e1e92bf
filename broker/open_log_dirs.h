// The log directories at the start: which can be used, and which make the start impossible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/file_system.h"
#include "storage/log_dir.h"

namespace sillok::broker {

struct FailedDirectory {
  std::string path;
  Error error;
};

struct OpenLogDirs {
  std::vector<std::unique_ptr<storage::LogDir>> log_dirs;  // the first of the setting is the first here
  std::vector<Uuid> ids;  // of those; a directory that is alone may have none
  std::vector<FailedDirectory> failed;
};

// Opens what log.dirs names. The first has the broker's metadata, so it must be there; one of the others that
// cannot be opened is left out, as in Kafka. Errc::invalid_config where they do not belong together: of
// several clusters or nodes, copies of each other, or in an order in which the metadata would not be found.
Result<OpenLogDirs> open_log_dirs(const Config& config, storage::FileSystem& file_system);

}  // namespace sillok::broker
