// What a load run found, and how it is printed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "protocol/error_code.h"

namespace sillok::bench {

// Durations in nanoseconds, counted in buckets of 1/64 of their size: a percentile is right to 1.6 %.
class Histogram {
 public:
  void add(std::int64_t duration_ns);
  std::int64_t count() const { return count_; }
  // The value below which `share` (0 to 1) of all lie; 0 where there are none.
  std::int64_t percentile_ns(double share) const;

 private:
  static constexpr int kSubBits = 6;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
};

struct LoadReport {
  std::string mode;
  double seconds = 0;
  std::int64_t requests = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of record batches
  Histogram latency;
  std::map<protocol::ErrorCode, std::int64_t> errors;

  std::int64_t error_count() const;
  std::string to_json() const;
};

}  // namespace sillok::bench
