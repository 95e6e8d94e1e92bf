// AlterConfigs and IncrementalAlterConfigs: the configs of topics, of this broker and of all brokers, and
// what is logged.
#include <fmt/format.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker_configs.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/log_levels.h"
#include "broker/metadata/topics.h"
#include "broker/resource_configs.h"
#include "broker/setting_value.h"
#include "protocol/messages/describe_configs.h"

namespace sillok::broker {
namespace {

using protocol::ConfigOperation;
using protocol::ConfigResourceType;
using protocol::ErrorCode;

struct Asked {
  ConfigResourceType type;
  std::string name;
  ConfigChanges changes;
  std::optional<ConfigFault> fault;
};

struct Question {
  std::vector<Asked> resources;
  ValidateOnly validate_only = ValidateOnly::no;
};

template <class Text>
std::optional<std::string> owned(const Text& text) {
  return text ? std::optional<std::string>(std::string(*text)) : std::nullopt;
}

ConfigOperation operation_of(const protocol::AlterConfigsConfig&) { return ConfigOperation::set; }
ConfigOperation operation_of(const protocol::IncrementalAlterConfigsConfig& config) {
  return config.config_operation;
}

template <class Request>
Question question_of(const Request& request, ConfigChanges::Others others) {
  Question question;
  question.validate_only = request.validate_only ? ValidateOnly::yes : ValidateOnly::no;
  std::set<std::pair<ConfigResourceType, std::string_view>> seen;
  std::set<std::pair<ConfigResourceType, std::string_view>> repeated;
  for (const auto& resource : request.resources) {
    const std::pair key(resource.resource_type, resource.resource_name);
    if (!seen.insert(key).second) repeated.insert(key);
  }
  for (const auto& resource : request.resources) {
    Asked asked{resource.resource_type, std::string(resource.resource_name), {others, {}}, std::nullopt};
    for (const auto& config : resource.configs) {
      asked.changes.changes.push_back({std::string(config.name), operation_of(config), owned(config.value)});
    }
    if (repeated.contains({resource.resource_type, resource.resource_name})) {
      asked.fault = ConfigFault{ErrorCode::invalid_request, "Each resource must appear at most once."};
    }
    question.resources.push_back(std::move(asked));
  }
  return question;
}

std::optional<ConfigFault> alter_topic(Topics& topics, const Asked& asked, ValidateOnly validate_only) {
  TopicOutcome outcome = topics.alter_configs(asked.name, asked.changes, validate_only);
  if (outcome.error == ErrorCode::none) return std::nullopt;
  return ConfigFault{outcome.error, std::move(outcome.message)};
}

std::optional<ConfigFault> other_broker_fault(const Services& services, const Asked& asked) {
  const BrokerId self = services.config.node_id;
  if (parse_integer(asked.name) == self.value) return std::nullopt;
  return ConfigFault{ErrorCode::invalid_request,
                     fmt::format("this is broker {}, not '{}'", self.value, excerpt(asked.name))};
}

std::optional<ConfigFault> alter(Services& services, const Asked& asked, ValidateOnly validate_only) {
  switch (asked.type) {
    case ConfigResourceType::topic:
      return alter_topic(services.topics, asked, validate_only);
    case ConfigResourceType::broker: {
      const bool is_for_all = asked.name.empty();
      if (!is_for_all) {
        if (auto fault = other_broker_fault(services, asked)) return fault;
      }
      const auto scope = is_for_all ? BrokerConfigs::Scope::all_brokers : BrokerConfigs::Scope::this_broker;
      return services.broker_configs.alter(scope, asked.changes, validate_only);
    }
    case ConfigResourceType::broker_logger:
      if (auto fault = other_broker_fault(services, asked)) return fault;
      return alter_log_levels(asked.changes, validate_only);
    case ConfigResourceType::group:
    case ConfigResourceType::client_metrics: {
      const auto kind =
          asked.type == ConfigResourceType::group ? ResourceKind::group : ResourceKind::client_metrics;
      return services.resource_configs.alter(kind, asked.name, asked.changes,
                                             *services.broker_configs.current(), validate_only);
    }
    default:
      return ConfigFault{ErrorCode::invalid_request, fmt::format("configs of resource type {} are not kept",
                                                                 static_cast<int>(asked.type))};
  }
}

template <class Response>
void send_answer(const Question& question, PendingResponse response) {
  Response answer;
  for (const Asked& asked : question.resources) {
    auto& result = answer.responses.emplace_back();
    result.resource_type = asked.type;
    result.resource_name = asked.name;
    if (!asked.fault) continue;
    result.error_code = asked.fault->error;
    result.error_message = asked.fault->message;
  }
  response.send(answer);
}

template <class Response, class Request>
void handle(const RequestContext& context, const Request& request, ConfigChanges::Others others,
            PendingResponse response) {
  Services& services = context.services;
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post([&services, question = question_of(request, others), shared_response]() mutable {
    for (Asked& asked : question.resources) {
      if (!asked.fault) asked.fault = alter(services, asked, question.validate_only);
    }
    send_answer<Response>(question, std::move(*shared_response));
  });
}

}  // namespace

void handle_alter_configs(const RequestContext& context, const protocol::AlterConfigsRequest& request,
                          PendingResponse response) {
  handle<protocol::AlterConfigsResponse>(context, request, ConfigChanges::Others::go, std::move(response));
}

void handle_incremental_alter_configs(const RequestContext& context,
                                      const protocol::IncrementalAlterConfigsRequest& request,
                                      PendingResponse response) {
  handle<protocol::IncrementalAlterConfigsResponse>(context, request, ConfigChanges::Others::stay,
                                                    std::move(response));
}

}  // namespace sillok::broker
