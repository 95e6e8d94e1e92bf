// The configs of topics and brokers with their values and sources, as DescribeConfigs and CreateTopics answer
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/image.h"
#include "broker/setting_value.h"
#include "protocol/messages/values.h"

namespace sillok::broker {

struct ConfigSynonym {
  std::string_view name;
  std::optional<std::string> value;
  protocol::ConfigSource source;
};

// Views are of the tables of settings and topic configs, which live for ever.
struct ConfigEntry {
  std::string_view name;
  std::optional<std::string> value;
  protocol::ConfigSource source = protocol::ConfigSource::default_config;
  ValueType type = ValueType::text;
  std::string_view doc;
  std::vector<ConfigSynonym> synonyms;  // what the value comes from, the strongest first
};

// Every topic config, by name.
std::vector<ConfigEntry> topic_config_entries(const LoadedConfig& settings, const TopicImage& topic);
// Every setting of the broker, by name.
std::vector<ConfigEntry> broker_config_entries(const LoadedConfig& settings);

}  // namespace sillok::broker
