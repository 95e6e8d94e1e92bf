#include "broker/client_telemetry.h"

#include <algorithm>

#include "broker/random_uuid.h"
#include "protocol/base/crc32c.h"
#include "protocol/compression.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;
using storage::SteadyTime;

// What Kafka takes the checksum of: the subscribed metrics as Java prints a set of none, and the interval.
constexpr std::string_view kNoSubscription = "[]300000";
static_assert(ClientTelemetry::kPushInterval.count() == 300'000);

// Kafka's: both halves of the id, and the two halves of their difference.
std::uint32_t hash_of(const Uuid& id) {
  const auto* bytes = reinterpret_cast<const std::byte*>(id.bytes.data());
  const std::uint64_t mixed =
      load_big_endian<std::uint64_t>(bytes) ^ load_big_endian<std::uint64_t>(bytes + 8);
  return static_cast<std::uint32_t>(mixed >> 32) ^ static_cast<std::uint32_t>(mixed);
}

std::int32_t subscription_id_of(const Uuid& client) {
  return static_cast<std::int32_t>(crc32c(as_bytes(kNoSubscription)) ^ hash_of(client));
}

// Zero, and one: Kafka's name for its metadata topic.
bool is_reserved(const Uuid& id) {
  return std::ranges::all_of(id.bytes.begin(), id.bytes.end() - 1, [](auto byte) { return byte == 0; }) &&
         id.bytes.back() <= 1;
}

bool is_codec(std::int8_t type) {
  return type >= static_cast<std::int8_t>(protocol::Codec::none) &&
         type <= static_cast<std::int8_t>(protocol::Codec::zstd);
}

bool has_passed(SteadyTime since, SteadyTime now) {
  return since == SteadyTime::min() || now - since >= ClientTelemetry::kPushInterval;
}

}  // namespace

ClientTelemetry::Subscription ClientTelemetry::subscribe(const Uuid& client_instance_id) {
  const Uuid id = client_instance_id.is_zero() ? random_uuid() : client_instance_id;
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  Instance& instance = hear_from(id, now);
  const bool is_due = has_passed(std::max(instance.subscribed, instance.pushed), now);
  // Whoever was told that its subscription is the wrong one asks for another at once. As in Kafka it counts
  // as having asked when it did before.
  if (!is_due && instance.last_error != ErrorCode::unknown_subscription_id &&
      instance.last_error != ErrorCode::unsupported_compression_type) {
    return {ErrorCode::throttling_quota_exceeded, {}, 0};
  }
  if (is_due) instance.subscribed = now;
  instance.last_error = ErrorCode::none;
  return {ErrorCode::none, id, instance.subscription_id};
}

ErrorCode ClientTelemetry::push(const protocol::PushTelemetryRequest& request) {
  if (is_reserved(request.client_instance_id)) return ErrorCode::invalid_request;
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  Instance& instance = hear_from(request.client_instance_id, now);
  const ErrorCode error = judge(request, instance, now);
  instance.is_ending = request.terminating;
  instance.last_error = error;
  if (error == ErrorCode::none && !request.metrics.empty()) {
    ++dropped_.push_count;
    dropped_.byte_count += static_cast<ByteCount>(request.metrics.size());
  }
  return error;
}

ErrorCode ClientTelemetry::judge(const protocol::PushTelemetryRequest& request, Instance& instance,
                                 SteadyTime now) const {
  if (instance.is_ending) return ErrorCode::invalid_request;
  // The first push after an answer may come at once: clients choose a moment by chance.
  const bool is_due = instance.subscribed > instance.pushed || has_passed(instance.pushed, now);
  if (is_due) instance.pushed = now;
  if (!is_due && !request.terminating) return ErrorCode::throttling_quota_exceeded;
  if (request.subscription_id != instance.subscription_id) return ErrorCode::unknown_subscription_id;
  if (!is_codec(request.compression_type)) return ErrorCode::unsupported_compression_type;
  if (static_cast<ByteCount>(request.metrics.size()) > bytes_max_) return ErrorCode::telemetry_too_large;
  return ErrorCode::none;
}

ClientTelemetry::Instance& ClientTelemetry::hear_from(const Uuid& id, SteadyTime now) {
  const auto known = by_id_.find(id);
  if (known != by_id_.end()) {
    instances_.splice(instances_.end(), instances_, known->second);
    Instance& instance = *known->second;
    if (now - instance.heard >= kSilenceMax) instance = {id, instance.subscription_id, now};
    instance.heard = now;
    return instance;
  }
  if (instances_.size() == kInstancesMax) {
    by_id_.erase(instances_.front().id);
    instances_.pop_front();
  }
  instances_.push_back({id, subscription_id_of(id), now});
  by_id_[id] = std::prev(instances_.end());
  return instances_.back();
}

ClientTelemetry::Dropped ClientTelemetry::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace sillok::broker
