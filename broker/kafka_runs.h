// That an Apache Kafka ran on log directories since Sillok last did: it has then written to its own metadata,
// as it does all the time. What this means for the logs: storage/log_dir_kafka.cc.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/store.h"
#include "broker/open_log_dirs.h"
#include "storage/file_system.h"

namespace sillok::broker {

// Tells each directory, once. One that is missing now is told when it is back. To be called before any log is
// opened. Errors: as kafka_metadata_state(), and those of the store's range(); what cannot be written down is
// in `notes`, and is found again at the next start.
Result<void> note_kafka_runs(storage::FileSystem& file_system, const Config& config, MetadataStore& store,
                             std::span<const OpenedDirectory> directories, std::vector<std::string>& notes);

}  // namespace sillok::broker
