#include "broker/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "broker/absolute_path.h"
#include "broker/listener_config.h"
#include "broker/name_suggestion.h"
#include "broker/properties_file.h"
#include "broker/settings.h"
#include "broker/topic_config.h"
#include "storage/file_system.h"

namespace sillok::broker {
namespace {

constexpr std::int64_t kMsPerMinute = 60'000;
constexpr std::int64_t kMsPerHour = 3'600'000;

using protocol::ConfigSource;

// The lower, the stronger: Kafka's numbers happen to be in that order.
bool is_stronger(const GivenSetting& a, const GivenSetting& b) {
  return std::tie(a.name, a.source) < std::tie(b.name, b.source);
}

// Gathers everything that is wrong, so that one start shows it all.
class Loader {
 public:
  explicit Loader(std::vector<GivenSetting> given) {
    std::ranges::sort(given, is_stronger);
    loaded_.given = std::move(given);
  }

  Result<LoadedConfig> load() {
    for (const GivenSetting& given : loaded_.given) take(given);
    resolve_identity();
    resolve_times();
    resolve_directory();
    resolve_lost_directories();
    resolve_move_rate();
    resolve_listener_settings();
    resolve_address_limits();
    resolve_socket_mode();
    if (loaded_.config.in_flight_bytes_max < 0) loaded_.config.in_flight_bytes_max = storage::kForever;
    if (!faults_.empty()) return Error{Errc::invalid_config, faults_};
    return std::move(loaded_);
  }

 private:
  void add_line(const std::string& line) {
    if (!faults_.empty()) faults_ += '\n';
    faults_ += line;
  }

  // The strongest.
  const GivenSetting* find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(loaded_.given, name, {}, &GivenSetting::name);
    return found != loaded_.given.end() && found->name == name ? &*found : nullptr;
  }

  void fault(std::string_view name, std::string_view text) {
    const GivenSetting* given = find(name);
    add_line(given == nullptr ? fmt::format("{}: {}", name, text)
                              : fmt::format("{}={} ({}): {}", name, given->value, given->place, text));
  }

  void take(const GivenSetting& given) {
    const std::string& name = given.name;
    if (const Setting* setting = find_setting(name)) return take_known(*setting, given);
    if (name == kMoveRateSetting && given.source != ConfigSource::static_broker_config) return;
    if (is_foreign_setting(name)) {
      loaded_.notes.push_back(fmt::format("{} ({}) has no effect here", name, given.place));
      return;
    }
    std::vector<std::string_view> known;
    for (const Setting& setting : settings()) known.push_back(setting.name);
    for (std::string_view other : foreign_settings()) known.push_back(other);
    const std::string nearest = did_you_mean(name, known);
    if (given.is_variable && nearest.empty()) {
      loaded_.notes.push_back(fmt::format("{} ({}) is no setting, and is left out", name, given.place));
    } else {
      fault(name, "unknown setting" + nearest);
    }
  }

  void take_known(const Setting& setting, const GivenSetting& given) {
    if (const auto wrong = setting_fault(setting, given.value)) return fault(setting.name, *wrong);
    const bool is_strongest = find(setting.name) == &given;
    if (!is_strongest) return;
    if (setting.set != nullptr) {
      setting.set(loaded_.config, given.value);
    } else if (const TopicConfig* topic_config = find_topic_config(setting.topic_config)) {
      if (topic_config->set != nullptr) topic_config->set(loaded_.config.log_defaults, given.value);
    }
    if (!setting.has_effect) {
      const std::string_view reason = setting.doc.substr(setting.doc.find(": ") + 2);
      loaded_.notes.push_back(
          fmt::format("{} ({}) has no effect here: {}", setting.name, given.place, reason));
    }
  }

  std::optional<std::string> text(std::string_view name) const {
    const GivenSetting* given = find(name);
    if (given == nullptr) return std::nullopt;
    return given->value;
  }
  std::optional<std::int64_t> number(std::string_view name) const {
    const auto given = text(name);
    return given ? parse_integer(*given) : std::nullopt;
  }

