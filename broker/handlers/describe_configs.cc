// DescribeConfigs: every config of topics and of this broker, with where its value comes from.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/broker_configs.h"
#include "broker/handlers/config_entries.h"
#include "broker/handlers/explanations.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/log_levels.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {
namespace {

using protocol::ConfigResourceType;
using protocol::ConfigType;
using protocol::DescribeConfigsResource;
using protocol::DescribeConfigsResult;
using protocol::ErrorCode;

ConfigType type_of(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return ConfigType::boolean;
    case ValueType::int16:
      return ConfigType::int16;
    case ValueType::int32:
      return ConfigType::int32;
    case ValueType::int64:
      return ConfigType::int64;
    case ValueType::float64:
      return ConfigType::float64;
    case ValueType::text:
      return ConfigType::string;
    case ValueType::list:
      return ConfigType::list;
    case ValueType::class_name:
      return ConfigType::class_name;
    case ValueType::password:
      return ConfigType::password;
  }
  return ConfigType::unknown;
}

std::vector<ConfigEntry> logger_entries() {
  ConfigEntry entry;
  entry.name = kRootLogger;
  entry.value = log_level();
  entry.source = protocol::ConfigSource::dynamic_broker_logger_config;
  entry.doc = "What is logged: this and everything graver.";
  return {std::move(entry)};
}

// Of one answer, beside the configs of topics: a short request can name the broker often, or many groups.
// Every topic that there is has its first description whatever the others took.
constexpr std::size_t kDescribedConfigsMax = 100'000;

// However a request writes its number.
constexpr std::string_view kThisBroker = "this";

// An answer and what it views.
class Answer {
 public:
  Answer(const Services& services, const protocol::DescribeConfigsRequest& request)
      : services_(services), request_(request) {}

  protocol::DescribeConfigsResponse describe() {
    protocol::DescribeConfigsResponse response;
    for (const DescribeConfigsResource& resource : request_.resources) {
      DescribeConfigsResult result;
      result.resource_type = resource.resource_type;
      result.resource_name = resource.resource_name;
      describe(resource, result);
      response.results.push_back(std::move(result));
    }
    return response;
  }

 private:
  void describe(const DescribeConfigsResource& resource, DescribeConfigsResult& result) {
    switch (resource.resource_type) {
      case ConfigResourceType::topic:
        return describe_topic(resource, result);
      case ConfigResourceType::broker:
        return describe_broker(resource, result);
      case ConfigResourceType::broker_logger:
        return describe_logger(resource, result);
      case ConfigResourceType::client_metrics:
        return describe_other(ResourceKind::client_metrics, resource, result);
      case ConfigResourceType::group:
        return describe_other(ResourceKind::group, resource, result);
      case ConfigResourceType::unknown:
        break;
    }
    fail(result, ErrorCode::invalid_request,
         messages_.keep(fmt::format("configs of resource type {} are not kept",
                                    static_cast<int>(resource.resource_type))));
  }

  void describe_topic(const DescribeConfigsResource& resource, DescribeConfigsResult& result) {
    if (auto fault = topic_name_fault(resource.resource_name)) {
      return fail(result, ErrorCode::invalid_topic_exception, messages_.keep(*std::move(fault)));
    }
    const auto image = services_.topics.image();
    const TopicImage* topic = image->find(resource.resource_name);
    if (topic == nullptr) {
      return fail(result, ErrorCode::unknown_topic_or_partition,
                  "This server does not host this topic-partition.");
    }
    add([&] { return topic_config_entries(*settings_, *topic); }, resource.resource_name, resource, result);
  }

  void describe_broker(const DescribeConfigsResource& resource, DescribeConfigsResult& result) {
    // The empty name is what all brokers were told at run time.
    if (resource.resource_name.empty())
      return add([&] { return cluster_config_entries(*settings_); }, "", resource, result);
    if (!check_broker(resource, result)) return;
    add([&] { return broker_config_entries(*settings_); }, kThisBroker, resource, result);
  }

