// What a load run found, and how it is printed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protocol/error_code.h"

namespace sillok::bench {

// Durations in nanoseconds, counted in buckets of 1/64 of their size: a percentile is right to 1.6 %.
class Histogram {
 public:
  void add(std::int64_t duration_ns);
  std::int64_t count() const { return count_; }
  std::int64_t max_ns() const { return max_; }
  // The value below which `share` (0 to 1) of all lie; 0 where there are none.
  std::int64_t percentile_ns(double share) const;

 private:
  static constexpr int kSubBits = 6;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
  std::int64_t max_ = 0;
};

// Latencies by the interval in which the answer came, for plots of stalls. Intervals without any are there,
// too.
class Timeline {
 public:
  Timeline() = default;
  // Requires: interval_ns > 0.
  Timeline(std::int64_t start_ns, std::int64_t interval_ns) : end_(start_ns), interval_(interval_ns) {}

  bool is_on() const { return interval_ > 0; }
  void add(std::int64_t now_ns, std::int64_t duration_ns);
  // A JSON array. t_s is where an interval begins, since the start.
  std::string to_json() const;

 private:
  struct Point {
    std::int64_t count;
    std::int64_t p50_ns;
    std::int64_t p99_ns;
    std::int64_t max_ns;
  };
  static Point point_of(const Histogram& histogram);

  std::int64_t end_ = 0;  // of the interval under way
  std::int64_t interval_ = 0;
  bool has_begun_ = false;
  Histogram current_;
  std::vector<Point> points_;
};

struct LoadReport {
  std::string mode;
  double started_unix_s = 0;
  double seconds = 0;
  std::int64_t requests = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of record batches
  Histogram latency;
  Histogram ack;            // e2e: until the producer has its answer
  std::int64_t missed = 0;  // open loop: due, but not sent before the end
  Timeline timeline;
  std::map<protocol::ErrorCode, std::int64_t> errors;

  // Notes the time of the start, and begins the timeline where one is asked for.
  void begin(std::int64_t now_ns, std::int64_t timeline_ms);
  void add_latency(std::int64_t now_ns, std::int64_t duration_ns) {
    latency.add(duration_ns);
    if (timeline.is_on()) timeline.add(now_ns, duration_ns);
  }
  std::int64_t error_count() const;
  std::string to_json() const;
};

}  // namespace sillok::bench
