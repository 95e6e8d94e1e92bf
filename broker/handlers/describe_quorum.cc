// DescribeQuorum: who agrees on the metadata, which is this broker alone. Where it stands is told of its own
// metadata store, under the name of Kafka's metadata topic.
#include <algorithm>
#include <string_view>

#include "broker/handlers/handlers.h"
#include "broker/metadata/store.h"
#include "broker/metadata/topic_names.h"

namespace sillok::broker {
namespace {

using protocol::DescribeQuorumPartition;
using protocol::DescribeQuorumPartitionResponse;
using protocol::DescribeQuorumReplica;
using protocol::DescribeQuorumRequest;
using protocol::DescribeQuorumResponse;
using protocol::DescribeQuorumTopic;
using protocol::DescribeQuorumTopicResponse;
using protocol::ErrorCode;

// Kafka answers the question for the one partition there is, and no other question.
bool asks_for_metadata(const DescribeQuorumRequest& request) {
  return request.topics.size() == 1 && request.topics[0].topic_name == kKafkaMetadataTopic &&
         request.topics[0].partitions.size() == 1 &&
         request.topics[0].partitions[0].index == PartitionIndex(0);
}

DescribeQuorumPartitionResponse metadata_answer(const Services& services) {
  const MetadataStore::Progress progress = services.metadata_store.progress();
  const TimestampMs now = services.clock.wall_ms();
  DescribeQuorumPartitionResponse answer;
  answer.error_message = "";
  answer.leader_id = services.config.node_id;
  answer.leader_epoch = progress.epoch;
  answer.high_watermark = progress.end;
  // The directory's id stays zero, as of a voter that Kafka was told of in its settings.
  DescribeQuorumReplica& self = answer.current_voters.emplace_back();
  self.replica_id = services.config.node_id;
  self.log_end_offset = progress.end;
  self.last_fetch_timestamp = now;
  self.last_caught_up_timestamp = now;
  return answer;
}

DescribeQuorumPartitionResponse unknown_partition(PartitionIndex index) {
  DescribeQuorumPartitionResponse answer;
  answer.index = index;
  answer.error_code = ErrorCode::unknown_topic_or_partition;
  answer.error_message = "This server does not host this topic-partition.";
  return answer;
}

// The name of the listener that the client came in by.
std::string_view listener_name(const RequestContext& context) {
  const std::vector<Listener>& listeners = context.services.config.listeners;
  const auto found = std::ranges::find_if(listeners, [&](const Listener& listener) {
    return listener.advertised_host == context.connection.advertised_host &&
           listener.advertised_port == context.connection.advertised_port;
  });
  if (found != listeners.end()) return found->name;
  return listeners.empty() ? std::string_view() : listeners.front().name;
}

}  // namespace

void handle_describe_quorum(const RequestContext& context, const DescribeQuorumRequest& request,
                            PendingResponse response) {
  DescribeQuorumResponse answer;
  answer.error_message = "";
  const bool is_metadata = asks_for_metadata(request);
  for (const DescribeQuorumTopic& topic : request.topics) {
    DescribeQuorumTopicResponse& topic_answer = answer.topics.emplace_back();
    topic_answer.topic_name = topic.topic_name;
    for (const DescribeQuorumPartition& partition : topic.partitions) {
      topic_answer.partitions.push_back(is_metadata ? metadata_answer(context.services)
                                                    : unknown_partition(partition.index));
    }
  }
  if (is_metadata && response.version() >= 2) {
    answer.nodes.push_back(
        {context.services.config.node_id,
         {{listener_name(context), context.connection.advertised_host, context.connection.advertised_port}}});
  }
  response.send(answer);
}

}  // namespace sillok::broker
