// The configs of a subscription to client metrics (KIP-714).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/resource_configs.h"

namespace sillok::broker {

// By name.
std::span<const ResourceConfig> client_metrics_configs();
// What the table cannot say is wrong with `value`.
std::optional<std::string> client_metrics_config_fault(std::string_view name, std::string_view value);

}  // namespace sillok::broker
