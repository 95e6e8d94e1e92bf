#include "bench/floor_requests.h"

#include "protocol/frame.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"

namespace sillok::bench {
namespace {

using protocol::ApiKey;
using protocol::ErrorCode;

constexpr BrokerId kSelf{1};
constexpr protocol::ApiVersion kVersions[] = {{ApiKey::produce, 9, 9},      {ApiKey::fetch, 12, 12},
                                              {ApiKey::list_offsets, 6, 7}, {ApiKey::metadata, 9, 9},
                                              {ApiKey::api_versions, 0, 3}, {ApiKey::create_topics, 5, 5}};

protocol::MetadataTopic describe(const FloorTopic& topic) {
  protocol::MetadataTopic described;
  described.name = topic.name;
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    protocol::MetadataPartition partition;
    partition.index = PartitionIndex(static_cast<std::int32_t>(i));
    partition.leader_id = kSelf;
    partition.leader_epoch = LeaderEpoch(0);
    partition.replica_nodes = partition.isr_nodes = {kSelf};
    described.partitions.push_back(std::move(partition));
  }
  return described;
}

protocol::MetadataResponse answer(FloorTopics& topics, const Endpoint& self,
                                  const protocol::MetadataRequest& request) {
  protocol::MetadataResponse response;
  response.brokers.push_back({kSelf, self.host, self.port, {}});
  response.controller_id = kSelf;
  if (!request.topics) {
    for (const auto& topic : topics.all()) response.topics.push_back(describe(*topic));
    return response;
  }
  for (const protocol::MetadataRequestTopic& wanted : *request.topics) {
    const FloorTopic* topic = topics.find(wanted.name.value_or(""));
    protocol::MetadataTopic unknown;
    unknown.error_code = ErrorCode::unknown_topic_or_partition;
    unknown.name = wanted.name;
    response.topics.push_back(topic == nullptr ? unknown : describe(*topic));
  }
  return response;
}

protocol::CreateTopicsResponse answer(FloorTopics& topics, const Endpoint&,
                                      const protocol::CreateTopicsRequest& request) {
  protocol::CreateTopicsResponse response;
  for (const protocol::CreateTopicsTopic& wanted : request.topics) {
    protocol::CreateTopicsTopicResponse created;
    created.name = wanted.name;
    created.num_partitions = wanted.num_partitions;
    created.configs.emplace();
    if (topics.find(wanted.name) != nullptr) {
      created.error_code = ErrorCode::topic_already_exists;
    } else {
      topics.create(wanted.name, wanted.num_partitions);
    }
    response.topics.push_back(std::move(created));
  }
  return response;
}

protocol::ListOffsetsResponse answer(FloorTopics& topics, const Endpoint&,
                                     const protocol::ListOffsetsRequest& request) {
  protocol::ListOffsetsResponse response;
  for (const protocol::ListOffsetsTopic& wanted : request.topics) {
    const FloorTopic* topic = topics.find(wanted.name);
    auto& listed = response.topics.emplace_back();
    listed.name = wanted.name;
    for (const protocol::ListOffsetsPartition& partition : wanted.partitions) {
      protocol::ListOffsetsPartitionResponse found;
      found.index = partition.index;
      const auto index = static_cast<std::size_t>(partition.index.value);
      if (topic == nullptr || index >= topic->partitions.size()) {
        found.error_code = ErrorCode::unknown_topic_or_partition;
      } else {
        const bool is_end = partition.timestamp == protocol::kLatestTimestamp;
        found.offset = is_end ? topic->partitions[index]->end().offset : Offset(0);
        found.leader_epoch = LeaderEpoch(0);
      }
      listed.partitions.push_back(found);
    }
  }
  return response;
}

protocol::ApiVersionsResponse answer(FloorTopics&, const Endpoint&, const protocol::ApiVersionsRequest&) {
  protocol::ApiVersionsResponse response;
  response.api_keys.assign(std::begin(kVersions), std::end(kVersions));
  return response;
}

template <protocol::Message Request>
void answer_as(FloorTopics& topics, const Endpoint& self, const protocol::RequestHeader& header,
               protocol::Decoder& in, Bytes& out) {
  Request request;
  must(protocol::decode(in, request, header.api_version).ok(), "a request of another form");
  const auto response = answer(topics, self, request);
  protocol::Encoder encoder(out);
  must(
      protocol::encode_response_frame(encoder, out, response, header.correlation_id, header.api_version).ok(),
      "encode");
}

}  // namespace

void answer_seldom(FloorTopics& topics, const Endpoint& self, const protocol::RequestHeader& header,
                   protocol::Decoder& in, Bytes& out) {
  switch (static_cast<ApiKey>(header.api_key)) {
    case ApiKey::metadata:
      return answer_as<protocol::MetadataRequest>(topics, self, header, in, out);
    case ApiKey::create_topics:
      return answer_as<protocol::CreateTopicsRequest>(topics, self, header, in, out);
    case ApiKey::list_offsets:
      return answer_as<protocol::ListOffsetsRequest>(topics, self, header, in, out);
    case ApiKey::api_versions:
      return answer_as<protocol::ApiVersionsRequest>(topics, self, header, in, out);
    default:
      must(false, "a request that the floor does not know");
  }
}

}  // namespace sillok::bench
