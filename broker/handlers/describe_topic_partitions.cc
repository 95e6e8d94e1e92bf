// DescribeTopicPartitions: topics by name, with as many partitions as one answer may have, and where to go
// on.
//
// Non-obvious: a topic that is unknown takes nothing of that limit. The next cursor may name a topic that
// does not exist: the first of those asked for that the answer has no room for.
#include <algorithm>
#include <string_view>
#include <vector>

#include "broker/handlers/authorized_operations.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/partition_view.h"

namespace sillok::broker {
namespace {

using protocol::DescribeTopicPartitionsCursor;
using protocol::DescribeTopicPartitionsPartitionResponse;
using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::DescribeTopicPartitionsTopic;
using protocol::DescribeTopicPartitionsTopicResponse;
using protocol::ErrorCode;

// One answer, filled topic by topic.
class Page {
 public:
  Page(const Services& services, const DescribeTopicPartitionsRequest& request)
      : services_(services),
        cursor_(request.cursor.value_or(DescribeTopicPartitionsCursor{})),
        room_(std::max(
            1, std::min(request.response_partition_limit, services.config.request_partition_limit))) {}

  // `topic` is null where the name is unknown. False: the page is full, and nothing after this belongs to it.
  bool add(std::string_view name, const TopicImage* topic) {
    if (room_ == 0) return end_before(name, 0);
    DescribeTopicPartitionsTopicResponse& answer = answer_.topics.emplace_back();
    answer.name = name;
    answer.is_internal = is_internal_topic(name);
    answer.topic_authorized_operations = kTopicOperations;
    if (topic == nullptr) {
      answer.error_code =
          topic_name_fault(name) ? ErrorCode::invalid_topic_exception : ErrorCode::unknown_topic_or_partition;
      return true;
    }
    answer.topic_id = topic->id;
    const std::int32_t first = name == cursor_.topic_name ? cursor_.index.value : 0;
    const std::int32_t count = std::clamp(topic->partition_count - first, 0, room_);
    answer.partitions.reserve(static_cast<std::size_t>(count));
    for (std::int32_t i = first; i < first + count; ++i) {
      answer.partitions.push_back(partition_answer(*topic, PartitionIndex(i)));
    }
    room_ -= count;
    if (count > 0 && first + count < topic->partition_count) return end_before(name, first + count);
    return true;
  }

  const DescribeTopicPartitionsResponse& answer() const { return answer_; }

 private:
  bool end_before(std::string_view name, std::int32_t partition) {
    answer_.next_cursor = {name, PartitionIndex(partition)};
    return false;
  }

  DescribeTopicPartitionsPartitionResponse partition_answer(const TopicImage& topic,
                                                            PartitionIndex index) const {
    const PartitionsView::State state = services_.partitions_view.state(topic.name, index);
    const BrokerId self = services_.config.node_id;
    DescribeTopicPartitionsPartitionResponse answer;
    answer.index = index;
    answer.leader_id = state.is_online ? self : BrokerId(-1);
    answer.leader_epoch = state.leader_epoch;
    answer.replica_nodes = {self};
    answer.isr_nodes = {self};
    // Nobody is kept beside the replicas in sync; Kafka tells that as empty lists, too.
    answer.eligible_leader_replicas.emplace();
    answer.last_known_elr.emplace();
    if (!state.is_online) answer.offline_replicas = {self};
    return answer;
  }

  const Services& services_;
  const DescribeTopicPartitionsCursor cursor_;
  std::int32_t room_;  // for partitions
  DescribeTopicPartitionsResponse answer_;
};

// Each once, in order, from the cursor on.
std::vector<std::string_view> names_asked(const DescribeTopicPartitionsRequest& request) {
  std::vector<std::string_view> names;
  names.reserve(request.topics.size());
  for (const DescribeTopicPartitionsTopic& topic : request.topics) {
    if (!request.cursor || topic.name >= request.cursor->topic_name) names.push_back(topic.name);
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

bool is_cursor_sound(const DescribeTopicPartitionsRequest& request) {
  if (!request.cursor) return true;
  if (request.cursor->index < PartitionIndex(0)) return false;
  return request.topics.empty() || std::ranges::any_of(request.topics, [&](const auto& topic) {
           return topic.name == request.cursor->topic_name;
         });
}

void refuse(const DescribeTopicPartitionsRequest& request, PendingResponse response) {
  DescribeTopicPartitionsResponse answer;
  for (const DescribeTopicPartitionsTopic& topic : request.topics) {
    DescribeTopicPartitionsTopicResponse& refused = answer.topics.emplace_back();
    refused.error_code = ErrorCode::invalid_request;
    refused.name = topic.name;
  }
  response.send(answer);
}

}  // namespace

void handle_describe_topic_partitions(const RequestContext& context,
                                      const DescribeTopicPartitionsRequest& request,
                                      PendingResponse response) {
  if (!is_cursor_sound(request)) return refuse(request, std::move(response));
  const auto image = context.services.topics.image();
  Page page(context.services, request);
  if (request.topics.empty()) {
    const auto& topics = image->topics();
    auto at = request.cursor ? topics.lower_bound(request.cursor->topic_name) : topics.begin();
    while (at != topics.end() && page.add(at->first, at->second.get())) ++at;
  } else {
    for (std::string_view name : names_asked(request)) {
      if (!page.add(name, image->find(name))) break;
    }
  }
  response.send(page.answer());
}

}  // namespace sillok::broker
