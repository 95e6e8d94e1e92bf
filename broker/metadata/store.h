// The cluster's agreed facts: keys with values, changed by transactions only. Embedded here as a local keyed
// log (local_store.h); more than one machine will share an etcd through the same interface.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"

namespace sillok::broker {

struct KeyValue {
  std::string key;
  std::string value;
};

// Threading: any thread; calls may block for the disk or the network.
// Durability: what txn() reported as done survives power loss.
class MetadataStore {
 public:
  virtual ~MetadataStore() = default;

  // All pairs whose key begins with `prefix`, by key.
  virtual Result<std::vector<KeyValue>> range(std::string_view prefix) = 0;

  struct Compare {
    std::string key;
    std::optional<std::string> value;  // nullopt: the key must be absent
  };
  struct Put {
    std::string key;
    std::string value;
  };
  struct Transaction {
    std::vector<Compare> compares;  // on whole values
    std::vector<Put> puts;
    std::vector<std::string> deletes;
  };
  // Applies all or nothing. False where a comparison did not hold.
  virtual Result<bool> txn(const Transaction& transaction) = 0;

  // Calls back after each transaction that touched a key with `prefix`, in order, on the thread that made it.
  using Watcher = std::function<void(const Transaction&)>;
  virtual void watch(std::string prefix, Watcher watcher) = 0;

  // How far the store is. Never goes back, the epoch first.
  struct Progress {
    LeaderEpoch epoch;  // of whoever leads; of the embedded store, the number of this start
    Offset end;         // behind the last change that is durable
  };
  virtual Progress progress() const = 0;

  // Keeps `key` only as long as this process lives and is connected: registration. The embedded store drops
  // such keys at its next start.
  virtual Result<void> put_for_session(const KeyValue& pair) = 0;
};

}  // namespace sillok::broker
