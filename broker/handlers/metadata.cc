// Metadata: which topics there are, and where to go for them. Topics that are asked for and not there are
// made on the way, where the broker and the client allow it.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/handlers/authorized_operations.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topic_names.h"
#include "broker/metadata/topics.h"
#include "broker/partition_view.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;
using protocol::MetadataPartition;
using protocol::MetadataResponse;
using protocol::MetadataTopic;

// Kafka asks by id from this version on, though the field is there since 10.
constexpr protocol::Version kFirstWithIds = 12;

// What outlives the request where topics are to be made first.
struct Question {
  struct Topic {
    std::optional<std::string> name;
    TopicId id;
  };
  std::vector<Topic> topics;
  bool all_topics = false;
  bool with_topic_operations = false;
  bool with_cluster_operations = false;
  std::string host;
  std::uint16_t port = 0;
  // Why a topic could not be made.
  std::unordered_map<std::string, ErrorCode> creation_errors;
};

MetadataPartition partition_answer(const Services& services, const TopicImage& topic, PartitionIndex index) {
  const PartitionsView::State state = services.partitions_view.state(topic.name, index);
  const BrokerId self = services.config.node_id;
  MetadataPartition answer;
  answer.index = index;
  answer.leader_epoch = state.leader_epoch;
  answer.leader_id = self;
  answer.replica_nodes = {self};
  answer.isr_nodes = {self};
  if (!state.is_online) {
    answer.error_code = ErrorCode::leader_not_available;
    answer.leader_id = BrokerId(-1);
    answer.offline_replicas = {self};
  }
  return answer;
}

MetadataTopic topic_answer(const Services& services, const Question& question, const TopicImage& topic) {
  MetadataTopic answer;
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = topic.is_internal();
  answer.partitions.reserve(static_cast<std::size_t>(topic.partition_count));
  for (std::int32_t i = 0; i < topic.partition_count; ++i) {
    answer.partitions.push_back(partition_answer(services, topic, PartitionIndex(i)));
  }
  if (question.with_topic_operations) answer.topic_authorized_operations = kTopicOperations;
  return answer;
}

MetadataTopic unknown_topic(const Question& question, const Question::Topic& asked) {
  MetadataTopic answer;
  answer.topic_id = asked.id;
  if (!asked.name) {
    answer.error_code = ErrorCode::unknown_topic_id;
    return answer;
  }
  answer.name = *asked.name;
  answer.is_internal = is_internal_topic(*asked.name);
  if (question.with_topic_operations) answer.topic_authorized_operations = kTopicOperations;
  const auto failed = question.creation_errors.find(*asked.name);
  if (failed != question.creation_errors.end()) {
    answer.error_code = failed->second;
  } else if (topic_name_fault(*asked.name)) {
    answer.error_code = ErrorCode::invalid_topic_exception;
  } else {
    answer.error_code = ErrorCode::unknown_topic_or_partition;
  }
  return answer;
}

MetadataResponse frame_answer(const Services& services, const Question& question) {
  MetadataResponse answer;
  const Config& config = services.config;
  std::optional<std::string_view> rack;
  if (!config.rack.empty()) rack = config.rack;
  answer.brokers = {{config.node_id, question.host, question.port, rack}};
  answer.cluster_id = config.cluster_id;
  answer.controller_id = config.node_id;
  if (question.with_cluster_operations) answer.cluster_authorized_operations = kClusterOperations;
  return answer;
}

void send_answer(const Services& services, const Question& question, PendingResponse response) {
  const auto image = services.topics.image();
  MetadataResponse answer = frame_answer(services, question);
  if (question.all_topics) {
    answer.topics.reserve(image->topics().size());
    for (const auto& [name, topic] : image->topics())
      answer.topics.push_back(topic_answer(services, question, *topic));
  }
  for (const Question::Topic& asked : question.topics) {
    const TopicImage* topic = asked.name ? image->find(*asked.name) : image->find(asked.id);
    answer.topics.push_back(topic ? topic_answer(services, question, *topic)
                                  : unknown_topic(question, asked));
  }
  response.send(answer);
}

