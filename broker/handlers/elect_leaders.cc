// ElectLeaders: with one replica the leader is whom an election would choose, or there is nobody.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/handlers/explanations.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/partition_view.h"
#include "broker/setting_value.h"

namespace sillok::broker {
namespace {

using protocol::ElectionType;
using protocol::ElectLeadersPartitionResponse;
using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;
using protocol::ElectLeadersTopic;
using protocol::ElectLeadersTopicResponse;
using protocol::ErrorCode;

class Election {
 public:
  Election(const Services& services, ElectionType type)
      : services_(services), image_(services.topics.image()), type_(type) {}

  // Only what went wrong: a leader that is the right one already is not worth a line here.
  void elect_everywhere() {
    for (const auto& [name, topic] : image_->topics()) {
      ElectLeadersTopicResponse& answer = answer_.replica_election_results.emplace_back();
      answer.topic = name;
      for (std::int32_t i = 0; i < topic->partition_count; ++i) {
        const ElectLeadersPartitionResponse result = elect(*topic, PartitionIndex(i));
        if (result.error_code != ErrorCode::election_not_needed) answer.partition_result.push_back(result);
      }
    }
  }

  void elect_in(const ElectLeadersTopic& asked) {
    ElectLeadersTopicResponse& answer = answer_.replica_election_results.emplace_back();
    answer.topic = asked.topic;
    const TopicImage* topic = image_->find(asked.topic);
    for (const PartitionIndex index : asked.partitions) {
      if (topic == nullptr) {
        answer.partition_result.push_back(unknown(index, "topic as " + excerpt(asked.topic)));
      } else if (index.value < 0 || index.value >= topic->partition_count) {
        answer.partition_result.push_back(
            unknown(index, fmt::format("partition as {}-{}", topic->name, index.value)));
      } else {
        answer.partition_result.push_back(elect(*topic, index));
      }
    }
  }

  // Kafka's way with a type that it does not know: an error for the whole and for each partition.
  void refuse(const ElectLeadersRequest& request) {
    answer_.error_code = ErrorCode::invalid_request;
    if (!request.topic_partitions) return;
    const auto why =
        explanations_.keep(fmt::format("Unknown election type {}", static_cast<int>(request.election_type)));
    for (const ElectLeadersTopic& asked : *request.topic_partitions) {
      ElectLeadersTopicResponse& answer = answer_.replica_election_results.emplace_back();
      answer.topic = asked.topic;
      for (const PartitionIndex index : asked.partitions) {
        answer.partition_result.push_back({index, ErrorCode::invalid_request, why});
      }
    }
  }

  const ElectLeadersResponse& answer() const { return answer_; }

 private:
  ElectLeadersPartitionResponse elect(const TopicImage& topic, PartitionIndex index) const {
    if (services_.partitions_view.state(topic.name, index).is_online) {
      return {index, ErrorCode::election_not_needed, "Leader election not needed for topic partition."};
    }
    if (type_ == ElectionType::preferred) {
      return {index, ErrorCode::preferred_leader_not_available, "The preferred leader was not available."};
    }
    return {index, ErrorCode::eligible_leaders_not_available,
            "Eligible topic partition leaders are not available."};
  }

  ElectLeadersPartitionResponse unknown(PartitionIndex index, const std::string& what) {
    return {index, ErrorCode::unknown_topic_or_partition, explanations_.keep("No such " + what)};
  }

  const Services& services_;
  const std::shared_ptr<const MetadataImage> image_;
  const ElectionType type_;
  Explanations explanations_;
  ElectLeadersResponse answer_;
};

bool is_known(ElectionType type) { return type == ElectionType::preferred || type == ElectionType::unclean; }

}  // namespace

void handle_elect_leaders(const RequestContext& context, const ElectLeadersRequest& request,
                          PendingResponse response) {
  Election election(context.services, request.election_type);
  const bool asks_for_none = request.topic_partitions && request.topic_partitions->empty();
  if (!is_known(request.election_type) && !asks_for_none) {
    election.refuse(request);
  } else if (!request.topic_partitions) {
    election.elect_everywhere();
  } else {
    for (const ElectLeadersTopic& asked : *request.topic_partitions) election.elect_in(asked);
  }
  response.send(election.answer());
}

}  // namespace sillok::broker
