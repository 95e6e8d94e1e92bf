// Hands out producer ids, each once for ever.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "broker/metadata/store.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"

namespace sillok::broker {

// Threading: any thread; next() blocks where a new block must be taken from the store (once in kBlockSize
// calls).
class ProducerIds {
 public:
  static constexpr std::int64_t kBlockSize = 1000;
  explicit ProducerIds(MetadataStore& store) : store_(store) {}
  Result<ProducerId> next();
  // Without blocking: nullopt where a new block is needed.
  std::optional<ProducerId> try_next();

 private:
  MetadataStore& store_;
  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::int64_t block_end_ = 0;
};

// Logs that another broker wrote hold producer ids that it gave out. More of them than any broker can have
// given out since the last call are left out from then on.
inline constexpr std::int64_t kForeignProducerIds = std::int64_t{1} << 40;
Result<void> skip_producer_ids_of_others(MetadataStore& store);
// The same where it is known which one the other broker would have given out next: what it may give out after
// that, should it come back to the logs, is left out as well.
Result<void> skip_producer_ids_after(MetadataStore& store, std::int64_t next_of_other);

}  // namespace sillok::broker
