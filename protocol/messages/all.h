// Every message, for what goes over all of them: tests, tables and tools. Handlers include their own.
#pragma once

#include "protocol/messages/alter_configs.h"
#include "protocol/messages/alter_replica_log_dirs.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/create_partitions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_records.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/describe_cluster.h"
#include "protocol/messages/describe_configs.h"
#include "protocol/messages/describe_log_dirs.h"
#include "protocol/messages/describe_producers.h"
#include "protocol/messages/describe_quorum.h"
#include "protocol/messages/describe_topic_partitions.h"
#include "protocol/messages/elect_leaders.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/messages/init_producer_id.h"
#include "protocol/messages/list_config_resources.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/offset_for_leader_epoch.h"
#include "protocol/messages/partition_reassignments.h"
#include "protocol/messages/produce.h"
#include "protocol/messages/telemetry.h"
#include "protocol/messages/update_features.h"

namespace sillok::protocol {

// Calls `visit.template operator()<Request, Response>()` for each API, in the order of the keys.
template <class Visit>
void for_each_api(Visit&& visit) {
  visit.template operator()<ProduceRequest, ProduceResponse>();
  visit.template operator()<FetchRequest, FetchResponse>();
  visit.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
  visit.template operator()<MetadataRequest, MetadataResponse>();
  visit.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
  visit.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
  visit.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
  visit.template operator()<DeleteRecordsRequest, DeleteRecordsResponse>();
  visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
  visit.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
  visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
  visit.template operator()<AlterConfigsRequest, AlterConfigsResponse>();
  visit.template operator()<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>();
  visit.template operator()<DescribeLogDirsRequest, DescribeLogDirsResponse>();
  visit.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>();
  visit.template operator()<ElectLeadersRequest, ElectLeadersResponse>();
  visit.template operator()<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>();
  visit.template operator()<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>();
  visit.template operator()<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>();
  visit.template operator()<DescribeQuorumRequest, DescribeQuorumResponse>();
  visit.template operator()<UpdateFeaturesRequest, UpdateFeaturesResponse>();
  visit.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
  visit.template operator()<DescribeProducersRequest, DescribeProducersResponse>();
  visit.template operator()<GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse>();
  visit.template operator()<PushTelemetryRequest, PushTelemetryResponse>();
  visit.template operator()<ListConfigResourcesRequest, ListConfigResourcesResponse>();
  visit.template operator()<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>();
}

enum class Direction { request, response };

// Calls `visit.template operator()<Message>(Direction)` for each request and response.
template <class Visit>
void for_each_message(Visit&& visit) {
  for_each_api([&]<class Request, class Response>() {
    visit.template operator()<Request>(Direction::request);
    visit.template operator()<Response>(Direction::response);
  });
}

}  // namespace sillok::protocol
