#include "broker/kafka_runs.h"

#include <fmt/format.h>

#include <optional>

#include "broker/metadata/kafka_metadata_log.h"
#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"

namespace sillok::broker {
namespace {

Result<std::optional<std::string>> value_of(MetadataStore& store, const std::string& key) {
  for (KeyValue& pair : TRY(store.range(key))) {
    if (pair.key == key) return std::optional(std::move(pair.value));
  }
  return std::optional<std::string>();
}

}  // namespace

Result<void> note_kafka_runs(storage::FileSystem& file_system, const Config& config, MetadataStore& store,
                             std::span<const OpenedDirectory> directories, std::vector<std::string>& notes) {
  const std::string folder = kafka_metadata_folder(config);
  if (!TRY(file_system.exists(folder))) return {};
  const std::string now = encode_kafka_state(TRY(kafka_metadata_state(file_system, folder)));
  const auto taken_over = TRY(value_of(store, std::string(kKafkaMetadataKey)));
  MetadataStore::Transaction seen;
  for (const OpenedDirectory& directory : directories) {
    const std::string key = std::string(kKafkaSeenKeyPrefix) + directory.id.to_string();
    const auto before = TRY(value_of(store, key));
    if (before == now) continue;
    // Where nobody has seen any before, nobody knows how much is new.
    const auto known = before ? before : taken_over;
    const bool is_new = known && *known != now;
    if (!is_new || directory.log_dir->note_kafka_ran(notes)) seen.puts.push_back({key, now});
  }
  if (seen.puts.empty()) return {};
  if (const auto written = store.txn(seen); !written.ok())
    notes.push_back(
        fmt::format("what was seen of Kafka's metadata could not be noted: {}", written.error().describe()));
  return {};
}

}  // namespace sillok::broker
