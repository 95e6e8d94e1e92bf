// AlterPartitionReassignments and ListPartitionReassignments: with one broker, every partition is where it
// can be, and nothing ever moves.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/handlers/explanations.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/setting_value.h"

namespace sillok::broker {
namespace {

using protocol::AlterPartitionReassignmentsPartition;
using protocol::AlterPartitionReassignmentsPartitionResponse;
using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;
using protocol::AlterPartitionReassignmentsTopic;
using protocol::AlterPartitionReassignmentsTopicResponse;
using protocol::ErrorCode;

// Why partitions cannot be on these brokers, in Kafka's words; nullopt: they can, and are.
std::optional<std::string> assignment_fault(std::vector<BrokerId> replicas, BrokerId self) {
  if (replicas.empty()) return "The manual partition assignment includes an empty replica list.";
  std::ranges::sort(replicas);
  const auto other = std::ranges::find_if(replicas, [self](BrokerId id) { return id != self; });
  // The lowest is judged first, as Kafka does it.
  const bool is_repeated = replicas.size() > 1 && replicas[0] == self && replicas[1] == self;
  if (is_repeated) {
    return fmt::format("The manual partition assignment includes the broker {} more than once.", self.value);
  }
  if (other == replicas.end()) return std::nullopt;
  return fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.",
                     other->value);
}

class Reassignment {
 public:
  explicit Reassignment(const Services& services)
      : self_(services.config.node_id), image_(services.topics.image()) {}

  AlterPartitionReassignmentsPartitionResponse judge(const AlterPartitionReassignmentsTopic& topic,
                                                     const AlterPartitionReassignmentsPartition& partition) {
    const TopicImage* known = image_->find(topic.name);
    const std::int32_t index = partition.index.value;
    if (known == nullptr) {
      return fail(partition, ErrorCode::unknown_topic_or_partition,
                  fmt::format("Unable to find a topic named {}.", excerpt(topic.name)));
    }
    if (index < 0 || index >= known->partition_count) {
      return fail(partition, ErrorCode::unknown_topic_or_partition,
                  fmt::format("Unable to find partition {}:{}.", known->name, index));
    }
    // Null cancels a move.
    if (!partition.replicas) return {partition.index, ErrorCode::no_reassignment_in_progress, std::nullopt};
    if (auto fault = assignment_fault(*partition.replicas, self_)) {
      return fail(partition, ErrorCode::invalid_replica_assignment, *std::move(fault));
    }
    return {partition.index, ErrorCode::none, std::nullopt};
  }

 private:
  AlterPartitionReassignmentsPartitionResponse fail(const AlterPartitionReassignmentsPartition& partition,
                                                    ErrorCode error, std::string why) {
    return {partition.index, error, explanations_.keep(std::move(why))};
  }

  const BrokerId self_;
  const std::shared_ptr<const MetadataImage> image_;
  Explanations explanations_;
};

}  // namespace

void handle_alter_partition_reassignments(const RequestContext& context,
                                          const AlterPartitionReassignmentsRequest& request,
                                          PendingResponse response) {
  AlterPartitionReassignmentsResponse answer;
  answer.allow_replication_factor_change = request.allow_replication_factor_change;
  if (request.topics.empty()) answer.error_message = "";  // and not null: as Kafka
  Reassignment reassignment(context.services);
  for (const AlterPartitionReassignmentsTopic& topic : request.topics) {
    AlterPartitionReassignmentsTopicResponse& topic_answer = answer.responses.emplace_back();
    topic_answer.name = topic.name;
    for (const AlterPartitionReassignmentsPartition& partition : topic.partitions) {
      topic_answer.partitions.push_back(reassignment.judge(topic, partition));
    }
  }
  response.send(answer);
}

void handle_list_partition_reassignments(const RequestContext&,
                                         const protocol::ListPartitionReassignmentsRequest&,
                                         PendingResponse response) {
  response.send(protocol::ListPartitionReassignmentsResponse());
}

}  // namespace sillok::broker
