// The configs of topics: every one that Kafka 4.3 knows, and what storage makes of them. Those that storage
// does not honour here are validated, kept and listed all the same.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/setting_value.h"
#include "protocol/base/result.h"
#include "storage/log_config.h"

namespace sillok::broker {

struct TopicConfig {
  std::string_view name;
  ValueRule rule;
  // The broker settings that give the default, the strongest first, separated by spaces. Of those with
  // another unit (log.retention.hours) the value of the topic config is the converted one.
  std::string_view broker_settings;
  std::string_view doc;
  // What it is where storage honours it: sets, and prints, the member of LogConfig. Null where it is kept
  // only.
  void (*set)(storage::LogConfig& config, std::string_view value) = nullptr;
  std::string (*text)(const storage::LogConfig& config) = nullptr;
  std::string_view kept_default = {};  // where it is kept only
  bool has_effect = true;              // else its description says why not
};

// By name.
std::span<const TopicConfig> topic_configs();
// Null where there is none.
const TopicConfig* find_topic_config(std::string_view name);

// Why `value` is none of this known config's; nullopt where it is one.
std::optional<std::string> topic_config_fault(std::string_view name, std::string_view value);
// What is wrong with the values of these, all of it, each fault naming its config; nullopt where nothing is.
std::optional<std::string> topic_values_fault(const std::map<std::string, std::string>& configs);
// What is wrong with configs together, each being fine alone.
std::optional<std::string> topic_configs_conflict(const storage::LogConfig& resolved);
// Both, for a topic of these configs where the broker gives `defaults`.
std::optional<std::string> topic_configs_fault(const std::map<std::string, std::string>& configs,
                                               const storage::LogConfig& defaults = {});

// `defaults` with what the topic sets. Requires: topic_values_fault() found nothing; names that are unknown
// are passed over.
storage::LogConfig resolve_log_config(const storage::LogConfig& defaults,
                                      const std::map<std::string, std::string>& configs);

}  // namespace sillok::broker
