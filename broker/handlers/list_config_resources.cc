// ListConfigResources: the names of what DescribeConfigs can be asked about.
#include <algorithm>
#include <array>
#include <string>

#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/resource_configs.h"

namespace sillok::broker {
namespace {

using protocol::ConfigResourceType;
using protocol::ListConfigResourcesRequest;
using protocol::ListConfigResourcesResponse;

// All types there are, in the order of Kafka's answer.
constexpr std::array kTypes{ConfigResourceType::group, ConfigResourceType::client_metrics,
                            ConfigResourceType::broker_logger, ConfigResourceType::broker,
                            ConfigResourceType::topic};

bool is_known(ConfigResourceType type) { return std::ranges::find(kTypes, type) != kTypes.end(); }

}  // namespace

void handle_list_config_resources(const RequestContext& context, const ListConfigResourcesRequest& request,
                                  PendingResponse response) {
  ListConfigResourcesResponse answer;
  auto wanted = request.resource_types;
  if (response.version() == 0) wanted = {ConfigResourceType::client_metrics};
  if (!std::ranges::all_of(wanted, is_known)) {
    answer.error_code = protocol::ErrorCode::unsupported_version;
    return response.send(answer);
  }
  const std::string self = std::to_string(context.services.config.node_id.value);
  const auto image = context.services.topics.image();
  const auto groups = context.services.resource_configs.names(ResourceKind::group);
  const auto metrics = context.services.resource_configs.names(ResourceKind::client_metrics);
  for (const ConfigResourceType type : kTypes) {
    if (!wanted.empty() && std::ranges::find(wanted, type) == wanted.end()) continue;
    if (type == ConfigResourceType::broker_logger || type == ConfigResourceType::broker) {
      answer.config_resources.push_back({self, type});
    } else if (type == ConfigResourceType::group) {
      for (const std::string& name : groups) answer.config_resources.push_back({name, type});
    } else if (type == ConfigResourceType::client_metrics) {
      for (const std::string& name : metrics) answer.config_resources.push_back({name, type});
    } else if (type == ConfigResourceType::topic) {
      for (const auto& [name, topic] : image->topics()) answer.config_resources.push_back({name, type});
    }
  }
  response.send(answer);
}

}  // namespace sillok::broker
