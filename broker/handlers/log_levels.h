// What the broker logs, as a config of the resource BROKER_LOGGER: the one logger, "root", with Kafka's names
// of levels. Lasts until the process ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/config_changes.h"
#include "broker/metadata/topics.h"

namespace sillok::broker {

inline constexpr std::string_view kRootLogger = "root";

// "TRACE", "DEBUG", "INFO", "WARN", "ERROR" or "FATAL".
std::string log_level();
// Kafka's errors: 40 for another logger or no level, 42 for what cannot be done with one.
std::optional<ConfigFault> alter_log_levels(const ConfigChanges& changes, ValidateOnly validate_only);

}  // namespace sillok::broker
