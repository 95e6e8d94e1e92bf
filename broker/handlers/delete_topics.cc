// DeleteTopics: by name, and from version 6 on by id too.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;

struct Asked {
  std::optional<std::string> name;
  TopicId id;
  ErrorCode error = ErrorCode::none;
  std::string message;
};

void refuse(Asked& asked, ErrorCode error, std::string message) {
  asked.error = error;
  asked.message = std::move(message);
}

std::vector<Asked> question_of(const protocol::DeleteTopicsRequest& request) {
  std::vector<Asked> question;
  for (const protocol::DeleteTopicsTopic& topic : request.topics) {
    Asked asked;
    if (topic.name) asked.name = std::string(*topic.name);
    asked.id = topic.topic_id;
    question.push_back(std::move(asked));
  }
  for (std::string_view name : request.topic_names)
    question.push_back({std::string(name), {}, ErrorCode::none, ""});
  return question;
}

// Leaves each topic in once, as in Kafka: one that is asked for twice is answered once, and not deleted.
void refuse_repeated(std::vector<Asked>& question) {
  std::map<std::pair<std::optional<std::string>, TopicId>, std::size_t> places;
  std::vector<Asked> distinct;
  for (Asked& asked : question) {
    const auto [place, is_new] = places.emplace(std::pair(asked.name, asked.id), distinct.size());
    if (is_new) {
      distinct.push_back(std::move(asked));
    } else {
      refuse(distinct[place->second], ErrorCode::invalid_request, "The topic was specified more than once.");
    }
  }
  question = std::move(distinct);
}

void find(const MetadataImage& image, Asked& asked) {
  if (asked.name && !asked.id.is_zero()) {
    return refuse(asked, ErrorCode::invalid_request,
                  "a topic is named by its name or by its id, not by both");
  }
  if (!asked.name && asked.id.is_zero()) {
    return refuse(asked, ErrorCode::invalid_request, "a topic without name and id");
  }
  const TopicImage* topic = asked.name ? image.find(*asked.name) : image.find(asked.id);
  if (topic == nullptr) {
    return refuse(asked, asked.name ? ErrorCode::unknown_topic_or_partition : ErrorCode::unknown_topic_id,
                  asked.name ? "This server does not host this topic-partition."
                             : "This server does not host this topic ID.");
  }
  asked.name = topic->name;
  asked.id = topic->id;
}

// Names and ids, each found in the image and told where they are wrong.
void resolve(const MetadataImage& image, std::vector<Asked>& question) {
  refuse_repeated(question);
  for (Asked& asked : question) {
    if (asked.error == ErrorCode::none) find(image, asked);
  }
  // Once by its name and once by its id: now the two are equal.
  refuse_repeated(question);
}

void remove(Topics& topics, std::vector<Asked>& question) {
  resolve(*topics.image(), question);
  for (Asked& asked : question) {
    if (asked.error != ErrorCode::none) continue;
    TopicOutcome outcome = topics.remove(*asked.name);
    refuse(asked, outcome.error, std::move(outcome.message));
  }
}

void send_answer(const std::vector<Asked>& question, PendingResponse response) {
  protocol::DeleteTopicsResponse answer;
  for (const Asked& asked : question) {
    protocol::DeleteTopicsTopicResponse topic;
    if (asked.name) topic.name = *asked.name;
    topic.topic_id = asked.id;
    topic.error_code = asked.error;
    if (asked.error != ErrorCode::none) topic.error_message = asked.message;
    answer.responses.push_back(topic);
  }
  response.send(answer);
}

}  // namespace

void handle_delete_topics(const RequestContext& context, const protocol::DeleteTopicsRequest& request,
                          PendingResponse response) {
  Services& services = context.services;
  std::vector<Asked> question = question_of(request);
  if (!services.config.delete_topic_enable) {
    for (Asked& asked : question)
      refuse(asked, ErrorCode::topic_deletion_disabled, "Topic deletion is disabled.");
    return send_answer(question, std::move(response));
  }
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post([&services, question = std::move(question), shared_response]() mutable {
    remove(services.topics, question);
    send_answer(question, std::move(*shared_response));
  });
}

}  // namespace sillok::broker
