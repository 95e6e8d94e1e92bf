#include "broker/producer_ids.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "broker/metadata/metadata_records.h"

namespace sillok::broker {
namespace {

// Only other brokers take blocks at the same time, each once in kBlockSize producers.
constexpr int kAttemptsMax = 100;

// Changes the counter to `change` of it; returns what it was.
template <class Change>
Result<std::int64_t> change_counter(MetadataStore& store, const Change& change) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    std::optional<std::string> before;
    for (KeyValue& pair : TRY(store.range(kProducerIdsKey))) {
      if (pair.key == kProducerIdsKey) before = std::move(pair.value);
    }
    const std::int64_t first = before ? TRY(decode_next_producer_id(*before)) : 0;
    const std::int64_t next = TRY(change(first));
    const std::string key(kProducerIdsKey);
    if (TRY(store.txn({{{key, before}}, {{key, encode_next_producer_id(next)}}, {}}))) return first;
  }
  return Error{Errc::timed_out, "others kept changing the counter of producer ids"};
}

Result<std::int64_t> add(std::int64_t first, std::int64_t count) {
  if (first > std::numeric_limits<std::int64_t>::max() - count) {
    return Error{Errc::too_large, "there are no producer ids left"};
  }
  return first + count;
}

// Moves the counter on by `count`; returns where it was.
Result<std::int64_t> take(MetadataStore& store, std::int64_t count) {
  return change_counter(store, [count](std::int64_t first) { return add(first, count); });
}

}  // namespace

Result<ProducerId> ProducerIds::next() {
  const std::lock_guard lock(mutex_);
  if (next_ == block_end_) {
    next_ = block_end_ = 0;
    const std::int64_t first = TRY(take(store_, kBlockSize));
    next_ = first;
    block_end_ = first + kBlockSize;
  }
  return ProducerId(next_++);
}

std::optional<ProducerId> ProducerIds::try_next() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || next_ == block_end_) return std::nullopt;
  return ProducerId(next_++);
}

Result<void> skip_producer_ids_of_others(MetadataStore& store) {
  const auto taken = take(store, kForeignProducerIds);
  if (!taken.ok()) return taken.error();
  return {};
}

Result<void> skip_producer_ids_after(MetadataStore& store, std::int64_t next_of_other) {
  const std::int64_t least = TRY(add(next_of_other, kForeignProducerIds));
  const auto skipped = change_counter(
      store, [least](std::int64_t first) { return Result<std::int64_t>(std::max(first, least)); });
  if (!skipped.ok()) return skipped.error();
  return {};
}

}  // namespace sillok::broker
