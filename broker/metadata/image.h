// All topics at one moment, immutable: what handlers read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "storage/log_config.h"

namespace sillok::broker {

// The topics that Kafka keeps for itself. Clients that subscribe by pattern leave them out, so no other name
// counts.
bool is_internal_topic(std::string_view name);

struct TopicImage {
  std::string name;
  TopicId id;
  std::int32_t partition_count = 0;
  std::map<std::string, std::string> configs;  // only what was set on the topic, by Kafka's names
  storage::LogConfig log_config;               // resolved with the broker's defaults

  bool is_internal() const { return is_internal_topic(name); }
};

class MetadataImage {
 public:
  // Null where there is none. Valid while the image lives.
  const TopicImage* find(std::string_view name) const;
  const TopicImage* find(const TopicId& id) const;
  const std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>>& topics() const {
    return topics_;
  }
  std::size_t partition_count() const { return partition_count_; }  // of all topics

  // The next image: this one with `topic` added or replaced, or without `name`.
  std::shared_ptr<const MetadataImage> with(std::vector<std::shared_ptr<const TopicImage>> changed) const;
  std::shared_ptr<const MetadataImage> without(const std::vector<std::string>& names) const;

 private:
  void drop(std::string_view name);

  std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>> topics_;
  std::unordered_map<TopicId, const TopicImage*> by_id_;
  std::size_t partition_count_ = 0;
};

}  // namespace sillok::broker
