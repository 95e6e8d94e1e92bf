// Taking over the topics of an Apache Kafka that ran on the log directory: what its metadata says is found
// here, and made into topics by Topics::load() (topics_take_over.cc). It is done again whenever Kafka has run
// in between.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/kafka_metadata.h"
#include "broker/metadata/store.h"
#include "storage/file_system.h"

namespace sillok::broker {

struct KafkaTakeover {
  KafkaMetadata metadata;
  std::string state;
  BrokerId node_id;                  // the one that the log directory is of
  std::optional<Uuid> directory_id;  // the (first) log directory's own
  std::vector<Uuid> other_directory_ids = {};
};

// Where it is, if it is there: metadata.log.dir's, or the first log directory's.
std::string kafka_metadata_folder(const Config& config);

// Null where there is nothing of Kafka's, or nothing new. Kafka's files are only read.
// Errc::invalid_config where metadata.log.dir is of another cluster; else as read_kafka_metadata().
Result<std::unique_ptr<KafkaTakeover>> find_kafka_takeover(storage::FileSystem& file_system,
                                                           const Config& config, MetadataStore& store,
                                                           std::vector<std::string>& notes);

// Where a partition of Kafka's is, seen from one log directory.
enum class Whereabouts {
  here,
  behind,           // a copy may be here, but Kafka did not count it as in sync
  other_directory,  // of the same broker
  other_broker,
};
Whereabouts whereabouts(const KafkaPartition& partition, BrokerId node, const std::optional<Uuid>& directory);

// The directory.id of the log directory that has it; nullopt where Kafka does not say, or it is not on
// `node`.
std::optional<Uuid> directory_of(const KafkaPartition& partition, BrokerId node);

// Of a topic's configs those that can be taken over; a note for each other.
KafkaConfigs sound_configs(const KafkaTopic& topic, std::vector<std::string>& notes);

}  // namespace sillok::broker
