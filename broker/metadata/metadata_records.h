// What the metadata store holds: keys, and values as compact JSON with the number of their format.
//   topic/<name>         {"format":1,"id":"<base64>","partitions":3,"configs":{"retention.ms":"1000"}}
//   unfinished/<id>      {"format":1,"name":"<topic>","partitions":3,"configs":{},"work":"creation"}, or
//                        "deletion": it is under way for the partition folders with this id. Only a deletion
//                        removes any. With "left":[1,2] only those were not found yet, since a log directory
//                        was missing
//   producer-ids         {"format":1,"next":1000}: the first producer id that nobody has
//   configs/<kind>/<name> {"format":1,"configs":{"log.retention.ms":"1000"}}: what AlterConfigs gave a
//                        resource that is no topic: a broker (its number, or nothing for all), a group, a
//                        subscription to client metrics
//   directory/<id>       {"format":1,"path":"/data/b"}: a log directory of this broker, where there ever were
//                        several (known_directories.h)
//   placement/<id>       {"format":1,"in":{"<directory.id>":[0,2]}}: in which of them the partitions of the
//                        topic with that id are. With "out":{"<directory.id>":[2]} a move has left a folder
//                        there, which is to be removed
// Where an Apache Kafka ran on the log directory (kafka_takeover.h):
//   kafka-metadata       {"format":1,"state":"..."}: as far as its metadata was taken over
//   kafka-seen/<id>      the same value, as far as the log directory with that id knows of it (kafka_runs.h)
//   kafka-configs/<name> as configs/broker/<name>: those of them that were its
//   elsewhere/<id>       {"format":1,"partitions":[1,2]}: those of the topic with that id that it kept in
//                        another place, or put aside. Each goes once its folder is here
//   removed/<id>         {"format":1}: it deleted the topic with that id, and left a folder of it. Goes with
//                        the last such folder
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "broker/metadata/store.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"

namespace sillok::broker {

inline constexpr std::string_view kTopicKeyPrefix = "topic/";
inline constexpr std::string_view kUnfinishedKeyPrefix = "unfinished/";
inline constexpr std::string_view kProducerIdsKey = "producer-ids";
inline constexpr std::string_view kKafkaMetadataKey = "kafka-metadata";
inline constexpr std::string_view kKafkaSeenKeyPrefix = "kafka-seen/";
inline constexpr std::string_view kKafkaConfigsKeyPrefix = "kafka-configs/";
inline constexpr std::string_view kElsewhereKeyPrefix = "elsewhere/";
inline constexpr std::string_view kRemovedKeyPrefix = "removed/";
inline constexpr std::string_view kDirectoryKeyPrefix = "directory/";
inline constexpr std::string_view kPlacementKeyPrefix = "placement/";

struct TopicRecord {
  TopicId id;
  std::int32_t partition_count = 0;
  std::map<std::string, std::string> configs;
};

struct UnfinishedRecord {
  // What a record does not say is a creation: the one that can cost no data.
  enum class Work { creation, deletion };
  std::string topic;
  std::int32_t partition_count = 0;
  std::map<std::string, std::string> configs;
  Work work = Work::creation;
  std::set<std::int32_t> left = {};  // of a deletion; empty: any may be
};

// By partition the directory.id.
struct PlacementRecord {
  std::map<std::int32_t, Uuid> in;
  std::map<std::int32_t, Uuid> out = {};
  bool is_empty() const { return in.empty() && out.empty(); }
  friend bool operator==(const PlacementRecord&, const PlacementRecord&) = default;
};

inline constexpr std::string_view kBrokerResource = "broker";
inline constexpr std::string_view kClientMetricsResource = "client-metrics";
inline constexpr std::string_view kGroupResource = "group";

// "configs/broker/", before the names of all resources of the kind.
std::string resource_configs_prefix(std::string_view kind);
std::string resource_configs_key(std::string_view kind, std::string_view name);
std::string encode_resource_configs(const std::map<std::string, std::string>& configs);
// Durably; a resource without configs has no key.
Result<void> store_resource_configs(MetadataStore& store, const std::string& key,
                                    const std::map<std::string, std::string>& configs);
Result<std::map<std::string, std::string>> decode_resource_configs(std::string_view key,
                                                                   std::string_view value);

std::string topic_key(std::string_view name);
std::string unfinished_key(const TopicId& id);
std::string elsewhere_key(const TopicId& id);
std::string removed_key(const TopicId& id);
std::string directory_key(const Uuid& id);
std::string placement_key(const TopicId& id);
Result<Uuid> directory_id_in_key(std::string_view key);
// Of a key that is `prefix` and an id; Errc::corrupt.
Result<TopicId> topic_id_in_key(std::string_view key, std::string_view prefix);

std::string encode(const TopicRecord& record);
std::string encode(const UnfinishedRecord& record);
std::string encode(const PlacementRecord& record);
std::string encode_next_producer_id(std::int64_t next);
std::string encode_kafka_state(std::string_view state);
std::string encode_elsewhere(const std::set<std::int32_t>& partitions);
std::string encode_removed();
std::string encode_directory(std::string_view path);

// `key` is for the error: Errc::corrupt where the value is not what encode() makes, Errc::unsupported_version
// for a format of a later Sillok.
Result<TopicRecord> decode_topic_record(std::string_view key, std::string_view value);
Result<UnfinishedRecord> decode_unfinished_record(std::string_view key, std::string_view value);
Result<PlacementRecord> decode_placement_record(std::string_view key, std::string_view value);
Result<std::int64_t> decode_next_producer_id(std::string_view value);
Result<std::set<std::int32_t>> decode_elsewhere(std::string_view key, std::string_view value);
Result<std::string> decode_directory(std::string_view key, std::string_view value);

}  // namespace sillok::broker
