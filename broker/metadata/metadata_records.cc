#include "broker/metadata/metadata_records.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

namespace sillok::broker {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kCreation = "creation";
constexpr std::string_view kDeletion = "deletion";
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

Error corrupt(std::string_view key, std::string_view what) {
  return {Errc::corrupt, fmt::format("the metadata of {}: {}", key, what)};
}

Result<json::object> parse(std::string_view key, std::string_view value) {
  boost::system::error_code failed;
  json::value parsed = json::parse(json::string_view(value.data(), value.size()), failed);
  if (failed || !parsed.is_object()) return corrupt(key, "no JSON object");
  const json::value* format = parsed.as_object().if_contains("format");
  if (format == nullptr || !format->is_int64()) return corrupt(key, "no format number");
  if (format->as_int64() != kFormat) {
    return Error{Errc::unsupported_version,
                 fmt::format("the metadata of {} has format {}; this version knows {}", key,
                             format->as_int64(), kFormat)};
  }
  return std::move(parsed.as_object());
}

Result<std::int64_t> integer(std::string_view key, const json::object& object, const char* name,
                             std::int64_t max) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return corrupt(key, fmt::format("{} is no number", name));
  if (value->as_int64() < 0 || value->as_int64() > max)
    return corrupt(key, fmt::format("{} is out of range", name));
  return value->as_int64();
}

Result<std::string> text(std::string_view key, const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return corrupt(key, fmt::format("{} is no text", name));
  return std::string(value->as_string());
}

json::object to_object(const std::map<std::string, std::string>& configs) {
  json::object object;
  for (const auto& [name, value] : configs) object[name] = value;
  return object;
}

Result<std::set<std::int32_t>> partition_list(std::string_view key, const json::object& object,
                                              const char* name) {
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return corrupt(key, "no list of partitions");
  std::set<std::int32_t> partitions;
  for (const json::value& partition : list->as_array()) {
    if (!partition.is_int64() || partition.as_int64() < 0 || partition.as_int64() > kInt32Max) {
      return corrupt(key, "a partition is no partition number");
    }
    partitions.insert(static_cast<std::int32_t>(partition.as_int64()));
  }
  return partitions;
}

json::object by_directory(const std::map<std::int32_t, Uuid>& directories) {
  std::map<std::string, json::array> partitions;
  for (const auto& [partition, directory] : directories)
    partitions[directory.to_string()].emplace_back(partition);
  json::object object;
  for (auto& [directory, list] : partitions) object[directory] = std::move(list);
  return object;
}

Result<std::map<std::int32_t, Uuid>> directories(std::string_view key, const json::object& object,
                                                 const char* name) {
  const json::value* lists = object.if_contains(name);
  if (lists == nullptr || !lists->is_object()) return corrupt(key, "no directories");
  std::map<std::int32_t, Uuid> decoded;
  for (const auto& [text, list] : lists->as_object()) {
    const auto id = Uuid::parse(std::string_view(text.data(), text.size()));
    if (!id || id->is_zero()) return corrupt(key, "a directory is no directory id");
    const std::set<std::int32_t> partitions =
        TRY(partition_list(key, lists->as_object(), std::string(text).c_str()));
    for (const std::int32_t partition : partitions) {
      if (!decoded.emplace(partition, *id).second) return corrupt(key, "a partition is in two directories");
    }
  }
  return decoded;
}

using Configs = std::map<std::string, std::string>;

Result<Configs> decode_configs(std::string_view key, const json::object& object) {
  const json::value* configs = object.if_contains("configs");
  if (configs == nullptr || !configs->is_object()) return corrupt(key, "no configs");
  Configs decoded;
  for (const auto& [name, config] : configs->as_object()) {
    if (!config.is_string()) return corrupt(key, "a config is no text");
    decoded[std::string(name)] = std::string(config.as_string());
  }
  return decoded;
}

}  // namespace

std::string resource_configs_prefix(std::string_view kind) { return fmt::format("configs/{}/", kind); }
std::string resource_configs_key(std::string_view kind, std::string_view name) {
  return resource_configs_prefix(kind) + std::string(name);
}

std::string encode_resource_configs(const Configs& configs) {
  return json::serialize(json::object{{"format", kFormat}, {"configs", to_object(configs)}});
}

Result<Configs> decode_resource_configs(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  return decode_configs(key, object);
}

Result<void> store_resource_configs(MetadataStore& store, const std::string& key, const Configs& configs) {
  MetadataStore::Transaction transaction;
  if (configs.empty()) {
    transaction.deletes.push_back(key);
  } else {
    transaction.puts.push_back({key, encode_resource_configs(configs)});
  }
  const auto written = store.txn(transaction);
  return written.ok() ? Result<void>() : written.error();
}

