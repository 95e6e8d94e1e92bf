#include "broker/resource_configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/client_metrics_config.h"
#include "broker/group_config.h"
#include "broker/metadata/metadata_records.h"
#include "broker/settings.h"
#include "protocol/base/utf8.h"

namespace sillok::broker {
namespace {

using protocol::ConfigOperation;
using protocol::ErrorCode;

std::string_view stored_kind(ResourceKind kind) {
  return kind == ResourceKind::group ? kGroupResource : kClientMetricsResource;
}

const ResourceConfig* find_config(ResourceKind kind, std::string_view name) {
  const auto configs = resource_configs(kind);
  const auto found = std::ranges::find(configs, name, &ResourceConfig::name);
  return found == configs.end() ? nullptr : &*found;
}

// Of client metrics nothing counts as a list to be added to, as in Kafka, though they are described as lists.
class Kind final : public ConfigKind {
 public:
  bool is_list(std::string_view) const override { return false; }
  std::string inherited(std::string_view) const override { return {}; }
};

std::optional<ConfigFault> name_fault(ResourceKind kind, std::string_view name) {
  if (name.empty()) {
    return ConfigFault{ErrorCode::invalid_request, kind == ResourceKind::group
                                                       ? "Default group resources are not allowed."
                                                       : "a subscription to client metrics must have a name"};
  }
  if (!is_utf8(name)) return ConfigFault{ErrorCode::invalid_request, "the name is no UTF-8"};
  if (name.size() > ResourceConfigs::kNameSizeMax) {
    return ConfigFault{ErrorCode::invalid_request,
                       fmt::format("a name has at most {} bytes", ResourceConfigs::kNameSizeMax)};
  }
  return std::nullopt;
}

ByteCount size_with(std::string_view name, const Configs& configs) {
  return configs.empty() ? 0 : static_cast<ByteCount>(name.size()) + size_of(configs);
}

ConfigFault unknown_config(ResourceKind kind, std::string_view name) {
  const bool is_group = kind == ResourceKind::group;
  return {is_group ? ErrorCode::invalid_config : ErrorCode::invalid_request,
          fmt::format("Unknown {} config name: {}", is_group ? "group" : "client metrics", excerpt(name))};
}

std::optional<std::string> bounds_fault(const ResourceConfig& config, std::string_view value,
                                        const LoadedConfig& settings) {
  const std::int64_t number = parse_integer(value).value_or(0);
  const auto bound = [&](std::string_view name) {
    return parse_integer(setting_value(settings, name).value_or(""));
  };
  if (const auto min = bound(config.min_setting); min && number < *min) {
    return fmt::format("must be at least {} ({})", *min, config.min_setting);
  }
  if (const auto max = bound(config.max_setting); max && number > *max) {
    return fmt::format("must be at most {} ({})", *max, config.max_setting);
  }
  return std::nullopt;
}

std::optional<ConfigFault> value_fault_of(ResourceKind kind, const ResourceConfig& config,
                                          std::string_view value, const LoadedConfig& settings) {
  auto fault = value_fault(config.rule, value);
  if (!fault) fault = bounds_fault(config, value, settings);
  if (!fault && kind == ResourceKind::group) fault = group_config_fault(config.name, value);
  if (!fault && kind == ResourceKind::client_metrics) fault = client_metrics_config_fault(config.name, value);
  if (!fault) return std::nullopt;
  // Kafka has another error for the range of an interval of client metrics than for all others.
  const bool is_interval = kind == ResourceKind::client_metrics && config.rule.type == ValueType::int32;
  return ConfigFault{
      is_interval ? ErrorCode::invalid_request : ErrorCode::invalid_config,
      fmt::format("Invalid value {} for configuration {}: {}", excerpt(value), config.name, *fault)};
}

}  // namespace

std::span<const ResourceConfig> resource_configs(ResourceKind kind) {
  return kind == ResourceKind::group ? group_configs() : client_metrics_configs();
}

std::string default_value(const ResourceConfig& config, const LoadedConfig& settings) {
  if (config.default_setting.empty()) return std::string(config.default_text);
  return setting_value(settings, config.default_setting).value_or("");
}

Result<void> ResourceConfigs::load() {
  const std::lock_guard lock(mutex_);
  for (const ResourceKind kind : {ResourceKind::group, ResourceKind::client_metrics}) {
    const std::string prefix = resource_configs_prefix(stored_kind(kind));
    for (const KeyValue& pair : TRY(store_.range(prefix))) {
      keep(kind, pair.key.substr(prefix.size()), TRY(decode_resource_configs(pair.key, pair.value)));
    }
  }
  return {};
}

Configs ResourceConfigs::find(ResourceKind kind, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.find(kind);
  if (kept == kept_.end()) return {};
  const auto found = kept->second.named.find(name);
  return found == kept->second.named.end() ? Configs{} : found->second;
}

std::vector<std::string> ResourceConfigs::names(ResourceKind kind) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  const auto kept = kept_.find(kind);
  if (kept == kept_.end()) return found;
  for (const auto& [name, configs] : kept->second.named) found.push_back(name);
  return found;
}

void ResourceConfigs::keep(ResourceKind kind, const std::string& name, Configs configs) {
  Kept& kept = kept_[kind];
  if (const auto before = kept.named.find(name); before != kept.named.end()) {
    kept.size -= size_with(name, before->second);
    kept.named.erase(before);
  }
  if (configs.empty()) return;
  kept.size += size_with(name, configs);
  kept.named.emplace(name, std::move(configs));
}

// What makes them smaller is always taken.
std::optional<ConfigFault> ResourceConfigs::room_fault(ResourceKind kind, const std::string& name,
                                                       const Configs& before, const Configs& after) const {
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.find(kind);
  const std::size_t count = kept == kept_.end() ? 0 : kept->second.named.size();
  const ByteCount size = kept == kept_.end() ? 0 : kept->second.size;
  if (before.empty() && !after.empty() && count >= kResourcesMax) {
    return ConfigFault{ErrorCode::policy_violation,
                       fmt::format("configs of at most {} are kept", kResourcesMax)};
  }
  const ByteCount growth = size_with(name, after) - size_with(name, before);
  if (growth > 0 && size + growth > kSizeMax) {
    return ConfigFault{ErrorCode::policy_violation,
                       fmt::format("configs of at most {} bytes are kept, names included", kSizeMax)};
  }
  return std::nullopt;
}

std::optional<ConfigFault> ResourceConfigs::alter(ResourceKind kind, const std::string& name,
                                                  const ConfigChanges& changes, const LoadedConfig& settings,
                                                  ValidateOnly validate_only) {
  if (auto fault = name_fault(kind, name)) return fault;
  const Configs before = find(kind, name);
  Configs changed = before;
  if (auto fault = apply_changes(changes, Kind(), changed)) return fault;
  for (const ConfigChange& change : changes.changes) {
    if (change.operation == ConfigOperation::remove) continue;
    const ResourceConfig* config = find_config(kind, change.name);
    if (config == nullptr) return unknown_config(kind, change.name);
    if (auto fault = value_fault_of(kind, *config, changed.at(change.name), settings)) return fault;
  }
  if (auto fault = room_fault(kind, name, before, changed)) return fault;
  if (validate_only == ValidateOnly::yes) return std::nullopt;
  const auto written = store_resource_configs(store_, resource_configs_key(stored_kind(kind), name), changed);
  if (!written.ok()) return ConfigFault{ErrorCode::kafka_storage_error, written.error().describe()};
  const std::lock_guard lock(mutex_);
  keep(kind, name, std::move(changed));
  return std::nullopt;
}

}  // namespace sillok::broker
