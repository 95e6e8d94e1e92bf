// Clients that offer their own metrics (KIP-714): which of them is subscribed to what, and when each may come
// again. Nothing can be subscribed to yet, so what clients push all the same is counted and dropped.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/messages/telemetry.h"
#include "storage/clock.h"

namespace sillok::broker {

// Threading: any thread.
// Invariants: no more than kInstancesMax clients are known; past it the one unheard of for longest is
// forgotten.
class ClientTelemetry {
 public:
  static constexpr std::size_t kInstancesMax = 16'384;
  static constexpr std::chrono::milliseconds kPushInterval{300'000};
  // A client that was silent for so long is a new one.
  static constexpr std::chrono::milliseconds kSilenceMax = 3 * kPushInterval;

  ClientTelemetry(const storage::Clock& clock, ByteCount bytes_max) : clock_(clock), bytes_max_(bytes_max) {}

  struct Subscription {
    protocol::ErrorCode error = protocol::ErrorCode::none;  // or THROTTLING_QUOTA_EXCEEDED, and no more
    Uuid client_instance_id;
    std::int32_t id = 0;
  };
  // A zero id is one that wants to be given.
  Subscription subscribe(const Uuid& client_instance_id);
  // Kafka's judgement, in its order: 42 not a client's id, or after it said that it ends; 89 too early; 117
  // not its subscription; 76 the compression is unknown; 118 larger than bytes_max().
  protocol::ErrorCode push(const protocol::PushTelemetryRequest& request);

  ByteCount bytes_max() const { return bytes_max_; }
  // What was pushed, and dropped.
  struct Dropped {
    std::int64_t push_count = 0;
    ByteCount byte_count = 0;
  };
  Dropped dropped() const;

 private:
  struct Instance {
    Uuid id;
    std::int32_t subscription_id = 0;
    storage::SteadyTime heard;
    // In time since the epoch of the steady clock; both far in the past at first.
    storage::SteadyTime subscribed = storage::SteadyTime::min();
    storage::SteadyTime pushed = storage::SteadyTime::min();
    bool is_ending = false;
    protocol::ErrorCode last_error = protocol::ErrorCode::none;  // of its last push
  };
  using Instances = std::list<Instance>;

  // With mutex_ held.
  Instance& hear_from(const Uuid& id, storage::SteadyTime now);
  protocol::ErrorCode judge(const protocol::PushTelemetryRequest& request, Instance& instance,
                            storage::SteadyTime now) const;

  const storage::Clock& clock_;
  const ByteCount bytes_max_;
  mutable std::mutex mutex_;
  Instances instances_;                        // the one heard of last is at the end
  std::map<Uuid, Instances::iterator> by_id_;  // a tree: clients may choose the keys
  Dropped dropped_;
};

}  // namespace sillok::broker