  void describe_logger(const DescribeConfigsResource& resource, DescribeConfigsResult& result) {
    if (check_broker(resource, result)) add(logger_entries, kThisBroker, resource, result);
  }

  void describe_other(ResourceKind kind, const DescribeConfigsResource& resource,
                      DescribeConfigsResult& result) {
    if (resource.resource_name.empty())
      return fail(result, ErrorCode::invalid_request, "the resource needs a name");
    const auto entries = [&] {
      const Configs own = services_.resource_configs.find(kind, resource.resource_name);
      return resource_config_entries(*settings_, kind, own);
    };
    add(entries, resource.resource_name, resource, result);
  }

  bool check_broker(const DescribeConfigsResource& resource, DescribeConfigsResult& result) {
    const BrokerId self = services_.config.node_id;
    if (parse_integer(resource.resource_name) == self.value) return true;
    fail(result, ErrorCode::invalid_request,
         messages_.keep(
             fmt::format("this is broker {}, not '{}'", self.value, excerpt(resource.resource_name))));
    return false;
  }

  // `make` is called for the first one of this type and name; others view what it made.
  template <class Make>
  void add(const Make& make, std::string_view name, const DescribeConfigsResource& resource,
           DescribeConfigsResult& result) {
    const Key key{resource.resource_type, name};
    auto kept = kept_.find(key);
    const bool is_new = kept == kept_.end();
    const bool is_free = is_new && resource.resource_type == ConfigResourceType::topic;
    if (room_ == 0 && !is_free) {
      return fail(result, ErrorCode::invalid_request,
                  "The resources have more configs than one answer holds: ask for fewer.");
    }
    if (is_new) kept = kept_.emplace(key, make()).first;
    copy(kept->second, resource, result);
    if (!is_free) room_ -= std::min(room_, is_new ? kept->second.size() : result.configs.size());
  }

  // Of `entries`, which are by name, those that are asked for. Kafka takes an empty list for no filter, too.
  void copy(const std::vector<ConfigEntry>& entries, const DescribeConfigsResource& resource,
            DescribeConfigsResult& result) const {
    const auto& keys = resource.configuration_keys;
    if (!keys || keys->empty()) {
      result.configs.reserve(entries.size());
      for (const ConfigEntry& config : entries) result.configs.push_back(told(config));
      return;
    }
    std::vector<const ConfigEntry*> asked;
    for (const std::string_view key : *keys) {
      const auto found = std::ranges::lower_bound(entries, key, {}, &ConfigEntry::name);
      if (found != entries.end() && found->name == key) asked.push_back(&*found);
    }
    std::ranges::sort(asked);
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    for (const ConfigEntry* config : asked) result.configs.push_back(told(*config));
  }

  protocol::DescribeConfigsEntry told(const ConfigEntry& config) const {
    protocol::DescribeConfigsEntry entry;
    entry.name = config.name;
    entry.value = config.value;
    entry.read_only = config.is_read_only;
    entry.is_sensitive = config.is_sensitive;
    entry.config_source = config.source;
    entry.config_type = type_of(config.type);
    if (request_.include_documentation) entry.documentation = config.doc;
    if (request_.include_synonyms) {
      for (const ConfigSynonym& synonym : config.synonyms) {
        entry.synonyms.push_back({synonym.name, synonym.value, synonym.source});
      }
    }
    return entry;
  }

  static void fail(DescribeConfigsResult& result, ErrorCode error, std::optional<std::string_view> message) {
    result.error_code = error;
    result.error_message = message;
  }

  const Services& services_;
  const std::shared_ptr<const LoadedConfig> settings_ = services_.broker_configs.current();
  const protocol::DescribeConfigsRequest& request_;
  using Key = std::pair<ConfigResourceType, std::string_view>;
  std::map<Key, std::vector<ConfigEntry>> kept_;
  std::size_t room_ = kDescribedConfigsMax;
  Explanations messages_;
};

}  // namespace

void handle_describe_configs(const RequestContext& context, const protocol::DescribeConfigsRequest& request,
                             PendingResponse response) {
  Answer answer(context.services, request);
  response.send(answer.describe());
}

}  // namespace sillok::broker
