// What a producer is given, and what it reports back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/metadata_cache.h"
#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"

namespace sillok::client {

struct Header {
  std::string key;
  std::optional<std::string> value;
};

// What has happened to one record.
struct Delivery {
  Result<void> result;
  TopicPartition where;
  Offset offset{-1};  // -1 with acks=0, and where the broker did not say (a duplicate)
};
// Called once per record, in the order of send() within a partition.
using DeliveryReport = std::function<void(const Delivery&)>;

struct ProducerRecord {
  std::string topic;
  std::optional<PartitionIndex> partition;  // by the key's hash, or in turn, where there is none
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  TimestampMs timestamp = kNoTimestamp;  // the time of send() where there is none

  std::size_t size() const {
    std::size_t total = (key ? key->size() : 0) + (value ? value->size() : 0);
    for (const Header& header : headers)
      total += header.key.size() + (header.value ? header.value->size() : 0);
    return total;
  }
};

}  // namespace sillok::client
