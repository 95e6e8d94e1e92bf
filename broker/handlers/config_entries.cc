#include "broker/handlers/config_entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "broker/settings.h"
#include "broker/topic_config.h"

namespace sillok::broker {
namespace {

using protocol::ConfigSource;

constexpr std::string_view kNodeId = "node.id";
constexpr std::string_view kBrokerId = "broker.id";

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    found.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return found;
}

using Families = std::map<std::string_view, std::vector<std::string_view>>;

Families find_families() {
  Families families;
  for (const TopicConfig& config : topic_configs()) {
    const auto family = words(config.broker_settings);
    for (const std::string_view name : family) families.emplace(name, family);
  }
  for (const Setting& setting : settings()) families.try_emplace(setting.name, 1, setting.name);
  return families;
}

// The settings that decide together with this one, as hours do with milliseconds: the strongest first.
const std::vector<std::string_view>& family_of(const Setting& setting) {
  static const Families families = find_families();
  return families.at(setting.name);
}

std::span<const GivenSetting> given_as(const LoadedConfig& settings, std::string_view name) {
  return std::ranges::equal_range(settings.given, name, {}, &GivenSetting::name);
}

// Of listeners, too: listener.name.internal.ssl.key.password. What nobody knows may be one.
bool is_password(std::string_view name) {
  if (const Setting* setting = find_setting(name)) return setting->rule.type == ValueType::password;
  return std::ranges::find(replication_limits(), name) == replication_limits().end();
}

// What `names` were given, layer by layer, then their defaults. As Kafka has it, what comes before the first
// of `own_name` is left out: hours that stand alone are no synonym of milliseconds.
std::vector<ConfigSynonym> broker_synonyms(const LoadedConfig& settings,
                                           const std::vector<std::string_view>& names,
                                           std::string_view own_name) {
  std::vector<ConfigSynonym> synonyms;
  for (const ConfigSource source :
       {ConfigSource::dynamic_broker_config, ConfigSource::dynamic_default_broker_config,
        ConfigSource::static_broker_config}) {
    for (const std::string_view name : names) {
      for (const GivenSetting& given : given_as(settings, name)) {
        if (given.source == source) synonyms.push_back({name, given.value, source});
      }
    }
  }
  for (const std::string_view name : names) {
    const Setting* setting = find_setting(name);
    if (setting == nullptr) continue;
    if (auto value = default_value(*setting)) {
      synonyms.push_back({name, std::move(value), ConfigSource::default_config});
    }
  }
  const auto own = std::ranges::find(synonyms, own_name, &ConfigSynonym::name);
  synonyms.erase(synonyms.begin(), own);
  return synonyms;
}

std::string topic_value(const TopicConfig& config, const LoadedConfig& settings, const TopicImage& topic) {
  const auto on_topic = topic.configs.find(std::string(config.name));
  if (on_topic != topic.configs.end()) return normalized(config.rule, on_topic->second);
  if (config.text != nullptr) return config.text(topic.log_config);
  for (const std::string_view name : words(config.broker_settings)) {
    const auto given = given_as(settings, name);
    if (!given.empty()) return given.front().value;
  }
  return std::string(config.kept_default);
}

ConfigEntry broker_entry(const LoadedConfig& settings, const Setting& setting) {
  ConfigEntry entry;
  entry.name = setting.name;
  entry.type = setting.rule.type;
  entry.doc = setting.doc;
  entry.is_read_only = setting.update == Update::at_start;
  entry.synonyms = broker_synonyms(settings, family_of(setting), setting.name);
  if (!entry.synonyms.empty()) {
    entry.value = entry.synonyms.front().value;
    entry.source = entry.synonyms.front().source;
  }
  // Settings that stand for one another, as node.id does for broker.id, have one value.
  if (setting.name == kNodeId || setting.name == kBrokerId) {
    entry.value = fmt::format("{}", settings.config.node_id.value);
  }
  return entry;
}

bool is_altered(const GivenSetting& given) { return given.source != ConfigSource::static_broker_config; }

// One that was altered, whether or not it is in the table; without synonyms.
ConfigEntry given_entry(const GivenSetting& given) {
  ConfigEntry entry;
  entry.name = given.name;
  entry.value = given.value;
  entry.source = given.source;
  entry.is_sensitive = is_password(given.name);
  if (const Setting* setting = find_setting(given.name)) {
    entry.type = setting->rule.type;
    entry.doc = setting->doc;
  } else if (!entry.is_sensitive) {
    entry.type = ValueType::int64;  // a limit of replication
  }
  return entry;
}

void hide_if_sensitive(ConfigEntry& entry) {
  if (!entry.is_sensitive) return;
  entry.value.reset();
  for (ConfigSynonym& synonym : entry.synonyms) synonym.value.reset();
}

}  // namespace

