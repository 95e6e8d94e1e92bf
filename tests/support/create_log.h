// One partition of a log directory, made as the broker makes many: durable when it is there.
#pragma once

#include <memory>

#include "storage/log_dir.h"

namespace sillok::tests {

inline Result<std::unique_ptr<storage::Log>> create_log(storage::LogDir& log_dir,
                                                        const storage::TopicPartition& name,
                                                        const TopicId& id, const storage::LogConfig& config) {
  auto creation = TRY(log_dir.begin_log(name, id, config, kNoLeaderEpoch));
  TRY(creation.sync());
  TRY(log_dir.sync_folder_names());
  return creation.take();
}

}  // namespace sillok::tests
