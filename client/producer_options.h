// How a producer behaves, with the limits of everything that it holds.
#pragma once

#include <cstdint>
#include <optional>

#include "client/retry.h"
#include "protocol/compression.h"

namespace sillok::client {

enum class Acks : std::int16_t { none = 0, leader = 1, all = -1 };
enum class Idempotence { off, on };

struct ProducerOptions {
  Acks acks = Acks::all;
  // On: retries never duplicate or reorder, and five batches of a partition may be under way. Off: one may,
  // so that order holds all the same, but a lost answer can store a batch twice.
  Idempotence idempotence = Idempotence::on;
  protocol::Codec codec = protocol::Codec::none;
  std::optional<int> codec_level;
  Milliseconds linger{5};
  std::size_t batch_bytes = 256 << 10;       // a batch is closed when it has so many (before compression)
  std::size_t record_bytes_max = 1'000'000;  // Kafka's max.message.bytes with room for the batch's header
  std::size_t request_bytes_max = 4 << 20;
  std::size_t buffered_bytes_max = 64 << 20;  // of records that are not delivered: send() waits beyond
  std::int32_t in_flight_max = 5;             // requests per broker, batches per partition
  Milliseconds request_timeout{30'000};
  Milliseconds delivery_timeout{120'000};  // from send() to the report, with all retries
  BackoffOptions backoff;
};

}  // namespace sillok::client
