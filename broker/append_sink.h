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
  // The producer sent the batch before, and this is the time of the original.
  std::optional<TimestampMs> original_time{};
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
};

}  // namespace sillok::broker
