// What AlterConfigs and IncrementalAlterConfigs make of the configs of one resource: a topic, the broker, a
// group.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/messages/incremental_alter_configs.h"

namespace sillok::broker {

using Configs = std::map<std::string, std::string>;  // only what was set on the resource

struct ConfigChange {
  std::string name;
  protocol::ConfigOperation operation = protocol::ConfigOperation::set;
  std::optional<std::string> value;
};

struct ConfigChanges {
  // Whether what is not named stays as it is (IncrementalAlterConfigs) or goes (AlterConfigs).
  enum class Others { stay, go };
  Others others = Others::stay;
  std::vector<ConfigChange> changes;
};

struct ConfigFault {
  protocol::ErrorCode error;
  std::string message;
};

// Kafka's limit, and no text of its messages may be longer: its clients could not read the value.
inline constexpr std::size_t kConfigValueSizeMax = 32767;
// 40 for a value that is longer; nullopt where it is not.
std::optional<ConfigFault> value_size_fault(std::string_view value);
// What the configs take, names and values.
ByteCount size_of(const Configs& configs);

// The configs that a kind of resource has.
class ConfigKind {
 public:
  virtual ~ConfigKind() = default;
  virtual bool is_list(std::string_view name) const = 0;
  // What a list is added to where the resource has none of its own.
  virtual std::string inherited(std::string_view name) const = 0;
};

// Applies the changes to `configs`, and judges of the values their size only. Kafka's errors: 42 for a name
// that comes twice, or a null value; 40 for list operations on what is no list, and for values that are too
// long. After a fault `configs` are worthless.
std::optional<ConfigFault> apply_changes(const ConfigChanges& changes, const ConfigKind& kind,
                                         Configs& configs);

}  // namespace sillok::broker
