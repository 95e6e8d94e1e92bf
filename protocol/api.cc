#include "protocol/api.h"

namespace sillok::protocol {

const char* to_string(ApiKey key) {
  switch (key) {
    case ApiKey::produce:
      return "Produce";
    case ApiKey::fetch:
      return "Fetch";
    case ApiKey::list_offsets:
      return "ListOffsets";
    case ApiKey::metadata:
      return "Metadata";
    case ApiKey::offset_commit:
      return "OffsetCommit";
    case ApiKey::offset_fetch:
      return "OffsetFetch";
    case ApiKey::find_coordinator:
      return "FindCoordinator";
    case ApiKey::sasl_handshake:
      return "SaslHandshake";
    case ApiKey::api_versions:
      return "ApiVersions";
    case ApiKey::create_topics:
      return "CreateTopics";
    case ApiKey::delete_topics:
      return "DeleteTopics";
    case ApiKey::delete_records:
      return "DeleteRecords";
    case ApiKey::init_producer_id:
      return "InitProducerId";
    case ApiKey::offset_for_leader_epoch:
      return "OffsetForLeaderEpoch";
    case ApiKey::describe_configs:
      return "DescribeConfigs";
    case ApiKey::alter_configs:
      return "AlterConfigs";
    case ApiKey::alter_replica_log_dirs:
      return "AlterReplicaLogDirs";
    case ApiKey::describe_log_dirs:
      return "DescribeLogDirs";
    case ApiKey::create_partitions:
      return "CreatePartitions";
    case ApiKey::elect_leaders:
      return "ElectLeaders";
    case ApiKey::incremental_alter_configs:
      return "IncrementalAlterConfigs";
    case ApiKey::alter_partition_reassignments:
      return "AlterPartitionReassignments";
    case ApiKey::list_partition_reassignments:
      return "ListPartitionReassignments";
    case ApiKey::describe_quorum:
      return "DescribeQuorum";
    case ApiKey::update_features:
      return "UpdateFeatures";
    case ApiKey::describe_cluster:
      return "DescribeCluster";
    case ApiKey::describe_producers:
      return "DescribeProducers";
    case ApiKey::get_telemetry_subscriptions:
      return "GetTelemetrySubscriptions";
    case ApiKey::push_telemetry:
      return "PushTelemetry";
    case ApiKey::list_config_resources:
      return "ListConfigResources";
    case ApiKey::describe_topic_partitions:
      return "DescribeTopicPartitions";
  }
  return "Unknown";
}

}  // namespace sillok::protocol
