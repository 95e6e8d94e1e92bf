// Every setting of the broker, in one table: what --help-config prints, what load_config() checks against,
// and what DescribeConfigs answers with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/config.h"
#include "broker/setting_value.h"

namespace sillok::broker {

struct Setting {
  std::string_view name;
  ValueRule rule;
  std::string_view doc;
  // The member of Config: from text, and to text. Null for those that config.cc resolves together (listeners,
  // synonyms).
  void (*set)(Config& config, std::string_view value) = nullptr;
  std::string (*text)(const Config& config) = nullptr;
  std::string_view default_text = {};  // where there is no member; empty: none
  std::string_view topic_config = {};  // the topic config that it is the default of
};

// By name.
std::span<const Setting> settings();
// Null where there is none.
const Setting* find_setting(std::string_view name);

// The value where nobody sets it; nullopt: none.
std::optional<std::string> default_value(const Setting& setting);

// Names of Apache Kafka's that have no effect here (and why not to expect any); whole names and, ending in
// '.', beginnings.
bool is_setting_without_effect(std::string_view name);
std::span<const std::string_view> settings_without_effect();

}  // namespace sillok::broker
