// The configs of groups and of subscriptions to client metrics: kept under any name, whether or not there is
// such a group.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/config_changes.h"
#include "broker/metadata/store.h"
#include "broker/metadata/topics.h"
#include "broker/setting_value.h"
#include "protocol/base/result.h"

namespace sillok::broker {

struct ResourceConfig {
  std::string_view name;
  ValueRule rule;
  std::string_view default_text;  // where no setting gives it
  std::string_view doc;
  // The broker's settings that give its default and bound it; empty: none.
  std::string_view default_setting = {};
  std::string_view min_setting = {};
  std::string_view max_setting = {};
};

enum class ResourceKind { group, client_metrics };

// By name.
std::span<const ResourceConfig> resource_configs(ResourceKind kind);
// What the config is where the resource does not say.
std::string default_value(const ResourceConfig& config, const LoadedConfig& settings);

// Threading: names() and find() from any thread; the others on the control executor only, or before the
// broker serves. Durability: a change is on disk before anything sees it.
class ResourceConfigs {
 public:
  static constexpr std::size_t kResourcesMax = 100'000;  // of each kind
  static constexpr std::size_t kNameSizeMax = 1024;
  static constexpr ByteCount kSizeMax = 32 << 20;  // of the names and configs of each kind

  explicit ResourceConfigs(MetadataStore& store) : store_(store) {}

  Result<void> load();

  // What was set; empty where nothing was.
  Configs find(ResourceKind kind, std::string_view name) const;
  // Of those that set something, sorted.
  std::vector<std::string> names(ResourceKind kind) const;

  // nullopt where all is well; else nothing was changed. Kafka's errors: 42 for names that cannot be, 40 for
  // values, 44 past kResourcesMax and kSizeMax, 56 the disk.
  std::optional<ConfigFault> alter(ResourceKind kind, const std::string& name, const ConfigChanges& changes,
                                   const LoadedConfig& settings, ValidateOnly validate_only);

 private:
  struct Kept {
    std::map<std::string, Configs, std::less<>> named;
    ByteCount size = 0;
  };
  void keep(ResourceKind kind, const std::string& name, Configs configs);  // empty: keeps none
  std::optional<ConfigFault> room_fault(ResourceKind kind, const std::string& name, const Configs& before,
                                        const Configs& after) const;

  MetadataStore& store_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<ResourceKind, Kept> kept_;
};

}  // namespace sillok::broker
