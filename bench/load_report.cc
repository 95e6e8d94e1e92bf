#include "bench/load_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sillok::bench {

void Histogram::add(std::int64_t duration_ns) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration_ns, 0));
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kSubBits - 1);
  // Values below 128 stand for themselves; above, each power of two has 64 buckets.
  const std::size_t bucket = (static_cast<std::size_t>(shift) << kSubBits) + (value >> shift);
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
}

std::int64_t Histogram::percentile_ns(double share) const {
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(count_)));
  std::int64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen < wanted || seen == 0) continue;
    constexpr std::size_t kSubCount = std::size_t{1} << kSubBits;
    if (bucket < 2 * kSubCount) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = (bucket >> kSubBits) - 1;
    return static_cast<std::int64_t>((bucket - (shift << kSubBits)) << shift);
  }
  return 0;
}

std::int64_t LoadReport::error_count() const {
  std::int64_t count = 0;
  for (const auto& [code, times] : errors) count += times;
  return count;
}

std::string LoadReport::to_json() const {
  const double span = seconds > 0 ? seconds : 1e-9;
  const auto rate = [span](std::int64_t count) { return static_cast<double>(count) / span; };
  const auto micros = [this](double share) {
    return static_cast<double>(latency.percentile_ns(share)) / 1e3;
  };
  std::string failed;
  for (const auto& [code, times] : errors) {
    failed += fmt::format("{}\"{}\": {}", failed.empty() ? "" : ", ", protocol::to_string(code), times);
  }
  return fmt::format(
      "{{\"mode\": \"{}\", \"seconds\": {:.3f}, \"requests\": {}, \"records\": {}, \"bytes\": {}, "
      "\"requests_per_s\": {:.0f}, \"records_per_s\": {:.0f}, \"mb_per_s\": {:.1f}, "
      "\"p50_us\": {:.1f}, \"p99_us\": {:.1f}, \"p999_us\": {:.1f}, \"errors\": {{{}}}}}",
      mode, seconds, requests, records, bytes, rate(requests), rate(records), rate(bytes) / 1e6, micros(0.5),
      micros(0.99), micros(0.999), failed);
}

}  // namespace sillok::bench
