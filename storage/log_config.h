// The settings of one topic that its logs honour: Kafka's topic configs, resolved (topic, else broker, else
// default).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "protocol/base/ids.h"
#include "protocol/record_batch_view.h"

namespace sillok::storage {

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

struct LogConfig {
  ByteCount segment_bytes = 1 << 30;           // segment.bytes
  std::int64_t segment_ms = 604'800'000;       // segment.ms, of record time
  std::int64_t segment_jitter_ms = 0;          // segment.jitter.ms
  ByteCount segment_index_bytes = 10 << 20;    // segment.index.bytes
  ByteCount index_interval_bytes = 4096;       // index.interval.bytes
  std::int64_t retention_ms = 604'800'000;     // retention.ms, -1 is for ever
  ByteCount retention_bytes = -1;              // retention.bytes, -1 is without limit
  std::int64_t retention_bound_ms = -1;        // sillok.retention.bound.ms, -1 is none
  ByteCount retention_topic_bytes = -1;        // sillok.retention.topic.bytes, -1 is without limit
  bool cleanup_delete = true;                  // cleanup.policy has "delete"
  bool cleanup_compact = false;                // cleanup.policy has "compact"
  std::int64_t file_delete_delay_ms = 60'000;  // file.delete.delay.ms
  std::int64_t flush_messages = kForever;      // flush.messages
  std::int64_t flush_ms = 1000;                // flush.ms; kForever leaves it to the kernel, as Kafka does
  bool write_caching = false;                  // write.caching: acks=all is answered from the page cache
  bool preallocate = false;                    // preallocate
  std::int32_t max_message_bytes = 1'048'588;  // max.message.bytes
  protocol::TimestampType timestamp_type = protocol::TimestampType::create_time;  // message.timestamp.type
  std::int64_t timestamp_before_max_ms = kForever;  // message.timestamp.before.max.ms
  std::int64_t timestamp_after_max_ms = 3'600'000;  // message.timestamp.after.max.ms
  std::int64_t min_compaction_lag_ms = 0;           // min.compaction.lag.ms, of which nothing is done yet
  std::int64_t max_compaction_lag_ms = kForever;    // max.compaction.lag.ms, likewise
  // compression.type; nullopt is "producer": batches stay as they were sent.
  std::optional<protocol::Codec> codec;
  std::int32_t gzip_level = -1;                         // compression.gzip.level; -1 is the codec's own
  std::int32_t lz4_level = 9;                           // compression.lz4.level
  std::int32_t zstd_level = 3;                          // compression.zstd.level
  std::int32_t producer_id_expiration_ms = 86'400'000;  // producer.id.expiration.ms, of the broker

  bool operator==(const LogConfig&) const = default;
};

}  // namespace sillok::storage
