// The topics: what exists, and how it comes and goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/metadata/image.h"
#include "broker/metadata/store.h"
#include "broker/partition_host.h"
#include "protocol/base/result.h"
#include "protocol/error_code.h"

namespace sillok::broker {

struct NewTopic {
  std::string name;
  std::int32_t partition_count = -1;     // -1: num.partitions
  std::int16_t replication_factor = -1;  // -1: default.replication.factor
  std::map<std::string, std::string> configs;
};

struct TopicOutcome {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string message;                     // for people; empty where there is no error
  std::shared_ptr<const TopicImage> topic;  // where it exists now
};

enum class ValidateOnly { no, yes };

// Threading: image() from any thread; everything else on the control executor only, or before the broker serves.
// Durability: a topic exists once its folders and then its metadata are on disk; it is gone once its deletion is.
class Topics {
 public:
  Topics(const Config& config, MetadataStore& store, PartitionHost& host);

  // Reads the store, adopts partition folders that it does not know (with their id; each gives a note), opens all partitions.
  // Nothing found on disk is renamed or deleted because it is unknown.
  Result<void> load(std::vector<std::string>& notes);

  std::shared_ptr<const MetadataImage> image() const;

  // One outcome per topic, in order. Kafka's errors: 17 bad or colliding name, 36 exists, 37 partitions, 38 replication factor,
  // 40 configs.
  std::vector<TopicOutcome> create(const std::vector<NewTopic>& topics, ValidateOnly validate_only);
  TopicOutcome remove(std::string_view name);

 private:
  const Config& config_;
  MetadataStore& store_;
  PartitionHost& host_;
  mutable std::mutex mutex_;  // guards image_ only, for as long as the pointer is copied
  std::shared_ptr<const MetadataImage> image_;
};

// Kafka's rule for topic names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". nullopt: fine; else why not.
std::optional<std::string> topic_name_fault(std::string_view name);

}  // namespace sillok::broker
