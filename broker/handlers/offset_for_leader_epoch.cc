// OffsetForLeaderEpoch: where the records of an epoch end, by which clients find out whether what they read
// still stands.
#include <utility>

#include "broker/handlers/handlers.h"
#include "broker/partitions.h"

namespace sillok::broker {
namespace {

using namespace protocol;

OffsetForLeaderPartitionResponse answer_one(const Partitions::Lookup& found,
                                            const OffsetForLeaderPartition& wanted) {
  OffsetForLeaderPartitionResponse answer;
  answer.index = wanted.index;
  answer.leader_epoch = kNoLeaderEpoch;
  answer.end_offset = Offset(-1);
  if (found.is_unknown()) {
    answer.error_code = ErrorCode::unknown_topic_or_partition;
    return answer;
  }
  if (found.state == Partitions::Lookup::State::offline) {
    answer.error_code = ErrorCode::kafka_storage_error;
    return answer;
  }
  const Partition& partition = *found.partition;
  const LeaderEpoch epoch = partition.leader_epoch();
  if (wanted.current_leader_epoch != kNoLeaderEpoch && wanted.current_leader_epoch != epoch) {
    answer.error_code = wanted.current_leader_epoch < epoch ? ErrorCode::fenced_leader_epoch
                                                            : ErrorCode::unknown_leader_epoch;
    return answer;
  }
  const auto end = partition.log().end_offset_for_epoch(wanted.leader_epoch);
  answer.leader_epoch = end.epoch;
  answer.end_offset = end.end_offset;
  return answer;
}

}  // namespace

void handle_offset_for_leader_epoch(const RequestContext& context, const OffsetForLeaderEpochRequest& request,
                                    PendingResponse response) {
  OffsetForLeaderEpochResponse all;
  for (const OffsetForLeaderTopic& topic : request.topics) {
    OffsetForLeaderTopicResponse& topic_response = all.topics.emplace_back();
    topic_response.name = topic.name;
    for (const OffsetForLeaderPartition& wanted : topic.partitions) {
      const Partitions::Lookup found = context.services.partitions.find(topic.name, wanted.index);
      topic_response.partitions.push_back(answer_one(found, wanted));
    }
  }
  response.send(all);
}

}  // namespace sillok::broker
