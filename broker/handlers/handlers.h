// All request handlers, one file per API family beside this one.
#pragma once

#include "broker/handler.h"
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

namespace sillok::broker {

void handle_alter_configs(const RequestContext&, const protocol::AlterConfigsRequest&, PendingResponse);
void handle_alter_replica_log_dirs(const RequestContext&, const protocol::AlterReplicaLogDirsRequest&,
                                   PendingResponse);
void handle_api_versions(const RequestContext&, const protocol::ApiVersionsRequest&, PendingResponse);
// For a version of ApiVersions that is not served: the answer has the form of version 0, which every client
// reads.
void answer_unsupported_api_versions(PendingResponse);
void handle_create_partitions(const RequestContext&, const protocol::CreatePartitionsRequest&,
                              PendingResponse);
void handle_alter_partition_reassignments(const RequestContext&,
                                          const protocol::AlterPartitionReassignmentsRequest&,
                                          PendingResponse);
void handle_create_topics(const RequestContext&, const protocol::CreateTopicsRequest&, PendingResponse);
void handle_delete_records(const RequestContext&, const protocol::DeleteRecordsRequest&, PendingResponse);
void handle_delete_topics(const RequestContext&, const protocol::DeleteTopicsRequest&, PendingResponse);
void handle_describe_cluster(const RequestContext&, const protocol::DescribeClusterRequest&, PendingResponse);
void handle_describe_configs(const RequestContext&, const protocol::DescribeConfigsRequest&, PendingResponse);
void handle_describe_log_dirs(const RequestContext&, const protocol::DescribeLogDirsRequest&,
                              PendingResponse);
void handle_fetch(const RequestContext&, const protocol::FetchRequest&, PendingResponse);
void handle_incremental_alter_configs(const RequestContext&, const protocol::IncrementalAlterConfigsRequest&,
                                      PendingResponse);
void handle_describe_producers(const RequestContext&, const protocol::DescribeProducersRequest&,
                               PendingResponse);
void handle_describe_quorum(const RequestContext&, const protocol::DescribeQuorumRequest&, PendingResponse);
void handle_describe_topic_partitions(const RequestContext&, const protocol::DescribeTopicPartitionsRequest&,
                                      PendingResponse);
void handle_elect_leaders(const RequestContext&, const protocol::ElectLeadersRequest&, PendingResponse);
void handle_fetch(const RequestContext&, const protocol::FetchRequest&, PendingResponse);
void handle_get_telemetry_subscriptions(const RequestContext&,
                                        const protocol::GetTelemetrySubscriptionsRequest&, PendingResponse);
void handle_init_producer_id(const RequestContext&, const protocol::InitProducerIdRequest&, PendingResponse);
void handle_list_config_resources(const RequestContext&, const protocol::ListConfigResourcesRequest&,
                                  PendingResponse);
void handle_list_offsets(const RequestContext&, const protocol::ListOffsetsRequest&, PendingResponse);
void handle_list_partition_reassignments(const RequestContext&,
                                         const protocol::ListPartitionReassignmentsRequest&, PendingResponse);
void handle_metadata(const RequestContext&, const protocol::MetadataRequest&, PendingResponse);
void handle_offset_for_leader_epoch(const RequestContext&, const protocol::OffsetForLeaderEpochRequest&,
                                    PendingResponse);
void handle_produce(const RequestContext&, const protocol::ProduceRequest&, PendingResponse);
void handle_push_telemetry(const RequestContext&, const protocol::PushTelemetryRequest&, PendingResponse);
void handle_update_features(const RequestContext&, const protocol::UpdateFeaturesRequest&, PendingResponse);

}  // namespace sillok::broker
