// The batches of a partition that wait until their records were read, or compressed anew.
#include <utility>

#include "broker/device_use.h"
#include "broker/partition.h"

namespace sillok::broker {

Strand& Partition::preparations() {
  const std::lock_guard lock(queue_mutex_);
  if (!strand_) {
    strand_ = std::make_shared<Strand>(kPreparedBytesMax);
    preparing_.store(true, std::memory_order_release);
  }
  return *strand_;
}

bool Partition::prepare(Executor& pool, ByteView batch, std::function<void(MutableByteView)> work) {
  DeviceUse::note(device_);
  Strand& strand = preparations();
  if (!strand.has_room(batch.size())) return false;
  const auto size = static_cast<ByteCount>(batch.size());
  device_.add_queued(size);
  auto copy = std::make_shared<Bytes>(batch.begin(), batch.end());
  const bool posted = strand.post(
      pool, batch.size(), [self = shared_from_this(), copy = std::move(copy), work = std::move(work), size] {
        work(*copy);
        self->device_.remove_queued(size);
      });
  if (!posted) device_.remove_queued(size);
  return posted;
}

}  // namespace sillok::broker
