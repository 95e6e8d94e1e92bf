#include "broker/disk_space.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/blocking_guard.h"

namespace sillok::broker {
namespace {

constexpr ByteCount kBytesUntilMeasureMin = 64 << 10;
constexpr ByteCount kBytesUntilMeasureMax = 64 << 20;
constexpr ByteCount kMegabyte = 1'000'000;

}  // namespace

void DiskSpace::watch(std::string directory, ByteCount kept_free, Measure measure) {
  directory_ = std::move(directory);
  kept_free_ = kept_free;
  measure_ = std::move(measure);
  this->measure();
}

void DiskSpace::measure() {
  if (!measure_ || kept_free_ == 0) {
    until_measure_.store(std::numeric_limits<ByteCount>::max(), std::memory_order_relaxed);
    return;
  }
  const storage::AllowBlocking statvfs_is_quick;
  const auto use = measure_();
  const ByteCount total = use.ok() ? use->total : 0;
  const ByteCount kept = kept_free_ > 0 ? kept_free_ : std::min(kFreeSpaceKeptMax, total / 20);
  // Some room more is asked for before records are taken again, so that this does not go to and fro.
  const bool was_short = is_short();
  // Where the file system does not say, the writes themselves will find out.
  const bool now_short = use.ok() && use->free < kept + (was_short ? kept / 8 : 0);
  // Not past the limit by more than a fraction of what is kept free.
  until_measure_.store(std::clamp(kept / 8, kBytesUntilMeasureMin, kBytesUntilMeasureMax),
                       std::memory_order_relaxed);
  if (is_short_.exchange(now_short, std::memory_order_relaxed) == now_short) return;
  if (now_short) {
    spdlog::error(
        "{}: {} MB are free, less than the {} MB that sillok.disk.free.min.bytes keeps: records are refused "
        "until there is room",
        directory_, use->free / kMegabyte, kept / kMegabyte);
  } else {
    spdlog::warn("{}: there is room again, records are taken", directory_);
  }
}

}  // namespace sillok::broker
