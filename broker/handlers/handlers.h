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
#include "protocol/messages/fetch.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/messages/init_producer_id.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/offset_for_leader_epoch.h"
#include "protocol/messages/produce.h"

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
void handle_init_producer_id(const RequestContext&, const protocol::InitProducerIdRequest&, PendingResponse);
void handle_list_offsets(const RequestContext&, const protocol::ListOffsetsRequest&, PendingResponse);
void handle_metadata(const RequestContext&, const protocol::MetadataRequest&, PendingResponse);
void handle_offset_for_leader_epoch(const RequestContext&, const protocol::OffsetForLeaderEpochRequest&,
                                    PendingResponse);
void handle_produce(const RequestContext&, const protocol::ProduceRequest&, PendingResponse);

}  // namespace sillok::broker
