#include "broker/broker_configs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "broker/absolute_path.h"
#include "broker/metadata/metadata_records.h"
#include "broker/name_suggestion.h"
#include "broker/rate_limited_log.h"
#include "broker/settings.h"

namespace sillok::broker {
namespace {

using protocol::ConfigOperation;
using protocol::ConfigSource;
using protocol::ErrorCode;

// Those of one listener begin so, and need the listener's name to be changed.
constexpr std::string_view kListenerPrefix = "listener.name.";
constexpr std::string_view kPerListener[] = {
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
};

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::optional<std::string> unknown_fault(std::string_view name, std::string_view value) {
  if (name.starts_with(kListenerPrefix)) return std::nullopt;
  const auto limits = replication_limits();
  if (is_in(limits, name)) return value_fault({ValueType::int64, at_least(0), {}}, value);
  std::vector<std::string_view> known(limits.begin(), limits.end());
  for (const Setting& setting : settings()) known.push_back(setting.name);
  return "unknown setting" + did_you_mean(name, known);
}

// Pools that must not be made much larger or smaller at a time, as in Kafka: a slip of the finger is an
// outage.
constexpr std::string_view kPools[] = {
    "background.threads",   "log.cleaner.threads", "num.io.threads", "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
};

std::optional<std::string> thread_count_fault(std::string_view value, std::int64_t now) {
  const std::int64_t wanted = parse_integer(value).value_or(0);
  if (wanted > 2 * now) return fmt::format("must not be more than twice the {} of now", now);
  if (2 * wanted < now) return fmt::format("must not be less than half of the {} of now", now);
  return std::nullopt;
}

std::optional<std::string> cordon_fault(std::string_view value, const std::vector<std::string>& log_dirs) {
  if (trim(value) == "*") return std::nullopt;
  for (const std::string_view entry : parse_list(value)) {
    const std::string path = absolute_path(std::string(entry));
    const auto is_it = [&](const std::string& directory) { return absolute_path(directory) == path; };
    if (std::ranges::none_of(log_dirs, is_it))
      return fmt::format("{} is none of log.dirs; * is all of them", entry);
  }
  return std::nullopt;
}

std::optional<std::string> value_fault_now(std::string_view name, std::string_view value,
                                           const LoadedConfig& now) {
  const Setting* setting = find_setting(name);
  if (setting == nullptr) return unknown_fault(name, value);
  if (auto fault = setting_fault(*setting, value)) return fault;
  if (is_in(kPools, name)) {
    return thread_count_fault(value, parse_integer(setting_value(now, name).value_or("")).value_or(1));
  }
  if (name == "cordoned.log.dirs") return cordon_fault(value, now.config.log_dirs);
  if (name == "max.connections" && parse_integer(value) == 0) return "must be at least 1";
  return std::nullopt;
}

std::optional<ConfigFault> change_fault(const ConfigChange& change, const Configs& after,
                                        const LoadedConfig& now) {
  const std::string& name = change.name;
  const Setting* setting = find_setting(name);
  if (setting != nullptr && setting->update == Update::at_start) {
    return ConfigFault{ErrorCode::invalid_request,
                       fmt::format("Cannot update these configs dynamically: [{}]", name)};
  }
  if (is_in(kPerListener, name)) {
    return ConfigFault{
        ErrorCode::invalid_request,
        fmt::format("{} can be changed for one listener only, by the prefix {}", name, kListenerPrefix)};
  }
  if (change.operation == ConfigOperation::remove) return std::nullopt;
  const std::string& value = after.at(name);
  const auto fault = value_fault_now(name, value, now);
  if (!fault) return std::nullopt;
  return ConfigFault{ErrorCode::invalid_request, fmt::format("Invalid value {} for configuration {}: {}",
                                                             excerpt(value), excerpt(name), *fault)};
}

class SettingKind final : public ConfigKind {
 public:
  explicit SettingKind(const LoadedConfig& settings) : settings_(settings) {}

  bool is_list(std::string_view name) const override {
    const Setting* setting = find_setting(name);
    return setting != nullptr && setting->rule.type == ValueType::list;
  }
  // As in Kafka what the start gave, whatever was changed since.
  std::string inherited(std::string_view name) const override {
    for (const GivenSetting& given : settings_.given) {
      if (given.name == name && given.source == ConfigSource::static_broker_config) return given.value;
    }
    const Setting* setting = find_setting(name);
    return setting != nullptr ? default_value(*setting).value_or("") : "";
  }

