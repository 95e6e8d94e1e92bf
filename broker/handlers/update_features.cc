// UpdateFeatures: no feature has another level to go to, so an update is either nothing new or refused.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "broker/features.h"
#include "broker/handlers/handlers.h"
#include "broker/setting_value.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;
using protocol::FeatureUpgradeType;
using protocol::UpdateFeaturesFeature;
using protocol::UpdateFeaturesRequest;
using protocol::UpdateFeaturesResponse;

// Kafka's judgement, in its words and order; nullopt: the feature has this level.
std::optional<std::string> fault_of(const UpdateFeaturesFeature& update, BrokerId self) {
  const std::int16_t level = update.max_version_level;
  if (update.upgrade_type < FeatureUpgradeType::upgrade ||
      update.upgrade_type > FeatureUpgradeType::unsafe_downgrade) {
    return "The controller does not support the given upgrade type.";
  }
  if (level < 0) return "A feature version cannot be less than 0.";
  const auto feature = std::ranges::find(kFeatures, update.feature, &Feature::name);
  if (feature == kFeatures.end()) {
    if (level == 0) return fmt::format("Feature {} not found.", excerpt(update.feature));
    return fmt::format("Local controller {} does not support this feature.", self.value);
  }
  if (level < feature->level_min || level > feature->level_max) {
    return fmt::format("Local controller {} only supports versions {}-{}", self.value, feature->level_min,
                       feature->level_max);
  }
  return std::nullopt;
}

}  // namespace

void handle_update_features(const RequestContext& context, const UpdateFeaturesRequest& request,
                            PendingResponse response) {
  UpdateFeaturesResponse answer;
  std::string message;
  for (const UpdateFeaturesFeature& update : request.feature_updates) {
    const auto fault = fault_of(update, context.services.config.node_id);
    if (!fault) {
      answer.results.push_back({update.feature, ErrorCode::none, "NONE"});
      continue;
    }
    message = fmt::format(
        "The update failed for all features since the following feature had an error: Invalid update version "
        "{} "
        "for feature {}. {}",
        update.max_version_level, excerpt(update.feature), *fault);
    answer.results.clear();
    answer.error_code = ErrorCode::invalid_update_version;
    answer.error_message = message;
    break;
  }
  response.send(answer);
}

}  // namespace sillok::broker