bool has_id(const protocol::MetadataRequestTopic& topic) { return !topic.topic_id.is_zero(); }

Question question_of(const RequestContext& context, const protocol::MetadataRequest& request) {
  Question question;
  question.host = context.connection.advertised_host;
  question.port = context.connection.advertised_port;
  question.with_topic_operations = request.include_topic_authorized_operations;
  question.with_cluster_operations = request.include_cluster_authorized_operations;
  question.all_topics = !request.topics || (context.header.api_version == 0 && request.topics->empty());
  if (!request.topics) return question;
  question.topics.reserve(request.topics->size());
  // As in Kafka: where any topic has an id, only the ids count; and each topic is answered once.
  const bool by_id = std::ranges::any_of(*request.topics, has_id);
  std::unordered_set<std::string_view> names;
  std::set<TopicId> ids;
  for (const protocol::MetadataRequestTopic& topic : *request.topics) {
    if (by_id) {
      if (has_id(topic) && ids.insert(topic.topic_id).second)
        question.topics.push_back({std::nullopt, topic.topic_id});
    } else if (!topic.name) {
      question.topics.push_back({std::nullopt, topic.topic_id});
    } else if (names.insert(*topic.name).second) {
      question.topics.push_back({std::string(*topic.name), topic.topic_id});
    }
  }
  return question;
}

// The topics to make. Never those that Kafka makes in its own way.
std::vector<NewTopic> topics_to_make(const MetadataImage& image, const Question& question) {
  std::vector<NewTopic> missing;
  for (const Question::Topic& asked : question.topics) {
    if (!asked.name || image.find(*asked.name) != nullptr) continue;
    if (is_internal_topic(*asked.name) || *asked.name == kKafkaMetadataTopic) continue;
    missing.push_back({*asked.name, -1, -1, {}});
  }
  return missing;
}

// On the control executor. Others may have made some of them meanwhile, which is as good.
void make_topics(Services& services, Question& question) {
  const std::vector<NewTopic> missing = topics_to_make(*services.topics.image(), question);
  const std::vector<TopicOutcome> outcomes = services.topics.create(missing, ValidateOnly::no);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (outcomes[i].error != ErrorCode::none) question.creation_errors[missing[i].name] = outcomes[i].error;
  }
}

// Ids, and topics without names, in versions that have the fields but not yet the meaning.
bool asks_too_early_for_ids(const RequestContext& context, const protocol::MetadataRequest& request) {
  if (context.header.api_version >= kFirstWithIds || !request.topics) return false;
  return std::ranges::any_of(*request.topics, [](const protocol::MetadataRequestTopic& topic) {
    return !topic.name || !topic.topic_id.is_zero();
  });
}

void refuse(const protocol::MetadataRequest& request, PendingResponse response) {
  MetadataResponse answer;
  answer.cluster_id = std::nullopt;
  for (const protocol::MetadataRequestTopic& topic : *request.topics) {
    MetadataTopic refused;
    refused.error_code = ErrorCode::invalid_request;
    refused.name = topic.name.value_or("");
    refused.topic_id = topic.topic_id;
    answer.topics.push_back(std::move(refused));
  }
  response.send(answer);
}

}  // namespace

void handle_metadata(const RequestContext& context, const protocol::MetadataRequest& request,
                     PendingResponse response) {
  if (asks_too_early_for_ids(context, request)) return refuse(request, std::move(response));
  Services& services = context.services;
  Question question = question_of(context, request);
  const bool may_make = services.config.auto_create_topics && request.allow_auto_topic_creation;
  if (!may_make || topics_to_make(*services.topics.image(), question).empty()) {
    return send_answer(services, question, std::move(response));
  }
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post([&services, question = std::move(question), shared_response]() mutable {
    make_topics(services, question);
    send_answer(services, question, std::move(*shared_response));
  });
}

}  // namespace sillok::broker
