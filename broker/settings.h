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

// Whether AlterConfigs may change a setting while the broker runs.
enum class Update { at_start, live };

struct Setting {
  std::string_view name;
  ValueRule rule;
  std::string_view doc;
  // The member of Config: from text, and to text. Null for those that config.cc resolves together (listeners,
  // synonyms), and for those without effect.
  void (*set)(Config& config, std::string_view value) = nullptr;
  std::string (*text)(const Config& config) = nullptr;
  std::optional<std::string_view> default_text = {};  // where there is no member
  std::string_view topic_config = {};                 // the topic config that it is the default of
  Update update = Update::at_start;
  bool has_effect = true;
};

// Every one that DescribeConfigs lists: those of Apache Kafka 4.3, and ours. By name.
std::span<const Setting> settings();
// Null where there is none.
const Setting* find_setting(std::string_view name);

// The value where nobody sets it; nullopt: none.
std::optional<std::string> default_value(const Setting& setting);
// The value now, wherever it comes from; nullopt: none, or no such setting.
std::optional<std::string> setting_value(const LoadedConfig& settings, std::string_view name);
// Why `value` is none of the setting's; nullopt where it is one.
std::optional<std::string> setting_fault(const Setting& setting, std::string_view value);

// Those of Apache Kafka 4.3 that nothing here looks at, each with the reason. By name.
std::span<const Setting> settings_without_effect();

// Limits of replication, which Kafka has at run time only. Of replication there is none here; the one of
// moves between log directories is kept.
inline constexpr std::string_view kMoveRateSetting = "replica.alter.log.dirs.io.max.bytes.per.second";
std::span<const std::string_view> replication_limits();

// Names of other versions of Apache Kafka, which are no error, have no effect and are not listed; whole names
// and, ending in '.', beginnings.
bool is_foreign_setting(std::string_view name);
std::span<const std::string_view> foreign_settings();

}  // namespace sillok::broker
