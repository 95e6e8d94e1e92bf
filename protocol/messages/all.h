// Every message, for what goes over all of them: tests, tables and tools. Handlers include their own.
#pragma once

#include "protocol/messages/api_versions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/describe_cluster.h"
#include "protocol/messages/describe_configs.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/init_producer_id.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/offset_for_leader_epoch.h"
#include "protocol/messages/produce.h"

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
  visit.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
  visit.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
  visit.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
  visit.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
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
