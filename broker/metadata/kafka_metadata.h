// What Apache Kafka's own metadata comes to: its records, applied one after the other. Reading them from disk
// is kafka_metadata_log.h; what becomes of it is kafka_takeover.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/metadata/kafka_records.h"
#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"

namespace sillok::broker {

struct KafkaPartition {
  std::vector<BrokerId> replicas;
  std::vector<Uuid> directories;  // one for each of the replicas, where Kafka says
  // In sync, and those that Kafka would still let lead without a loss, as far as it knows.
  std::vector<BrokerId> in_sync;
  std::vector<BrokerId> eligible;
  std::vector<BrokerId> last_known_eligible;
  LeaderEpoch leader_epoch{-1};
};

using KafkaConfigs = std::map<std::string, std::string>;

struct KafkaTopic {
  std::string name;
  TopicId id;
  std::map<std::int32_t, KafkaPartition> partitions;
  KafkaConfigs configs;
};

struct KafkaMetadata {
  std::unordered_map<TopicId, KafkaTopic> topics;
  std::unordered_set<TopicId> removed_topics;  // as far back as the log goes
  // Dynamic broker configs by node id; "" is for every broker.
  std::map<std::string, KafkaConfigs> broker_configs;
  std::int64_t next_producer_id = 0;
  // What is there and in none of the above: records of ACLs, SCRAM users, quotas, delegation tokens (the sum
  // of all that were written), and configs of other resources.
  std::int64_t security_record_count = 0;
  std::set<std::uint32_t> unknown_records;  // numbers of a later Kafka's
};

// Threading: one thread.
// Failure: Errc::corrupt where a record contradicts those before it, Errc::unsupported_version where a later
//   Kafka wrote it, Errc::malformed and Errc::truncated for bytes that are none. After one it is of no use.
class KafkaMetadataReplay {
 public:
  // The value of one data record. What lies in a transaction of Kafka's takes effect at its end.
  Result<void> apply(ByteView value);
  // All that was applied; a transaction without an end counts as never begun.
  KafkaMetadata finish() &&;

 private:
  using ConfigOwner = std::pair<std::int8_t, std::string>;

  Result<void> apply_now(std::uint32_t key, protocol::Version version, ByteView body);
  Result<void> on(const kafka::TopicRecord& record);
  Result<void> on(const kafka::PartitionRecord& record);
  Result<void> on(const kafka::PartitionChangeRecord& record);
  Result<void> on(const kafka::ConfigRecord& record);
  Result<void> on(const kafka::RemoveTopicRecord& record);
  Result<void> on(const kafka::ProducerIdsRecord& record);
  template <class Record>
  Result<void> decode_and_apply(protocol::Version version, ByteView body);

  KafkaMetadata metadata_;
  std::map<ConfigOwner, KafkaConfigs> configs_;
  std::optional<std::vector<Bytes>> transaction_;  // its records, while one is open
};

}  // namespace sillok::broker
