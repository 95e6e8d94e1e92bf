// The requests of a load, encoded once; only correlation id and fetch offset change from one sending to the
// next.
#pragma once

#include <cstdint>
#include <span>

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

// A produce request of `records` records of one batch.
Result<Bytes> encode_produce(const LoadOptions& options, std::int32_t partition);

struct ProduceAnswer {
  std::int32_t correlation_id = 0;
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset base_offset{-1};
};
// Reads an answer to encode_produce()'s request where its fields must stand, the topic's name being known.
Result<ProduceAnswer> read_produce_answer(ByteView frame, std::size_t topic_size);

// A fetch request whose offset can be set.
struct FetchRequestBytes {
  Bytes bytes;
  std::size_t offset_position = 0;

  void set_offset(Offset offset) { store_big_endian(bytes.data() + offset_position, offset.value); }
};
struct FetchWait {
  std::int32_t max_wait_ms = 500;
  std::int32_t min_bytes = 1;
};
Result<FetchRequestBytes> encode_fetch(const LoadOptions& options, std::int32_t partition, FetchWait wait);

struct FetchAnswer {
  std::int32_t correlation_id = 0;
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset high_watermark{-1};
  ByteView records;
};
// The only partition of an answer to encode_fetch()'s request.
Result<FetchAnswer> read_fetch_answer(ByteView frame);

// What whole batches there are in `records`, from their headers.
struct BatchesSeen {
  std::int64_t batches = 0;
  std::int64_t records = 0;
  Offset next_offset{-1};  // -1: no whole batch
};
Result<BatchesSeen> walk_batches(ByteView records);

// Makes the topic unless it is there, and waits until every partition has a leader (30 s at most).
Result<void> prepare_topic(Socket& socket, const LoadOptions& options);
// One try to make it: the error code, none where it is there already.
Result<protocol::ErrorCode> create_topic(Socket& socket, const LoadOptions& options);
// The offset after a partition's last record.
Result<Offset> end_offset(Socket& socket, const LoadOptions& options, std::int32_t partition);

}  // namespace sillok::bench
