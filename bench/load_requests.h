// The requests of a load, encoded once; only correlation id and fetch offset change from one sending to the
// next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bench/load_options.h"
#include "bench/load_socket.h"
#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/error_code.h"

namespace sillok::bench {

// Versions that Apache Kafka 4 and Sillok both have, with topic names and not ids.
inline constexpr protocol::Version kProduceVersion = 9;
inline constexpr protocol::Version kFetchVersion = 12;
inline constexpr protocol::Version kListOffsetsVersion = 7;
inline constexpr protocol::Version kMetadataVersion = 9;
inline constexpr protocol::Version kCreateTopicsVersion = 5;

// A produce request of `records` records of one batch, whose partition can be set.
struct ProduceRequestBytes {
  Bytes bytes;
  std::size_t partition_position = 0;
  std::size_t batch_position = 0;  // up to batch_size bytes behind it
  std::size_t batch_size = 0;
  std::size_t stamp_position = 0;  // 0: has none

  void set_partition(std::int32_t partition) {
    store_big_endian(bytes.data() + partition_position, partition);
  }
  // Puts a time into the first record, and the CRC that goes with it. Requires: has a stamp.
  void set_stamp(std::int64_t time_ns);
};
Result<ProduceRequestBytes> encode_produce(const LoadOptions& options);

struct ProduceAnswer {
  std::int32_t correlation_id = 0;
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset base_offset{-1};
};
// Reads an answer to encode_produce()'s request where its fields must stand, the topic's name being known.
Result<ProduceAnswer> read_produce_answer(ByteView frame, std::size_t topic_size);

// A fetch request whose partition and offset can be set.
struct FetchRequestBytes {
  Bytes bytes;
  std::size_t partition_position = 0;
  std::size_t offset_position = 0;

  void set_partition(std::int32_t partition) {
    store_big_endian(bytes.data() + partition_position, partition);
  }
  void set_offset(Offset offset) { store_big_endian(bytes.data() + offset_position, offset.value); }
};
struct FetchWait {
  std::int32_t max_wait_ms = 500;
  std::int32_t min_bytes = 1;
};
Result<FetchRequestBytes> encode_fetch(const LoadOptions& options, FetchWait wait);

struct FetchAnswer {
  std::int32_t correlation_id = 0;
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset high_watermark{-1};
  ByteView records;
};
// The only partition of an answer to encode_fetch()'s request.
Result<FetchAnswer> read_fetch_answer(ByteView frame);

// A Metadata request for options.topic, or for all.
Result<Bytes> encode_metadata(const LoadOptions& options);
// The error of the whole answer or of its first topic that has one. Walks the answer, so it is for a few.
Result<protocol::ErrorCode> read_metadata_error(ByteView frame);

// The time that set_stamp() put into a batch.
std::optional<std::int64_t> read_stamp(ByteView batch);

// What whole batches there are in `records`, from their headers. `see`, where given, is called with each one.
struct BatchesSeen {
  std::int64_t batches = 0;
  std::int64_t records = 0;
  Offset next_offset{-1};  // -1: no whole batch
};
using SeeBatch = std::function<void(ByteView)>;
Result<BatchesSeen> walk_batches(ByteView records, const SeeBatch& see = {});

// Makes the topic unless it is there, and waits until every partition has a leader (120 s at most).
Result<void> prepare_topic(Socket& socket, const LoadOptions& options);
// One try to make it: the error code, none where it is there already.
Result<protocol::ErrorCode> create_topic(Socket& socket, const LoadOptions& options);
// Where each of the options' partitions begins, or ends.
Result<std::vector<Offset>> list_offsets(Socket& socket, const LoadOptions& options, TimestampMs timestamp);

}  // namespace sillok::bench