std::string topic_key(std::string_view name) { return std::string(kTopicKeyPrefix) + std::string(name); }
std::string unfinished_key(const TopicId& id) { return std::string(kUnfinishedKeyPrefix) + id.to_string(); }
std::string elsewhere_key(const TopicId& id) { return std::string(kElsewhereKeyPrefix) + id.to_string(); }
std::string removed_key(const TopicId& id) { return std::string(kRemovedKeyPrefix) + id.to_string(); }

std::string directory_key(const Uuid& id) { return std::string(kDirectoryKeyPrefix) + id.to_string(); }
std::string placement_key(const TopicId& id) { return std::string(kPlacementKeyPrefix) + id.to_string(); }

Result<Uuid> directory_id_in_key(std::string_view key) {
  const auto id = Uuid::parse(key.substr(kDirectoryKeyPrefix.size()));
  if (!id) return corrupt(key, "the key has no directory id");
  return *id;
}

Result<TopicId> topic_id_in_key(std::string_view key, std::string_view prefix) {
  const auto id = TopicId::parse(key.substr(prefix.size()));
  if (!id || id->is_zero()) return corrupt(key, "the key has no topic id");
  return *id;
}

std::string encode(const TopicRecord& record) {
  return json::serialize(json::object{{"format", kFormat},
                                      {"id", record.id.to_string()},
                                      {"partitions", record.partition_count},
                                      {"configs", to_object(record.configs)}});
}

std::string encode(const UnfinishedRecord& record) {
  const bool is_creation = record.work == UnfinishedRecord::Work::creation;
  json::object object{{"format", kFormat},
                      {"name", record.topic},
                      {"partitions", record.partition_count},
                      {"configs", to_object(record.configs)},
                      {"work", is_creation ? kCreation : kDeletion}};
  if (!record.left.empty()) object["left"] = json::array(record.left.begin(), record.left.end());
  return json::serialize(object);
}

std::string encode(const PlacementRecord& record) {
  json::object object{{"format", kFormat}, {"in", by_directory(record.in)}};
  if (!record.out.empty()) object["out"] = by_directory(record.out);
  return json::serialize(object);
}

std::string encode_next_producer_id(std::int64_t next) {
  return json::serialize(json::object{{"format", kFormat}, {"next", next}});
}

std::string encode_kafka_state(std::string_view state) {
  return json::serialize(
      json::object{{"format", kFormat}, {"state", json::string_view(state.data(), state.size())}});
}

std::string encode_elsewhere(const std::set<std::int32_t>& partitions) {
  return json::serialize(
      json::object{{"format", kFormat}, {"partitions", json::array(partitions.begin(), partitions.end())}});
}

std::string encode_removed() { return json::serialize(json::object{{"format", kFormat}}); }

std::string encode_directory(std::string_view path) {
  return json::serialize(
      json::object{{"format", kFormat}, {"path", json::string_view(path.data(), path.size())}});
}

Result<TopicRecord> decode_topic_record(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  TopicRecord record;
  const auto id = TopicId::parse(TRY(text(key, object, "id")));
  if (!id) return corrupt(key, "the id is no topic id");
  record.id = *id;
  record.partition_count = static_cast<std::int32_t>(TRY(integer(key, object, "partitions", kInt32Max)));
  record.configs = TRY(decode_configs(key, object));
  return record;
}

Result<UnfinishedRecord> decode_unfinished_record(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  UnfinishedRecord record;
  record.topic = TRY(text(key, object, "name"));
  record.partition_count = static_cast<std::int32_t>(TRY(integer(key, object, "partitions", kInt32Max)));
  if (object.contains("configs")) record.configs = TRY(decode_configs(key, object));
  if (object.contains("work")) {
    const std::string work = TRY(text(key, object, "work"));
    if (work != kCreation && work != kDeletion) return corrupt(key, "the work is unknown");
    if (work == kDeletion) record.work = UnfinishedRecord::Work::deletion;
  }
  if (object.contains("left")) record.left = TRY(partition_list(key, object, "left"));
  return record;
}

Result<PlacementRecord> decode_placement_record(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  PlacementRecord record;
  record.in = TRY(directories(key, object, "in"));
  if (object.contains("out")) record.out = TRY(directories(key, object, "out"));
  return record;
}

Result<std::int64_t> decode_next_producer_id(std::string_view value) {
  const json::object object = TRY(parse(kProducerIdsKey, value));
  return integer(kProducerIdsKey, object, "next", std::numeric_limits<std::int64_t>::max());
}

Result<std::set<std::int32_t>> decode_elsewhere(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  return partition_list(key, object, "partitions");
}

Result<std::string> decode_directory(std::string_view key, std::string_view value) {
  const json::object object = TRY(parse(key, value));
  return text(key, object, "path");
}

}  // namespace sillok::broker
