#include "broker/dispatcher.h"
#include "broker/features.h"
#include "broker/handlers/handlers.h"

namespace sillok::broker {
namespace {

protocol::ApiVersionsResponse all_versions(const Config& config) {
  protocol::ApiVersionsResponse response;
  for (const ApiEntry& api : api_table()) {
    if (!api.is_on(config)) continue;
    response.api_keys.push_back({api.key, api.advertised.first, api.advertised.last});
  }
  for (const Feature& feature : kFeatures) {
    response.supported_features.push_back({feature.name, feature.level_min, feature.level_max});
    response.finalized_features.push_back({feature.name, feature.level, feature.level});
  }
  response.finalized_features_epoch = kFeaturesEpoch;
  return response;
}

// Kafka's pattern: letters and digits, with '-' and '.' inside.
bool is_software_name(std::string_view text) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  for (const char c : text) {
    if (!is_alphanumeric(c) && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

void handle_api_versions(const RequestContext& context, const protocol::ApiVersionsRequest& request,
                         PendingResponse response) {
  if (response.version() >= 3 && !(is_software_name(request.client_software_name) &&
                                   is_software_name(request.client_software_version))) {
    protocol::ApiVersionsResponse refusal;
    refusal.error_code = protocol::ErrorCode::invalid_request;
    return response.send(refusal);
  }
  response.send(all_versions(context.services.config));
}

// As in Kafka, with the one range that tells the client in which version to ask again.
void answer_unsupported_api_versions(PendingResponse response) {
  protocol::ApiVersionsResponse refusal;
  refusal.error_code = protocol::ErrorCode::unsupported_version;
  for (const ApiEntry& api : api_table()) {
    if (api.key != protocol::ApiKey::api_versions) continue;
    refusal.api_keys.push_back({api.key, api.advertised.first, api.advertised.last});
  }
  response.send_as(refusal, 0);
}

}  // namespace sillok::broker
