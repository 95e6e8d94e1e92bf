#include "broker/client_metrics_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace sillok::broker {
namespace {

constexpr std::string_view kMatch = "match";

constexpr ResourceConfig kClientMetricsConfigs[] = {
    {"interval.ms",
     {ValueType::int32, {100, 3'600'000}, {}},
     "300000",
     "How often, in ms, clients send metrics."},
    {kMatch, {ValueType::list, {}, {}}, "", "The clients that send metrics, as NAME=PATTERN; empty: all."},
    {"metrics", {ValueType::list, {}, {}}, "", "Beginnings of the names of the metrics; *: all."},
};

constexpr std::string_view kMatchNames[] = {"client_id",
                                            "client_instance_id",
                                            "client_software_name",
                                            "client_software_version",
                                            "client_source_address",
                                            "client_source_port"};

}  // namespace

std::span<const ResourceConfig> client_metrics_configs() { return kClientMetricsConfigs; }

std::optional<std::string> client_metrics_config_fault(std::string_view name, std::string_view value) {
  if (name != kMatch) return std::nullopt;
  for (const std::string_view pattern : parse_list(value)) {
    const std::size_t equals = pattern.find('=');
    const std::string_view known = trim(pattern.substr(0, equals));
    if (equals == std::string_view::npos || std::ranges::find(kMatchNames, known) == std::end(kMatchNames)) {
      return fmt::format("{} is no pattern for clients", excerpt(pattern));
    }
  }
  return std::nullopt;
}

}  // namespace sillok::broker
