#include "broker/config_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "broker/setting_value.h"
#include "protocol/base/utf8.h"

namespace sillok::broker {
namespace {

using protocol::ConfigOperation;
using protocol::ErrorCode;

bool is_list_operation(ConfigOperation operation) {
  return operation == ConfigOperation::append || operation == ConfigOperation::subtract;
}

std::optional<ConfigFault> fault_of(const ConfigChange& change, const ConfigKind& kind) {
  if (change.operation < ConfigOperation::set || change.operation > ConfigOperation::subtract) {
    return ConfigFault{ErrorCode::invalid_request,
                       fmt::format("{} is no operation", static_cast<int>(change.operation))};
  }
  if (!is_utf8(change.name) || !is_utf8(change.value.value_or(""))) {
    return ConfigFault{ErrorCode::invalid_request, "a name or a value is no UTF-8"};
  }
  if (change.operation != ConfigOperation::remove && !change.value) {
    return ConfigFault{ErrorCode::invalid_request,
                       fmt::format("Null value not supported for : {}", excerpt(change.name))};
  }
  if (is_list_operation(change.operation) && !kind.is_list(change.name)) {
    return ConfigFault{ErrorCode::invalid_config,
                       fmt::format("{} is no list, so nothing can be added to it or "
                                   "taken from it",
                                   excerpt(change.name))};
  }
  return std::nullopt;
}

// "a,b" with the elements of `change` at its end, as far as they are not there, or without them: each takes
// one away. Both lists may have millions of elements.
std::string changed_list(std::string_view before, const ConfigChange& change) {
  const std::vector<std::string_view> given = parse_list(*change.value);
  std::vector<std::string_view> elements = parse_list(before);
  if (change.operation == ConfigOperation::append) {
    std::set<std::string_view> there(elements.begin(), elements.end());
    for (const std::string_view element : given) {
      if (there.insert(element).second) elements.push_back(element);
    }
  } else {
    std::multiset<std::string_view> going(given.begin(), given.end());
    std::erase_if(elements, [&](std::string_view element) {
      const auto found = going.find(element);
      if (found == going.end()) return false;
      going.erase(found);
      return true;
    });
  }
  return fmt::format("{}", fmt::join(elements, ","));
}

void apply(const ConfigChange& change, const ConfigKind& kind, Configs& configs) {
  if (change.operation == ConfigOperation::remove) {
    configs.erase(change.name);
  } else if (change.operation == ConfigOperation::set) {
    configs[change.name] = *change.value;
  } else {
    const auto own = configs.find(change.name);
    const std::string before = own != configs.end() ? own->second : kind.inherited(change.name);
    configs[change.name] = changed_list(before, change);
  }
}

}  // namespace

std::optional<ConfigFault> value_size_fault(std::string_view value) {
  if (value.size() <= kConfigValueSizeMax) return std::nullopt;
  return ConfigFault{
      ErrorCode::invalid_config,
      fmt::format(
          "The configuration value cannot be added because it exceeds the maximum value size of {} bytes.",
          kConfigValueSizeMax)};
}

ByteCount size_of(const Configs& configs) {
  std::size_t size = 0;
  for (const auto& [name, value] : configs) size += name.size() + value.size();
  return static_cast<ByteCount>(size);
}

std::optional<ConfigFault> apply_changes(const ConfigChanges& changes, const ConfigKind& kind,
                                         Configs& configs) {
  std::set<std::string_view> names;
  for (const ConfigChange& change : changes.changes) {
    if (!names.insert(change.name).second) {
      return ConfigFault{ErrorCode::invalid_request, "Error due to duplicate config keys"};
    }
    if (auto fault = fault_of(change, kind)) return fault;
  }
  if (changes.others == ConfigChanges::Others::go) configs.clear();
  for (const ConfigChange& change : changes.changes) apply(change, kind, configs);
  for (const ConfigChange& change : changes.changes) {
    const auto changed = configs.find(change.name);
    if (changed == configs.end()) continue;
    if (auto fault = value_size_fault(changed->second)) return fault;
  }
  return std::nullopt;
}

}  // namespace sillok::broker
