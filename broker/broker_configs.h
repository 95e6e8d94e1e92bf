// The broker's settings as they are now: those of the start, and what AlterConfigs made of them since, which
// lasts.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/config_changes.h"
#include "broker/metadata/store.h"
#include "broker/metadata/topics.h"
#include "protocol/base/result.h"

namespace sillok::broker {

// Threading: current() from any thread; everything else on the control executor only, or before the broker
// serves. Durability: a change is on disk before anything sees it.
class BrokerConfigs {
 public:
  static constexpr std::size_t kAlteredMax = 2000;       // names with a value, of each scope
  static constexpr ByteCount kAlteredSizeMax = 1 << 20;  // of those, with their values

  BrokerConfigs(LoadedConfig at_start, MetadataStore& store);

  // Adds what was changed in earlier lives. What is no longer valid is left out, with a note: a setting that
  // a start does not survive could never be taken back.
  Result<void> load(std::vector<std::string>& notes);

  std::shared_ptr<const LoadedConfig> current() const;

  // All brokers' settings, or this one's, which are the stronger.
  enum class Scope { all_brokers, this_broker };
  // nullopt where all is well; else nothing was changed. Kafka's errors: 42 for names and values that cannot
  // be, 44 past kAlteredMax and kAlteredSizeMax, 40 for list operations on what is no list, 56 the disk.
  std::optional<ConfigFault> alter(Scope scope, const ConfigChanges& changes, ValidateOnly validate_only);
  // What an Apache Kafka has for the scope: each replaces what is here, and those that it had at an earlier
  // call and has no more are removed. What cannot be is left out, with a note. Errors: those of the store.
  Result<void> adopt(Scope scope, const Configs& configs, std::vector<std::string>& notes);
  // The names with a value of `scope`.
  Configs configs(Scope scope) const;

  // Called after each change, with what was before and what is now.
  using Applier = std::function<void(const LoadedConfig& before, const LoadedConfig& now)>;
  void when_changed(Applier apply) { appliers_.push_back(std::move(apply)); }

 private:
  Configs& of(Scope scope) { return scope == Scope::all_brokers ? all_brokers_ : this_broker_; }
  const Configs& of(Scope scope) const { return scope == Scope::all_brokers ? all_brokers_ : this_broker_; }
  std::string name_of(Scope scope) const;  // of its resource
  std::string key(Scope scope) const;
  Result<Configs> read(const std::string& key) const;
  Result<std::optional<ConfigFault>> alter_one(Scope scope, const ConfigChange& change);
  void keep_valid(std::vector<std::string>& notes);
  Result<LoadedConfig> resolve(const Configs& all_brokers, const Configs& this_broker) const;
  void publish(LoadedConfig settings);

  const std::vector<GivenSetting> static_;
  const BrokerId self_;
  MetadataStore& store_;
  Configs all_brokers_;
  Configs this_broker_;
  std::vector<Applier> appliers_;
  mutable std::mutex mutex_;  // guards current_ only, for as long as the pointer is copied
  std::shared_ptr<const LoadedConfig> current_;
};

}  // namespace sillok::broker