std::vector<ConfigEntry> topic_config_entries(const LoadedConfig& settings, const TopicImage& topic) {
  std::vector<ConfigEntry> entries;
  entries.reserve(topic_configs().size());
  for (const TopicConfig& config : topic_configs()) {
    ConfigEntry entry;
    entry.name = config.name;
    entry.value = topic_value(config, settings, topic);
    entry.type = config.rule.type;
    entry.doc = config.doc;
    if (const auto names = words(config.broker_settings); !names.empty()) {
      entry.synonyms = broker_synonyms(settings, names, names.front());
    }
    if (topic.configs.contains(std::string(config.name))) {
      entry.synonyms.insert(entry.synonyms.begin(), {config.name, entry.value, ConfigSource::topic_config});
    }
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> broker_config_entries(const LoadedConfig& settings) {
  std::vector<ConfigEntry> entries;
  entries.reserve(broker::settings().size());
  for (const Setting& setting : broker::settings()) {
    ConfigEntry entry = broker_entry(settings, setting);
    entry.is_sensitive = is_password(setting.name);
    hide_if_sensitive(entry);
    entries.push_back(std::move(entry));
  }
  for (const GivenSetting& given : settings.given) {
    const bool is_strongest = &given == &given_as(settings, given.name).front();
    if (find_setting(given.name) != nullptr || !is_strongest || !is_altered(given)) continue;
    ConfigEntry entry = given_entry(given);
    entry.synonyms = broker_synonyms(settings, {entry.name}, entry.name);
    hide_if_sensitive(entry);
    entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, &ConfigEntry::name);
  return entries;
}

std::vector<ConfigEntry> resource_config_entries(const LoadedConfig& settings, ResourceKind kind,
                                                 const Configs& own) {
  const bool is_group = kind == ResourceKind::group;
  std::vector<ConfigEntry> entries;
  for (const ResourceConfig& config : resource_configs(kind)) {
    ConfigEntry entry;
    entry.name = config.name;
    entry.type = config.rule.type;
    entry.doc = config.doc;
    entry.value = default_value(config, settings);
    if (!config.default_setting.empty()) {
      entry.synonyms = broker_synonyms(settings, {config.default_setting}, config.default_setting);
    } else if (is_group) {
      entry.synonyms = {{config.name, entry.value, ConfigSource::default_config}};
    }
    if (const auto set = own.find(std::string(config.name)); set != own.end()) {
      entry.value = set->second;
      const auto source = is_group ? ConfigSource::group_config : ConfigSource::client_metrics_config;
      entry.synonyms.insert(entry.synonyms.begin(), {config.name, entry.value, source});
    }
    if (!entry.synonyms.empty()) entry.source = entry.synonyms.front().source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> cluster_config_entries(const LoadedConfig& settings) {
  std::vector<ConfigEntry> entries;
  for (const GivenSetting& given : settings.given) {
    if (given.source != ConfigSource::dynamic_default_broker_config) continue;
    ConfigEntry entry = given_entry(given);
    entry.synonyms = {{entry.name, given.value, given.source}};
    hide_if_sensitive(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sillok::broker
