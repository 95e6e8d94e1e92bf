#include "broker/metadata/kafka_takeover.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/metadata/kafka_metadata_log.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topic_names.h"
#include "broker/topic_config.h"
#include "storage/meta_properties.h"

namespace sillok::broker {
namespace {

bool contains(const std::vector<BrokerId>& brokers, BrokerId node) {
  return std::ranges::find(brokers, node) != brokers.end();
}

// Kafka has ids that say "not assigned yet", "lost" and the like.
bool is_reserved(const Uuid& id) {
  return std::ranges::all_of(id.bytes.begin(), id.bytes.end() - 1,
                             [](std::uint8_t byte) { return byte == 0; }) &&
         id.bytes.back() < 100;
}

Result<void> check_cluster(storage::FileSystem& file_system, const Config& config, const std::string& place) {
  const auto meta = TRY(storage::read_meta_properties(file_system, place));
  if (!meta || meta->cluster_id == config.cluster_id) return {};
  return Error{Errc::invalid_config,
               fmt::format("metadata.log.dir={}: is of cluster {}, and {} of cluster {}", place,
                           meta->cluster_id, config.log_dirs.front(), config.cluster_id)};
}

// What Kafka knew and what is not taken over.
void note_the_rest(const KafkaMetadata& metadata, std::vector<std::string>& notes) {
  if (metadata.security_record_count > 0) {
    notes.push_back(
        "Kafka's metadata has ACLs, SCRAM users, quotas or delegation tokens, none of which is taken over");
  }
  if (!metadata.unknown_records.empty()) {
    notes.push_back(fmt::format(
        "Kafka's metadata has records that only a later Kafka knows, and they are passed over: {}",
        fmt::join(metadata.unknown_records, ", ")));
  }
}

}  // namespace

std::string kafka_metadata_folder(const Config& config) {
  const std::string& place =
      config.metadata_log_dir.empty() ? config.log_dirs.front() : config.metadata_log_dir;
  return storage::join_path(place, std::string(kKafkaMetadataTopic) + "-0");
}

Result<std::unique_ptr<KafkaTakeover>> find_kafka_takeover(storage::FileSystem& file_system,
                                                           const Config& config, MetadataStore& store,
                                                           std::vector<std::string>& notes) {
  const std::string& directory = config.log_dirs.front();
  const bool is_apart = !config.metadata_log_dir.empty() && config.metadata_log_dir != directory;
  const std::string folder = kafka_metadata_folder(config);
  if (!TRY(file_system.exists(folder))) {
    if (is_apart)
      notes.push_back(
          fmt::format("metadata.log.dir={}: has no metadata of Kafka's", config.metadata_log_dir));
    return std::unique_ptr<KafkaTakeover>();
  }
  if (is_apart) TRY(check_cluster(file_system, config, config.metadata_log_dir));
  auto takeover = std::make_unique<KafkaTakeover>();
  takeover->state = TRY(kafka_metadata_state(file_system, folder));
  const std::string known = encode_kafka_state(takeover->state);
  for (const KeyValue& pair : TRY(store.range(kKafkaMetadataKey))) {
    if (pair.value == known) return std::unique_ptr<KafkaTakeover>();
  }
  takeover->metadata = TRY(read_kafka_metadata(file_system, folder, notes));
  takeover->node_id = config.node_id;
  const auto meta = TRY(storage::read_meta_properties(file_system, directory));
  if (meta) takeover->directory_id = meta->directory_id;
  for (std::size_t i = 1; i < config.log_dirs.size(); ++i) {
    const auto other = storage::read_meta_properties(file_system, config.log_dirs[i]);
    const bool has_id = other.ok() && *other && (*other)->directory_id;
    if (has_id) takeover->other_directory_ids.push_back(*(*other)->directory_id);
  }
  note_the_rest(takeover->metadata, notes);
  return takeover;
}

std::optional<Uuid> directory_of(const KafkaPartition& partition, BrokerId node) {
  const auto replica = std::ranges::find(partition.replicas, node);
  const auto index = static_cast<std::size_t>(replica - partition.replicas.begin());
  if (replica == partition.replicas.end() || index >= partition.directories.size()) return std::nullopt;
  const Uuid& used = partition.directories[index];
  return is_reserved(used) ? std::nullopt : std::optional(used);
}

Whereabouts whereabouts(const KafkaPartition& partition, BrokerId node,
                        const std::optional<Uuid>& directory) {
  if (!contains(partition.replicas, node)) return Whereabouts::other_broker;
  const auto used = directory_of(partition, node);
  if (directory && used && *used != *directory) return Whereabouts::other_directory;
  for (const auto* list : {&partition.in_sync, &partition.eligible, &partition.last_known_eligible}) {
    if (contains(*list, node)) return Whereabouts::here;
  }
  return Whereabouts::behind;
}

KafkaConfigs sound_configs(const KafkaTopic& topic, std::vector<std::string>& notes) {
  KafkaConfigs sound;
  const auto leave_out = [&](const std::string& name, const std::string& value, const std::string& fault) {
    notes.push_back(fmt::format("topic {}: {}={} is not taken over: {}", topic.name, name, value, fault));
  };
  for (const auto& [name, value] : topic.configs) {
    if (const auto fault = topic_configs_fault({{name, value}})) {
      leave_out(name, value, *fault);
    } else {
      sound.emplace(name, value);
    }
  }
  // Each is sound, and still they may contradict each other: without the first that makes the others sound.
  const auto fault = topic_configs_fault(sound);
  for (const auto& [name, value] : fault ? KafkaConfigs(sound) : KafkaConfigs()) {
    KafkaConfigs others = sound;
    others.erase(name);
    if (topic_configs_fault(others)) continue;
    leave_out(name, value, *fault);
    return others;
  }
  return fault ? KafkaConfigs() : sound;
}

}  // namespace sillok::broker
