// Values that have the same meaning in several messages.
#pragma once

#include <cstdint>
#include <limits>

namespace sillok::protocol {

// What a consumer may see of transactions.
enum class IsolationLevel : std::int8_t {
  read_uncommitted = 0,
  read_committed = 1,
};

// What has settings.
enum class ConfigResourceType : std::int8_t {
  unknown = 0,
  topic = 2,
  broker = 4,
  broker_logger = 8,
  client_metrics = 16,
  group = 32,
};

// Where a setting's value comes from.
enum class ConfigSource : std::int8_t {
  unknown = 0,
  topic_config = 1,
  dynamic_broker_config = 2,
  dynamic_default_broker_config = 3,
  static_broker_config = 4,
  default_config = 5,
  dynamic_broker_logger_config = 6,
  client_metrics_config = 7,
  group_config = 8,
};

// In place of the bits of the operations that the caller may do, where it did not ask for them.
inline constexpr std::int32_t kOperationsNotAsked = std::numeric_limits<std::int32_t>::min();

}  // namespace sillok::protocol
