#include "broker/handlers/config_entries.h"

#include <utility>

#include "broker/settings.h"
#include "broker/topic_config.h"

namespace sillok::broker {
namespace {

using protocol::ConfigSource;

std::optional<std::string> explicit_value(const LoadedConfig& settings, std::string_view name) {
  for (const auto& [set_name, value] : settings.explicitly_set) {
    if (set_name == name) return value;
  }
  return std::nullopt;
}

// Appends what was set as `name`, and its default where `name` has one.
void add_broker_synonyms(std::vector<ConfigSynonym>& synonyms, const LoadedConfig& settings,
                         std::string_view name) {
  if (auto value = explicit_value(settings, name)) {
    synonyms.push_back({name, std::move(value), ConfigSource::static_broker_config});
  }
  const Setting* setting = find_setting(name);
  if (setting == nullptr) return;
  if (auto value = default_value(*setting)) {
    synonyms.push_back({setting->name, std::move(value), ConfigSource::default_config});
  }
}

// The settings that give a topic config's default, the strongest first.
std::vector<std::string_view> broker_settings(const TopicConfig& config) {
  std::vector<std::string_view> names;
  std::string_view left = config.broker_settings;
  while (!left.empty()) {
    const std::size_t end = left.find(' ');
    names.push_back(left.substr(0, end));
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  return names;
}

std::string topic_value(const TopicConfig& config, const LoadedConfig& settings, const TopicImage& topic) {
  if (config.text != nullptr) return config.text(topic.log_config);
  const auto on_topic = topic.configs.find(std::string(config.name));
  if (on_topic != topic.configs.end()) return on_topic->second;
  for (std::string_view name : broker_settings(config)) {
    if (auto value = explicit_value(settings, name)) return *value;
  }
  return std::string(config.kept_default);
}

}  // namespace

std::vector<ConfigEntry> topic_config_entries(const LoadedConfig& settings, const TopicImage& topic) {
  std::vector<ConfigEntry> entries;
  for (const TopicConfig& config : topic_configs()) {
    ConfigEntry entry;
    entry.name = config.name;
    entry.value = topic_value(config, settings, topic);
    entry.type = config.rule.type;
    entry.doc = config.doc;
    if (topic.configs.contains(std::string(config.name))) {
      entry.synonyms.push_back({config.name, entry.value, ConfigSource::topic_config});
    }
    for (std::string_view name : broker_settings(config)) add_broker_synonyms(entry.synonyms, settings, name);
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> broker_config_entries(const LoadedConfig& settings) {
  std::vector<ConfigEntry> entries;
  for (const Setting& setting : broker::settings()) {
    ConfigEntry entry;
    entry.name = setting.name;
    entry.type = setting.rule.type;
    entry.doc = setting.doc;
    add_broker_synonyms(entry.synonyms, settings, setting.name);
    if (!entry.synonyms.empty()) {
      entry.value = entry.synonyms.front().value;
      entry.source = entry.synonyms.front().source;
    }
    // Settings that stand for one another, as node.id does for broker.id, have one value.
    if (setting.text != nullptr) entry.value = setting.text(settings.config);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sillok::broker
