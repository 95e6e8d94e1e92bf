// CreateTopics: by name, with partitions and configs, or only tried (validate_only).
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker_configs.h"
#include "broker/handlers/config_entries.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/named_once.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {
namespace {

using protocol::CreateTopicsTopic;
using protocol::ErrorCode;

// One topic of the answer: refused before the topics' bookkeeping saw it, or what that made of it.
struct Asked {
  NewTopic topic;
  TopicOutcome outcome;
  bool is_refused = false;
};

struct Question {
  std::vector<Asked> topics;
  ValidateOnly validate_only = ValidateOnly::no;
};

void refuse(Asked& asked, ErrorCode error, std::string message) {
  asked.is_refused = true;
  asked.outcome = {error, std::move(message), nullptr};
}

// Which broker has which partition, where the client says so: here they all are on this one.
void take_assignments(const CreateTopicsTopic& topic, BrokerId self, NewTopic& asked) {
  const auto refuse = [&](ErrorCode error, std::string message) {
    asked.placement_fault = {error, std::move(message)};
  };
  if (topic.replication_factor != -1 || topic.num_partitions != -1) {
    return refuse(ErrorCode::invalid_request,
                  "with assignments, partitions and replication factor must be -1");
  }
  std::set<std::int32_t> partitions;
  for (const protocol::CreateTopicsAssignment& assignment : topic.assignments) {
    if (assignment.broker_ids != std::vector<BrokerId>{self}) {
      return refuse(ErrorCode::invalid_replica_assignment,
                    fmt::format("partition {} must be assigned to broker {}, the only one",
                                assignment.index.value, self.value));
    }
    if (!partitions.insert(assignment.index.value).second) {
      return refuse(ErrorCode::invalid_replica_assignment,
                    fmt::format("partition {} is assigned twice", assignment.index.value));
    }
  }
  const auto count = static_cast<std::int32_t>(partitions.size());
  if (*partitions.begin() != 0 || *partitions.rbegin() != count - 1) {
    return refuse(ErrorCode::invalid_replica_assignment, "the partitions must be 0, 1, 2 and so on");
  }
  asked.partition_count = count;
  asked.replication_factor = 1;
}

Asked asked_topic(const CreateTopicsTopic& topic, BrokerId self) {
  Asked asked;
  asked.topic.name = std::string(topic.name);
  asked.topic.partition_count = topic.num_partitions;
  asked.topic.replication_factor = topic.replication_factor;
  for (const protocol::CreateTopicsConfig& config : topic.configs) {
    if (!config.value) {
      asked.topic.config_fault = {ErrorCode::invalid_config,
                                  fmt::format("the topic config {} has no value", excerpt(config.name))};
      continue;
    }
    asked.topic.configs[std::string(config.name)] = std::string(*config.value);
  }
  if (!topic.assignments.empty()) take_assignments(topic, self, asked.topic);
  return asked;
}

Question question_of(const protocol::CreateTopicsRequest& request, BrokerId self) {
  Question question;
  question.validate_only = request.validate_only ? ValidateOnly::yes : ValidateOnly::no;
  question.topics = named_once(
      request.topics, [&](const CreateTopicsTopic& topic) { return asked_topic(topic, self); },
      [](Asked& twice) { refuse(twice, ErrorCode::invalid_request, "Duplicate topic name."); });
  return question;
}

void create(Topics& topics, Question& question) {
  std::vector<NewTopic> to_create;
  for (const Asked& asked : question.topics) {
    if (!asked.is_refused) to_create.push_back(asked.topic);
  }
  std::vector<TopicOutcome> outcomes = topics.create(to_create, question.validate_only);
  auto outcome = outcomes.begin();
  for (Asked& asked : question.topics) {
    if (!asked.is_refused) asked.outcome = std::move(*outcome++);
  }
}

protocol::CreateTopicsTopicResponse topic_answer(const Asked& asked,
                                                 const std::vector<ConfigEntry>& configs) {
  protocol::CreateTopicsTopicResponse answer;
  answer.name = asked.topic.name;
  answer.error_code = asked.outcome.error;
  answer.configs.emplace();  // empty, and not null, where there are none
  if (asked.outcome.error != ErrorCode::none) {
    answer.error_message = asked.outcome.message;
    return answer;
  }
  answer.topic_id = asked.outcome.topic->id;
  answer.num_partitions = asked.outcome.topic->partition_count;
  answer.replication_factor = 1;
  for (const ConfigEntry& config : configs) {
    protocol::CreateTopicsConfigResponse entry;
    entry.name = config.name;
    // What was given comes back as it was; DescribeConfigs tells it as it was understood.
    const auto given = asked.topic.configs.find(std::string(config.name));
    if (given != asked.topic.configs.end()) {
      entry.value = given->second;
    } else if (config.value) {
      entry.value = *config.value;
    }
    entry.read_only = config.is_read_only;
    entry.config_source = config.source;
    entry.is_sensitive = config.is_sensitive;
    answer.configs->push_back(entry);
  }
  return answer;
}

void send_answer(const Services& services, const Question& question, PendingResponse response) {
  const auto settings = services.broker_configs.current();
  protocol::CreateTopicsResponse answer;
  std::vector<std::vector<ConfigEntry>> configs;  // the answer views them
  configs.reserve(question.topics.size());
  for (const Asked& asked : question.topics) {
    configs.push_back(asked.outcome.topic ? topic_config_entries(*settings, *asked.outcome.topic)
                                          : std::vector<ConfigEntry>());
    answer.topics.push_back(topic_answer(asked, configs.back()));
  }
  response.send(answer);
}

}  // namespace

void handle_create_topics(const RequestContext& context, const protocol::CreateTopicsRequest& request,
                          PendingResponse response) {
  Services& services = context.services;
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post(
      [&services, question = question_of(request, services.config.node_id), shared_response]() mutable {
        create(services.topics, question);
        send_answer(services, question, std::move(*shared_response));
      });
}

}  // namespace sillok::broker
