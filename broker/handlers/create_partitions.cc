// CreatePartitions: topics get more partitions.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/handlers/handlers.h"
#include "broker/handlers/named_once.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {
namespace {

using protocol::CreatePartitionsTopic;
using protocol::ErrorCode;

struct Asked {
  std::string name;
  std::int32_t count = 0;
  std::optional<std::size_t> assignment_count;  // where the client says which brokers get the new partitions
  ErrorCode error = ErrorCode::none;
  std::string message;
};

struct Question {
  std::vector<Asked> topics;
  ValidateOnly validate_only = ValidateOnly::no;
};

void refuse(Asked& asked, ErrorCode error, std::string message) {
  asked.error = error;
  asked.message = std::move(message);
}

Asked asked_topic(const CreatePartitionsTopic& topic, BrokerId self) {
  Asked asked{std::string(topic.name), topic.count, std::nullopt, ErrorCode::none, ""};
  if (!topic.assignments) return asked;
  asked.assignment_count = topic.assignments->size();
  for (const protocol::CreatePartitionsAssignment& assignment : *topic.assignments) {
    if (assignment.broker_ids != std::vector<BrokerId>{self}) {
      refuse(asked, ErrorCode::invalid_replica_assignment,
             fmt::format("each partition must be assigned to broker {}, the only one", self.value));
    }
  }
  return asked;
}

Question question_of(const protocol::CreatePartitionsRequest& request, BrokerId self) {
  Question question;
  question.validate_only = request.validate_only ? ValidateOnly::yes : ValidateOnly::no;
  question.topics = named_once(
      request.topics, [&](const CreatePartitionsTopic& topic) { return asked_topic(topic, self); },
      [](Asked& twice) { refuse(twice, ErrorCode::invalid_request, "Duplicate topic name."); });
  return question;
}

void add(Topics& topics, Asked& asked, ValidateOnly validate_only) {
  TopicOutcome outcome = topics.add_partitions(asked.name, asked.count, ValidateOnly::yes);
  if (outcome.error == ErrorCode::none && asked.assignment_count) {
    const auto before = topics.image()->find(asked.name)->partition_count;
    const auto wanted = static_cast<std::size_t>(asked.count - before);
    if (wanted != *asked.assignment_count) {
      return refuse(
          asked, ErrorCode::invalid_replica_assignment,
          fmt::format("{} partitions are added, and {} are assigned", wanted, *asked.assignment_count));
    }
  }
  if (outcome.error == ErrorCode::none && asked.error != ErrorCode::none) return;
  if (outcome.error == ErrorCode::none && validate_only == ValidateOnly::no) {
    outcome = topics.add_partitions(asked.name, asked.count, ValidateOnly::no);
  }
  refuse(asked, outcome.error, std::move(outcome.message));
}

void send_answer(const Question& question, PendingResponse response) {
  protocol::CreatePartitionsResponse answer;
  for (const Asked& asked : question.topics) {
    protocol::CreatePartitionsTopicResponse& result = answer.results.emplace_back();
    result.name = asked.name;
    result.error_code = asked.error;
    if (asked.error != ErrorCode::none) result.error_message = asked.message;
  }
  response.send(answer);
}

}  // namespace

void handle_create_partitions(const RequestContext& context, const protocol::CreatePartitionsRequest& request,
                              PendingResponse response) {
  Services& services = context.services;
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post(
      [&services, question = question_of(request, services.config.node_id), shared_response]() mutable {
        for (Asked& asked : question.topics) {
          if (asked.error != ErrorCode::invalid_request) add(services.topics, asked, question.validate_only);
        }
        send_answer(question, std::move(*shared_response));
      });
}

}  // namespace sillok::broker
