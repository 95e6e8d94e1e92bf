#include "bench/load_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

#include "bench/load_clock.h"

namespace sillok::bench {
namespace {

// "ack_p50_us": 1.0, and so on.
std::string percentiles_json(const std::string& prefix, const Histogram& histogram) {
  const auto micros = [](std::int64_t nanos) { return static_cast<double>(nanos) / 1e3; };
  const auto at = [&](double share) { return micros(histogram.percentile_ns(share)); };
  return fmt::format(
      "\"{0}p50_us\": {1:.1f}, \"{0}p90_us\": {2:.1f}, \"{0}p99_us\": {3:.1f}, \"{0}p999_us\": {4:.1f}, "
      "\"{0}max_us\": {5:.1f}",
      prefix, at(0.5), at(0.9), at(0.99), at(0.999), micros(histogram.max_ns()));
}

}  // namespace

void Histogram::add(std::int64_t duration_ns) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration_ns, 0));
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kSubBits - 1);
  // Values below 128 stand for themselves; above, each power of two has 64 buckets.
  const std::size_t bucket = (static_cast<std::size_t>(shift) << kSubBits) + (value >> shift);
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
  max_ = std::max(max_, duration_ns);
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

Timeline::Point Timeline::point_of(const Histogram& histogram) {
  return {histogram.count(), histogram.percentile_ns(0.5), histogram.percentile_ns(0.99), histogram.max_ns()};
}

void Timeline::add(std::int64_t now_ns, std::int64_t duration_ns) {
  while (now_ns >= end_) {
    if (has_begun_) points_.push_back(point_of(current_));
    if (current_.count() > 0) current_ = Histogram();
    has_begun_ = true;
    end_ += interval_;
  }
  current_.add(duration_ns);
}

std::string Timeline::to_json() const {
  std::vector<Point> points = points_;
  if (has_begun_) points.push_back(point_of(current_));
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto millis = [](std::int64_t nanos) { return static_cast<double>(nanos) / 1e6; };
    fmt::format_to(std::back_inserter(text),
                   "{}{{\"t_s\": {:.3f}, \"count\": {}, \"p50_ms\": {:.3f}, \"p99_ms\": {:.3f}, "
                   "\"max_ms\": {:.3f}}}",
                   i == 0 ? "" : ", ", static_cast<double>(i) * static_cast<double>(interval_) / 1e9,
                   points[i].count, millis(points[i].p50_ns), millis(points[i].p99_ns),
                   millis(points[i].max_ns));
  }
  return "[" + text + "]";
}

void LoadReport::begin(std::int64_t now_ns, std::int64_t timeline_ms) {
  started_unix_s = static_cast<double>(wall_clock_ms()) / 1e3;
  if (timeline_ms > 0) timeline = Timeline(now_ns, timeline_ms * 1'000'000);
}

std::int64_t LoadReport::error_count() const {
  std::int64_t count = 0;
  for (const auto& [code, times] : errors) count += times;
  return count;
}

std::string LoadReport::to_json() const {
  const double span = seconds > 0 ? seconds : 1e-9;
  const auto rate = [span](std::int64_t count) { return static_cast<double>(count) / span; };
  std::string failed;
  for (const auto& [code, times] : errors) {
    failed += fmt::format("{}\"{}\": {}", failed.empty() ? "" : ", ", protocol::to_string(code), times);
  }
  std::string more;
  if (ack.count() > 0) more += ", " + percentiles_json("ack_", ack);
  if (timeline.is_on()) more += ", \"timeline\": " + timeline.to_json();
  return fmt::format(
      "{{\"mode\": \"{}\", \"started_unix_s\": {:.3f}, \"seconds\": {:.3f}, \"requests\": {}, \"records\": "
      "{}, "
      "\"bytes\": {}, \"requests_per_s\": {:.0f}, \"records_per_s\": {:.0f}, \"mb_per_s\": {:.1f}, "
      "\"missed\": {}, {}{}, \"errors\": {{{}}}}}",
      mode, started_unix_s, seconds, requests, records, bytes, rate(requests), rate(records),
      rate(bytes) / 1e6, missed, percentiles_json("", latency), more, failed);
}

}  // namespace sillok::bench