 private:
  const LoadedConfig& settings_;
};

}  // namespace

BrokerConfigs::BrokerConfigs(LoadedConfig at_start, MetadataStore& store)
    : static_(at_start.given),
      self_(at_start.config.node_id),
      store_(store),
      current_(std::make_shared<const LoadedConfig>(std::move(at_start))) {}

std::shared_ptr<const LoadedConfig> BrokerConfigs::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void BrokerConfigs::publish(LoadedConfig settings) {
  settings.config.cluster_id = current()->config.cluster_id;
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<const LoadedConfig>(std::move(settings));
}

std::string BrokerConfigs::name_of(Scope scope) const {
  return scope == Scope::all_brokers ? "" : fmt::format("{}", self_.value);
}

std::string BrokerConfigs::key(Scope scope) const {
  return resource_configs_key(kBrokerResource, name_of(scope));
}

Configs BrokerConfigs::configs(Scope scope) const { return of(scope); }

Result<LoadedConfig> BrokerConfigs::resolve(const Configs& all_brokers, const Configs& this_broker) const {
  std::vector<GivenSetting> given = static_;
  const auto add = [&](const Configs& configs, ConfigSource source, std::string_view place) {
    for (const auto& [name, value] : configs) given.push_back({name, value, source, std::string(place)});
  };
  add(all_brokers, ConfigSource::dynamic_default_broker_config, "changed for all brokers");
  add(this_broker, ConfigSource::dynamic_broker_config, "changed for this broker");
  return resolve_config(std::move(given));
}

Result<void> BrokerConfigs::load(std::vector<std::string>& notes) {
  for (const Scope scope : {Scope::all_brokers, Scope::this_broker}) of(scope) = TRY(read(key(scope)));
  keep_valid(notes);
  return {};
}

Result<Configs> BrokerConfigs::read(const std::string& key) const {
  for (const KeyValue& pair : TRY(store_.range(key))) {
    if (pair.key == key) return decode_resource_configs(pair.key, pair.value);
  }
  return Configs();
}

// One after the other, so that one that is no longer valid takes none of the others along.
void BrokerConfigs::keep_valid(std::vector<std::string>& notes) {
  const Configs stored_for_all = std::exchange(all_brokers_, {});
  const Configs stored_for_this = std::exchange(this_broker_, {});
  for (const Scope scope : {Scope::all_brokers, Scope::this_broker}) {
    for (const auto& [name, value] : scope == Scope::all_brokers ? stored_for_all : stored_for_this) {
      of(scope)[name] = value;
      const bool is_known = find_setting(name) != nullptr || !unknown_fault(name, value);
      auto settings = is_known
                          ? resolve(all_brokers_, this_broker_)
                          : Result<LoadedConfig>(Error{Errc::invalid_config, name + ": unknown setting"});
      if (settings.ok()) {
        publish(std::move(settings).value());
        continue;
      }
      of(scope).erase(name);
      notes.push_back(fmt::format("what was altered earlier is left out: {}", settings.error().detail));
    }
  }
}

std::optional<ConfigFault> BrokerConfigs::alter(Scope scope, const ConfigChanges& changes,
                                                ValidateOnly validate_only) {
  const std::shared_ptr<const LoadedConfig> before = current();
  Configs changed = of(scope);
  if (auto fault = apply_changes(changes, SettingKind(*before), changed)) return fault;
  for (const ConfigChange& change : changes.changes) {
    if (auto fault = change_fault(change, changed, *before)) return fault;
  }
  const bool is_for_all = scope == Scope::all_brokers;
  auto after = resolve(is_for_all ? changed : all_brokers_, is_for_all ? this_broker_ : changed);
  if (!after.ok()) return ConfigFault{ErrorCode::invalid_request, after.error().detail};
  if (changed.size() > kAlteredMax) {
    return ConfigFault{ErrorCode::policy_violation,
                       fmt::format("at most {} settings can be altered", kAlteredMax)};
  }
  if (const ByteCount size = size_of(changed); size > kAlteredSizeMax && size > size_of(of(scope))) {
    return ConfigFault{
        ErrorCode::policy_violation,
        fmt::format("altered settings have at most {} bytes together, names included", kAlteredSizeMax)};
  }
  if (validate_only == ValidateOnly::yes) return std::nullopt;
  const auto written = store_resource_configs(store_, key(scope), changed);
  if (!written.ok()) return ConfigFault{ErrorCode::kafka_storage_error, written.error().describe()};
  of(scope) = std::move(changed);
  for (const ConfigChange& change : changes.changes) {
    const bool has_effect = !is_in(replication_limits(), change.name) || change.name == kMoveRateSetting;
    spdlog::info("setting {} of {} altered{}", escape_for_log(change.name),
                 is_for_all ? "all brokers" : "this broker", has_effect ? "" : ", which has no effect here");
  }
  publish(std::move(after).value());
  const std::shared_ptr<const LoadedConfig> now = current();
  for (const auto& apply : appliers_) apply(*before, *now);
  return std::nullopt;
}

// What the change is refused for; an error where the store could not keep it.
Result<std::optional<ConfigFault>> BrokerConfigs::alter_one(Scope scope, const ConfigChange& change) {
  auto fault = alter(scope, {ConfigChanges::Others::stay, {change}}, ValidateOnly::no);
  if (fault && fault->error == ErrorCode::kafka_storage_error) return Error{Errc::io_error, fault->message};
  return fault;
}

Result<void> BrokerConfigs::adopt(Scope scope, const Configs& configs, std::vector<std::string>& notes) {
  const std::string adopted_key = std::string(kKafkaConfigsKeyPrefix) + name_of(scope);
  const Configs before = TRY(read(adopted_key));
  Configs adopted;
  for (const auto& [name, value] : configs) {
    const auto set = of(scope).find(name);
    const bool is_set = set != of(scope).end() && set->second == value;
    const auto fault = is_set ? std::nullopt : TRY(alter_one(scope, {name, ConfigOperation::set, value}));
    if (!fault) {
      adopted.emplace(name, value);
      continue;
    }
    notes.push_back(fmt::format("{}={}, Kafka's, is not taken over: {}", name, value, fault->message));
  }
  for (const auto& [name, value] : before) {
    if (adopted.contains(name) || !of(scope).contains(name)) continue;
    const auto fault = TRY(alter_one(scope, {name, ConfigOperation::remove, std::nullopt}));
    notes.push_back(fault ? fmt::format("{} stays as it is: {}", name, fault->message)
                          : fmt::format("{}, which was Kafka's, is no longer set", name));
  }
  return adopted == before ? Result<void>() : store_resource_configs(store_, adopted_key, adopted);
}

}  // namespace sillok::broker
