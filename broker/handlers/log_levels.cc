#include "broker/handlers/log_levels.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

#include "broker/setting_value.h"

namespace sillok::broker {
namespace {

using protocol::ConfigOperation;
using protocol::ErrorCode;
using spdlog::level::level_enum;

constexpr std::array<std::pair<std::string_view, level_enum>, 6> kLevels{{
    {"TRACE", spdlog::level::trace},
    {"DEBUG", spdlog::level::debug},
    {"INFO", spdlog::level::info},
    {"WARN", spdlog::level::warn},
    {"ERROR", spdlog::level::err},
    {"FATAL", spdlog::level::critical},
}};

std::optional<level_enum> level_named(std::string_view name) {
  for (const auto& [known, level] : kLevels) {
    if (known == name) return level;
  }
  return std::nullopt;
}

std::optional<ConfigFault> fault_of(const ConfigChange& change) {
  if (change.operation == ConfigOperation::append || change.operation == ConfigOperation::subtract) {
    return ConfigFault{ErrorCode::invalid_request,
                       "a logger has one level: nothing can be added or taken away"};
  }
  if (change.name != kRootLogger) {
    return ConfigFault{ErrorCode::invalid_config,
                       fmt::format("Logger {} does not exist!", excerpt(change.name))};
  }
  if (change.operation == ConfigOperation::remove) {
    return ConfigFault{ErrorCode::invalid_request,
                       "Removing the log level of the root logger is not allowed"};
  }
  if (change.operation != ConfigOperation::set || !change.value) {
    return ConfigFault{ErrorCode::invalid_request, "a logger's level can be set, and to a level only"};
  }
  if (!level_named(*change.value)) {
    return ConfigFault{
        ErrorCode::invalid_config,
        fmt::format("{} is no level: TRACE, DEBUG, INFO, WARN, ERROR or FATAL", excerpt(*change.value))};
  }
  return std::nullopt;
}

}  // namespace

std::string log_level() {
  const level_enum now = spdlog::default_logger()->level();
  for (const auto& [name, level] : kLevels) {
    if (level == now) return std::string(name);
  }
  return "OFF";
}

std::optional<ConfigFault> alter_log_levels(const ConfigChanges& changes, ValidateOnly validate_only) {
  if (changes.others == ConfigChanges::Others::go) {
    return ConfigFault{ErrorCode::invalid_request, "loggers are changed by IncrementalAlterConfigs"};
  }
  for (const ConfigChange& change : changes.changes) {
    if (auto fault = fault_of(change)) return fault;
  }
  if (validate_only == ValidateOnly::yes) return std::nullopt;
  for (const ConfigChange& change : changes.changes) {
    spdlog::default_logger()->set_level(*level_named(*change.value));
  }
  return std::nullopt;
}

}  // namespace sillok::broker
