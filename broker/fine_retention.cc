#include "broker/fine_retention.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "broker/rate_limited_log.h"

namespace sillok::broker {
namespace {

using PartitionPointer = std::shared_ptr<Partition>;

// A fault stays for many passes.
void warn(const Partition& partition, const Error& error) {
  log_rate_limited("retention of {}-{}: {}", partition.topic(), partition.index().value, error.describe());
}

// False, and logged, where it failed.
bool move_start(Partition& partition, Offset start, TimestampMs now) {
  Result<void> done = partition.set_log_start(start);
  if (done.ok()) {
    const auto removed = partition.clean_up(now);
    if (!removed.ok()) done = removed.error();
    if (removed.ok() && *removed > 0) {
      spdlog::info("retention of {}-{}: {} segments deleted, the log starts at {}", partition.topic(),
                   partition.index().value, *removed, partition.log().log_start().value);
    }
  }
  if (!done.ok()) warn(partition, done.error());
  return done.ok();
}

void expire_by_time(Partition& partition, const storage::LogConfig& config, TimestampMs now) {
  const Offset high_watermark = partition.high_watermark().offset;
  if (partition.log().log_start() >= high_watermark) return;
  const auto start = partition.log().find_expired_end(now - config.retention_ms, now, high_watermark);
  if (!start.ok()) return warn(partition, start.error());
  if (*start > partition.log().log_start()) (void)move_start(partition, *start, now);
}

// The segments of one partition that may go: not the active one.
struct Segments {
  Partition* partition;
  std::vector<storage::SegmentAge> ages;
  std::size_t next = 0;  // the oldest that is left

  const storage::SegmentAge* oldest() const {
    const bool may_go =
        next + 1 < ages.size() && ages[next].next_offset <= partition->high_watermark().offset;
    return may_go ? &ages[next] : nullptr;
  }
};

// Closes the active segment where it has become a large part of the budget.
void roll_if_large(Partition& partition, const std::vector<storage::SegmentAge>& ages, ByteCount size_max) {
  if (ages.empty() || ages.back().size < size_max) return;
  if (partition.log().health() != storage::LogHealth::healthy || !partition.has_room()) return;
  if (const auto rolled = partition.log().roll(); !rolled.ok()) warn(partition, rolled.error());
}

void keep_to_budget(std::span<const PartitionPointer> partitions, ByteCount budget, TimestampMs now) {
  const auto share = budget / static_cast<ByteCount>(partitions.size());
  const ByteCount segment_size_max = std::max(share / kBudgetParts, kBudgetSegmentBytesMin);
  std::vector<Segments> all;
  ByteCount excess = -budget;
  for (const PartitionPointer& partition : partitions) {
    auto ages = partition->log().segment_ages(now);
    if (!ages.ok()) {
      warn(*partition, ages.error());
      continue;
    }
    for (const storage::SegmentAge& age : *ages) excess += age.size;
    roll_if_large(*partition, *ages, segment_size_max);
    all.push_back({partition.get(), std::move(ages).value()});
  }
  while (excess > 0) {
    const auto is_older = [](const Segments& a, const Segments& b) {
      if (a.oldest() == nullptr || b.oldest() == nullptr) return a.oldest() != nullptr;
      return a.oldest()->latest < b.oldest()->latest;
    };
    const auto oldest = std::ranges::min_element(all, is_older);
    if (oldest == all.end() || oldest->oldest() == nullptr) return;
    const Offset end = oldest->oldest()->next_offset;
    if (!move_start(*oldest->partition, end, now)) {
      all.erase(oldest);  // the others go on
      continue;
    }
    // More of them may have gone, by retention.bytes and retention.ms.
    const Offset start = oldest->partition->log().log_start();
    for (; oldest->next < oldest->ages.size() && oldest->ages[oldest->next].next_offset <= start;
         ++oldest->next) {
      excess -= oldest->ages[oldest->next].size;
    }
  }
}

}  // namespace

bool has_fine_retention(const storage::LogConfig& config) {
  if (!config.cleanup_delete) return false;
  return (config.retention_bound_ms >= 0 && config.retention_ms >= 0) || config.retention_topic_bytes >= 0;
}

void apply_fine_retention(std::span<const PartitionPointer> partitions, TimestampMs now) {
  struct Budget {
    ByteCount bytes;
    std::vector<PartitionPointer> partitions;
  };
  std::map<std::string_view, Budget> budgets;
  for (const PartitionPointer& partition : partitions) {
    if (!partition->has_fine_retention() || !partition->is_online()) continue;
    const auto config = partition->config();
    if (config->retention_bound_ms >= 0 && config->retention_ms >= 0)
      expire_by_time(*partition, *config, now);
    if (config->retention_topic_bytes < 0) continue;
    Budget& budget = budgets[partition->topic()];
    budget.bytes = config->retention_topic_bytes;
    budget.partitions.push_back(partition);
  }
  for (const auto& [topic, budget] : budgets) keep_to_budget(budget.partitions, budget.bytes, now);
}

}  // namespace sillok::broker