  void resolve_identity() {
    const auto older = number("broker.id");
    if (!older) return;
    const auto node_id = number("node.id");
    if (node_id && *node_id != *older) return fault("broker.id", "differs from node.id; give only node.id");
    loaded_.config.node_id = BrokerId(static_cast<std::int32_t>(*older));
  }

  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  // The first of the names that is set decides, whatever its source.
  void resolve_time(std::initializer_list<Unit> units, std::int64_t& member) {
    for (const Unit& unit : units) {
      const auto value = number(unit.name);
      if (!value) continue;
      member = *value < 0 ? -1 : *value * unit.ms;
      return;
    }
  }

  void resolve_times() {
    storage::LogConfig& defaults = loaded_.config.log_defaults;
    for (std::string_view name : {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}) {
      if (number(name) == 0) fault(name, "must be at least 1, or -1 for ever");
    }
    resolve_time({{"log.retention.ms", 1},
                  {"log.retention.minutes", kMsPerMinute},
                  {"log.retention.hours", kMsPerHour}},
                 defaults.retention_ms);
    resolve_time({{"log.roll.ms", 1}, {"log.roll.hours", kMsPerHour}}, defaults.segment_ms);
    resolve_time({{"log.roll.jitter.ms", 1}, {"log.roll.jitter.hours", kMsPerHour}},
                 defaults.segment_jitter_ms);
  }

  void resolve_directory() {
    const std::string_view name = find("log.dirs") != nullptr ? "log.dirs" : "log.dir";
    const std::string given = text(name).value_or("./data");
    for (std::string_view directory : parse_list(given)) {
      if (!directory.empty()) loaded_.config.log_dirs.emplace_back(directory);
    }
    if (loaded_.config.log_dirs.empty()) return fault(name, "names no directory");
    if (loaded_.config.log_dirs.size() > kLogDirsMax)
      return fault(name, fmt::format("names more than {} directories", kLogDirsMax));
    std::map<std::string, std::string> paths;
    for (const std::string& directory : loaded_.config.log_dirs) {
      const auto [same, is_new] = paths.emplace(absolute_path(directory), directory);
      if (!is_new)
        return fault(name, fmt::format("names one directory twice, as {} and {}", same->second, directory));
    }
    for (const auto& [path, directory] : paths) {
      for (std::string inner = path; inner.size() > 1;) {
        inner = storage::parent_path(inner);
        if (const auto outer = paths.find(inner); outer != paths.end())
          return fault(name, fmt::format("{} lies in {}", directory, outer->second));
      }
    }
    resolve_cordons(paths);
  }

  // `paths` are those of log.dirs.
  void resolve_cordons(const std::map<std::string, std::string>& paths) {
    constexpr std::string_view kName = "cordoned.log.dirs";
    const std::string given = text(kName).value_or("");
    std::vector<std::string>& cordoned = loaded_.config.cordoned_log_dirs;
    if (trim(given) == "*") {
      cordoned = loaded_.config.log_dirs;
      return;
    }
    for (std::string_view directory : parse_list(given)) {
      const auto known = paths.find(absolute_path(std::string(directory)));
      if (known != paths.end()) {
        cordoned.push_back(known->second);
      } else if (find(kName)->source == protocol::ConfigSource::static_broker_config) {
        fault(kName, fmt::format("{} is none of log.dirs; * is all of them", directory));
      } else {
        // It was one when it was set; the others stay cordoned.
        loaded_.notes.push_back(fmt::format("{}: {} is none of log.dirs any more", kName, directory));
      }
    }
  }

  void resolve_lost_directories() {
    constexpr std::string_view kName = "sillok.lost.log.dirs";
    const std::string given = text(kName).value_or("");
    for (std::string_view directory : parse_list(given)) {
      const auto id = Uuid::parse(directory);
      if (!id) return fault(kName, fmt::format("{} is no directory.id", directory));
      loaded_.config.lost_log_dirs.push_back(*id);
    }
  }

  // As in Kafka at run time only.
  void resolve_move_rate() {
    const GivenSetting* given = find(kMoveRateSetting);
    if (given == nullptr || given->source == ConfigSource::static_broker_config) return;
    loaded_.config.move_bytes_per_second =
        parse_integer(given->value).value_or(loaded_.config.move_bytes_per_second);
  }

  void resolve_listener_settings() {
    const ListenerSettings given{text("listeners"), text("advertised.listeners"),
                                 text("listener.security.protocol.map"), text("controller.listener.names"),
                                 loaded_.config.allow_remote_plaintext};
    std::vector<SettingFault> found;
    loaded_.config.listeners = resolve_listeners(given, found, loaded_.notes);
    for (const SettingFault& wrong : found) fault(wrong.setting, wrong.fault);
  }

