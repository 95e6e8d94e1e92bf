// What an append needs to know, and who is told how it went.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_view.h"

namespace sillok::broker {

struct AppendResult {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset base_offset{-1};
  Offset log_start{-1};
  // Of LogAppendTime; of the original, where the producer sent the batch before.
  std::optional<TimestampMs> append_time{};
};

// Threading: called once per append, on the thread that completed it: the caller's own before append()
// returns, or any other later.
class AppendSink {
 public:
  virtual ~AppendSink() = default;
  virtual void appended(std::size_t index, const AppendResult& result) = 0;
};

enum class Acks : std::int8_t {
  none = 0,
  leader = 1,  // in the page cache
  all = -1,    // on disk, unless write.caching
};

struct AppendRequest {
  MutableByteView batch;  // one batch that check_batch() accepted; must live until append() returns
  protocol::RecordBatchHeader header;
  Acks acks = Acks::leader;
  std::shared_ptr<AppendSink> sink;
  std::size_t index = 0;  // given back to the sink
  // LogAppendTime: the time is written into the batch when the log has its turn, as late as Kafka does, so
  // that times rise with offsets.
  protocol::TimestampType timestamp_type = protocol::TimestampType::create_time;
};

}  // namespace sillok::broker
