// How a consumer behaves, with the limits of what it holds.
#pragma once

#include <cstdint>

#include "client/metadata_cache.h"
#include "client/retry.h"
#include "protocol/messages/values.h"

namespace sillok::client {

struct ConsumerOptions {
  Milliseconds fetch_wait{500};
  std::int32_t fetch_bytes_min = 1;
  std::int32_t fetch_bytes_max = 50 << 20;
  std::int32_t partition_bytes_max = 1 << 20;
  std::int32_t partition_bytes_limit = 256 << 20;  // to where it grows for a batch that does not fit
  std::size_t buffered_bytes_max = 64 << 20;       // fetched and not polled: nothing more is fetched beyond
  protocol::IsolationLevel isolation = protocol::IsolationLevel::read_uncommitted;
  Milliseconds request_timeout{30'000};
  BackoffOptions backoff;
};

// Where reading of a partition begins.
struct StartPosition {
  enum class Kind {
    beginning,
    end,
    offset,  // value: an offset
    tail,    // value: so many records before the end
    time,    // value: milliseconds since 1970; the first record that is not earlier, or the end
  };
  Kind kind = Kind::beginning;
  std::int64_t value = 0;
};

struct Assignment {
  TopicPartition where;
  StartPosition start;
};

}  // namespace sillok::client