  void resolve_address_limits() {
    constexpr std::string_view kName = "max.connections.per.ip.overrides";
    const std::string given = text(kName).value_or("");
    for (std::string_view entry : parse_list(given)) {
      const std::size_t colon = entry.rfind(':');
      const auto count =
          colon == std::string_view::npos ? std::nullopt : parse_integer(entry.substr(colon + 1));
      if (!count || colon == 0 || *count < 0 || *count > std::numeric_limits<std::int32_t>::max()) {
        return fault(kName, "each element must be an address and a count, as in 127.0.0.1:200");
      }
      loaded_.config.max_connections_of_ip[std::string(trim(entry.substr(0, colon)))] =
          static_cast<std::int32_t>(*count);
    }
  }

  // Octal, as chmod has it.
  void resolve_socket_mode() {
    constexpr std::string_view kName = "sillok.unix.socket.mode";
    const auto given = text(kName);
    if (!given) return;
    const std::string_view digits = trim(*given);
    const char* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, loaded_.config.unix_socket_mode, 8);
    if (parsed.ec != std::errc() || parsed.ptr != end || loaded_.config.unix_socket_mode > 0777)
      fault(kName, "must be three octal digits, as 0660");
  }

  LoadedConfig loaded_;
  std::string faults_;
};

// Variables of Kafka's start scripts and container images, which are no settings.
constexpr std::string_view kOtherVariables[] = {
    "KAFKA_VERSION",     "KAFKA_HOME",  "KAFKA_HEAP_OPTS",    "KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS", "KAFKA_DEBUG", "KAFKA_SERVICE_HOST", "KAFKA_PORT", "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_BROKERS",
};
// Log4j's, and what Kubernetes gives every container beside a service called "kafka".
constexpr std::string_view kOtherBeginnings[] = {"KAFKA_LOG4J_", "KAFKA_TOOLS_LOG4J_", "KAFKA_SERVICE_PORT",
                                                 "KAFKA_PORT_",  "KAFKA_JMX_",         "KAFKA_DEBUG_"};

bool is_other_variable(std::string_view variable) {
  return std::ranges::find(kOtherVariables, variable) != std::end(kOtherVariables) ||
         std::ranges::any_of(kOtherBeginnings,
                             [&](std::string_view begin) { return variable.starts_with(begin); });
}

}  // namespace

Result<std::vector<GivenSetting>> read_sources(const ConfigSources& sources) {
  std::map<std::string, GivenSetting> strongest;
  const auto give = [&](const std::string& name, const std::string& value, std::string place, bool variable) {
    strongest[name] = {name, value, ConfigSource::static_broker_config, std::move(place), variable};
  };
  if (!sources.file.empty()) {
    for (const Property& property : TRY(read_properties(sources.file))) {
      give(property.name, property.value, fmt::format("{}, line {}", sources.file, property.line), false);
    }
  }
  for (const auto& [variable, value] : sources.environment) {
    const std::string name = setting_name_of_environment_variable(variable);
    if (!name.empty()) give(name, value, "environment variable " + variable, true);
  }
  for (const auto& [name, value] : sources.overrides) give(name, value, "--set", false);
  std::vector<GivenSetting> given;
  for (auto& [name, setting] : strongest) given.push_back(std::move(setting));
  return given;
}

Result<LoadedConfig> resolve_config(std::vector<GivenSetting> given) {
  return Loader(std::move(given)).load();
}

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  return resolve_config(TRY(read_sources(sources)));
}

std::string setting_name_of_environment_variable(std::string_view variable) {
  constexpr std::string_view kPrefix = "KAFKA_";
  if (!variable.starts_with(kPrefix) || variable.size() == kPrefix.size() || is_other_variable(variable))
    return {};
  variable.remove_prefix(kPrefix.size());
  std::string name;
  for (std::size_t i = 0; i < variable.size();) {
    if (variable[i] != '_') {
      const char c = variable[i++];
      name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    std::size_t count = 1;
    while (count < 3 && i + count < variable.size() && variable[i + count] == '_') ++count;
    name += count == 1 ? '.' : count == 2 ? '_' : '-';
    i += count;
  }
  return name;
}

}  // namespace sillok::broker
