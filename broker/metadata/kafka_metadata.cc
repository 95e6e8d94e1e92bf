#include "broker/metadata/kafka_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "protocol/wire/decode.h"

namespace sillok::broker {
namespace {

using kafka::RecordKey;

constexpr std::uint32_t kFrameVersion = 1;
// More than any topic has: what is above is damage.
constexpr std::int32_t kPartitionIndexMax = 1'000'000;

Error corrupt(std::string what) { return {Errc::corrupt, std::move(what)}; }

bool is_security_record(std::uint32_t key) {
  switch (static_cast<RecordKey>(key)) {
    case RecordKey::delegation_token:
    case RecordKey::user_scram_credential:
    case RecordKey::client_quota:
    case RecordKey::access_control_entry:
      return true;
    default:
      return false;
  }
}

template <class T>
void replace_if(std::vector<T>& old, const std::optional<std::vector<T>>& with) {
  if (with) old = *with;
}

}  // namespace

Result<void> KafkaMetadataReplay::apply(ByteView value) {
  protocol::Decoder in(value);
  const std::uint32_t frame_version = in.unsigned_varint();
  const std::uint32_t key = in.unsigned_varint();
  const std::uint32_t version = in.unsigned_varint();
  if (!in.ok()) return in.finish();
  if (frame_version != kFrameVersion) {
    return Error{Errc::unsupported_version, fmt::format("a record with frame version {}", frame_version)};
  }
  const bool is_open = transaction_.has_value();
  if (key == static_cast<std::uint32_t>(RecordKey::begin_transaction)) {
    if (is_open) return corrupt("a transaction begins inside another");
    transaction_.emplace();
    return {};
  }
  if (key == static_cast<std::uint32_t>(RecordKey::abort_transaction)) {
    if (!is_open) return corrupt("a transaction is aborted that did not begin");
    transaction_.reset();
    return {};
  }
  if (key == static_cast<std::uint32_t>(RecordKey::end_transaction)) {
    if (!is_open) return corrupt("a transaction ends that did not begin");
    const std::vector<Bytes> records = *std::exchange(transaction_, std::nullopt);
    for (const Bytes& record : records) TRY(apply(record));
    return {};
  }
  if (is_open) {
    transaction_->emplace_back(value.begin(), value.end());
    return {};
  }
  if (version > static_cast<std::uint32_t>(std::numeric_limits<protocol::Version>::max())) {
    return Error{Errc::malformed, "a record's version is out of range"};
  }
  return apply_now(key, static_cast<protocol::Version>(version), in.left());
}

template <class Record>
Result<void> KafkaMetadataReplay::decode_and_apply(protocol::Version version, ByteView body) {
  if (!Record::kVersions.contains(version)) {
    return Error{Errc::unsupported_version,
                 fmt::format("a record {} of version {}; versions to {} are known",
                             static_cast<std::uint32_t>(Record::kKey), version, Record::kVersions.last)};
  }
  protocol::Decoder in(body);
  Record record;
  TRY(protocol::decode(in, record, version));
  return on(record);
}

Result<void> KafkaMetadataReplay::apply_now(std::uint32_t key, protocol::Version version, ByteView body) {
  switch (static_cast<RecordKey>(key)) {
    case RecordKey::topic:
      return decode_and_apply<kafka::TopicRecord>(version, body);
    case RecordKey::partition:
      return decode_and_apply<kafka::PartitionRecord>(version, body);
    case RecordKey::partition_change:
      return decode_and_apply<kafka::PartitionChangeRecord>(version, body);
    case RecordKey::config:
      return decode_and_apply<kafka::ConfigRecord>(version, body);
    case RecordKey::remove_topic:
      return decode_and_apply<kafka::RemoveTopicRecord>(version, body);
    case RecordKey::producer_ids:
      return decode_and_apply<kafka::ProducerIdsRecord>(version, body);
    default:
      break;
  }
  if (is_security_record(key)) ++metadata_.security_record_count;
  if (key > static_cast<std::uint32_t>(RecordKey::last_known)) metadata_.unknown_records.insert(key);
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::TopicRecord& record) {
  if (record.name.empty() || record.topic_id.is_zero()) return corrupt("a topic without a name or an id");
  KafkaTopic topic;
  topic.name = record.name;
  topic.id = record.topic_id;
  if (!metadata_.topics.emplace(record.topic_id, std::move(topic)).second) {
    return corrupt(fmt::format("topic {} is there twice", record.topic_id.to_string()));
  }
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::PartitionRecord& record) {
  const auto topic = metadata_.topics.find(record.topic_id);
  if (topic == metadata_.topics.end()) return corrupt("a partition of an unknown topic");
  if (record.index.value < 0 || record.index.value > kPartitionIndexMax) {
    return corrupt(fmt::format("{} has a partition {}", topic->second.name, record.index.value));
  }
  KafkaPartition& partition = topic->second.partitions[record.index.value];
  partition.replicas = record.replicas;
  partition.directories = record.directories;
  partition.in_sync = record.isr;
  partition.eligible = record.eligible_leader_replicas.value_or(std::vector<BrokerId>());
  partition.last_known_eligible = record.last_known_elr.value_or(std::vector<BrokerId>());
  partition.leader_epoch = record.leader_epoch;
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::PartitionChangeRecord& record) {
  const auto topic = metadata_.topics.find(record.topic_id);
  if (topic == metadata_.topics.end()) return corrupt("a change of an unknown topic");
  const auto found = topic->second.partitions.find(record.index.value);
  if (found == topic->second.partitions.end()) {
    return corrupt(
        fmt::format("a change of {}-{}, which is unknown", topic->second.name, record.index.value));
  }
  KafkaPartition& partition = found->second;
  replace_if(partition.in_sync, record.isr);
  replace_if(partition.replicas, record.replicas);
  replace_if(partition.directories, record.directories);
  replace_if(partition.eligible, record.eligible_leader_replicas);
  replace_if(partition.last_known_eligible, record.last_known_elr);
  const bool has_new_leader = record.leader != kafka::PartitionChangeRecord::kLeaderUnchanged;
  if (has_new_leader && partition.leader_epoch.value < std::numeric_limits<std::int32_t>::max()) {
    ++partition.leader_epoch.value;
  }
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::ConfigRecord& record) {
  KafkaConfigs& configs = configs_[{record.resource_type, std::string(record.resource_name)}];
  if (record.value) {
    configs[std::string(record.name)] = *record.value;
  } else {
    configs.erase(std::string(record.name));
  }
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::RemoveTopicRecord& record) {
  const auto topic = metadata_.topics.find(record.topic_id);
  if (topic == metadata_.topics.end()) return corrupt("a removal of an unknown topic");
  configs_.erase({kafka::ConfigRecord::kOfTopic, topic->second.name});
  metadata_.removed_topics.insert(record.topic_id);
  metadata_.topics.erase(topic);
  return {};
}

Result<void> KafkaMetadataReplay::on(const kafka::ProducerIdsRecord& record) {
  if (record.next_producer_id < 0) return corrupt("a negative producer id");
  metadata_.next_producer_id = std::max(metadata_.next_producer_id, record.next_producer_id);
  return {};
}

KafkaMetadata KafkaMetadataReplay::finish() && {
  for (auto& [id, topic] : metadata_.topics) {
    const auto found = configs_.find({kafka::ConfigRecord::kOfTopic, topic.name});
    if (found != configs_.end()) topic.configs = found->second;
  }
  for (auto& [owner, configs] : configs_) {
    if (owner.first == kafka::ConfigRecord::kOfBroker && !configs.empty()) {
      metadata_.broker_configs[owner.second] = std::move(configs);
    }
  }
  return std::move(metadata_);
}

}  // namespace sillok::broker
