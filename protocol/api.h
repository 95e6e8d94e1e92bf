// Kafka's API keys, by the names that Kafka uses.
#pragma once

#include <cstdint>

namespace sillok::protocol {

enum class ApiKey : std::int16_t {
  produce = 0,
  fetch = 1,
  list_offsets = 2,
  metadata = 3,
  offset_commit = 8,
  offset_fetch = 9,
  find_coordinator = 10,
  sasl_handshake = 17,
  api_versions = 18,
  create_topics = 19,
  delete_topics = 20,
  delete_records = 21,
  init_producer_id = 22,
  offset_for_leader_epoch = 23,
  describe_configs = 32,
  alter_configs = 33,
  alter_replica_log_dirs = 34,
  describe_log_dirs = 35,
  create_partitions = 37,
  elect_leaders = 43,
  incremental_alter_configs = 44,
  alter_partition_reassignments = 45,
  list_partition_reassignments = 46,
  describe_quorum = 55,
  update_features = 57,
  describe_cluster = 60,
  describe_producers = 61,
  get_telemetry_subscriptions = 71,
  push_telemetry = 72,
  list_config_resources = 74,
  describe_topic_partitions = 75,
};

// "Produce"; "key 99" has no name here and gives "Unknown".
const char* to_string(ApiKey key);

}  // namespace sillok::protocol
