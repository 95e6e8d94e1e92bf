// Reads Apache Kafka's own metadata from the folder `__cluster_metadata-0` of a stopped broker: the newest
// snapshot (`<end offset>-<epoch>.checkpoint`), then the records of the log from that offset on.
#pragma once

#include <string>
#include <vector>

#include "broker/metadata/kafka_metadata.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::broker {

inline constexpr ByteCount kKafkaSnapshotSizeMax = 1 << 30;
inline constexpr ByteCount kKafkaMetadataBatchSizeMax = 64 << 20;

// Nothing is written. A torn tail of the last segment is left out, with a note, as Kafka itself would cut it;
// so a quorum of one loses nothing that was agreed on. Where there were more voters, the last records may be
// such as they had not agreed on, which gives a note too. Errc::not_found without the folder; Errc::corrupt
// where what is missing or damaged is not the log's tail.
Result<KafkaMetadata> read_kafka_metadata(storage::FileSystem& file_system, const std::string& folder,
                                          std::vector<std::string>& notes);

// The names and sizes of what Kafka appends to: the same as long as it wrote nothing. Errc::not_found.
Result<std::string> kafka_metadata_state(storage::FileSystem& file_system, const std::string& folder);

}  // namespace sillok::broker
