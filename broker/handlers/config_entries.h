// The configs of topics and brokers with their values and sources, as DescribeConfigs and CreateTopics answer
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/image.h"
#include "broker/resource_configs.h"
#include "broker/setting_value.h"
#include "protocol/messages/values.h"

namespace sillok::broker {

struct ConfigSynonym {
  std::string_view name;
  std::optional<std::string> value;
  protocol::ConfigSource source;
};

// Views are of the tables of settings and topic configs, which live for ever, but for the names of settings
// that are in no table: those are the caller's.
struct ConfigEntry {
  std::string_view name;
  std::optional<std::string> value;  // none where it is sensitive
  protocol::ConfigSource source = protocol::ConfigSource::default_config;
  ValueType type = ValueType::text;
  std::string_view doc;
  bool is_read_only = false;
  bool is_sensitive = false;
  std::vector<ConfigSynonym> synonyms;  // what the value comes from, the strongest first
};

// Every topic config, by name.
std::vector<ConfigEntry> topic_config_entries(const LoadedConfig& settings, const TopicImage& topic);
// Every setting of the broker, and what else it was told at run time, by name.
std::vector<ConfigEntry> broker_config_entries(const LoadedConfig& settings);
// Of a group, or of a subscription to client metrics, that set `own`; by name.
std::vector<ConfigEntry> resource_config_entries(const LoadedConfig& settings, ResourceKind kind,
                                                 const Configs& own);
// What all brokers were told at run time, by name. Views names in `settings`.
std::vector<ConfigEntry> cluster_config_entries(const LoadedConfig& settings);

}  // namespace sillok::broker
