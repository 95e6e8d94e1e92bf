// The configs of consumer, share and streams groups that Kafka 4.3 knows. Kept for when there are groups.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/resource_configs.h"

namespace sillok::broker {

// By name.
std::span<const ResourceConfig> group_configs();
// What the table cannot say is wrong with `value`.
std::optional<std::string> group_config_fault(std::string_view name, std::string_view value);

}  // namespace sillok::broker
