// Taking over the topics of an Apache Kafka that ran on the log directory: what its metadata says is found
// here, and made into topics by Topics::load() (topics_take_over.cc). It is done again whenever Kafka has run
// in between.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/kafka_metadata.h"
#include "broker/metadata/store.h"
#include "storage/file_system.h"

namespace sillok::broker {

// The metadata store's keys of it:
//   kafka-metadata   {"format":1,"state":"..."}: as far as Kafka's metadata was taken over
//   elsewhere/<id>   {"format":1,"partitions":[1,2]}: those of the topic that Kafka kept in another place
inline constexpr std::string_view kKafkaMetadataKey = "kafka-metadata";
inline constexpr std::string_view kElsewhereKeyPrefix = "elsewhere/";

struct KafkaTakeover {
  KafkaMetadata metadata;
  std::string state;
  BrokerId node_id;                  // the one that the log directory is of
  std::optional<Uuid> directory_id;  // the log directory's own
};

// Null where there is nothing of Kafka's, or nothing new. Kafka's files are only read.
// Errc::invalid_config where metadata.log.dir is of another cluster; else as read_kafka_metadata().
Result<std::unique_ptr<KafkaTakeover>> find_kafka_takeover(storage::FileSystem& file_system,
                                                           const Config& config, MetadataStore& store,
                                                           std::vector<std::string>& notes);

MetadataStore::Put kafka_state_put(const std::string& state);
MetadataStore::Put elsewhere_put(const TopicId& id, const std::set<std::int32_t>& partitions);
// Errc::corrupt. `value` as elsewhere_put() makes it.
Result<std::set<std::int32_t>> decode_elsewhere(std::string_view key, std::string_view value);

// Where a partition of Kafka's is, seen from one log directory.
enum class Whereabouts {
  here,
  behind,           // a copy may be here, but Kafka did not count it as in sync
  other_directory,  // of the same broker
  other_broker,
};
Whereabouts whereabouts(const KafkaPartition& partition, BrokerId node, const std::optional<Uuid>& directory);

// Of a topic's configs those that can be taken over; a note for each other.
KafkaConfigs sound_configs(const KafkaTopic& topic, std::vector<std::string>& notes);

}  // namespace sillok::broker
