#include "client/retry.h"

#include <algorithm>
#include <memory>
#include <random>

namespace sillok::client {

Randomness system_randomness() {
  auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [engine] { return std::uniform_real_distribution<double>(0.0, 1.0)(*engine); };
}

Milliseconds Backoff::next() {
  const Milliseconds base = next_;
  next_ = std::min(next_ * 2, options_.most);
  const double factor = 1.0 + options_.jitter * (2.0 * randomness_() - 1.0);
  return Milliseconds(static_cast<std::int64_t>(static_cast<double>(base.count()) * factor));
}

bool is_retriable(protocol::ErrorCode code) {
  using protocol::ErrorCode;
  switch (code) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::request_timed_out:
    case ErrorCode::network_exception:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::offset_not_available:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::throttling_quota_exceeded:
      return true;
    default:
      return false;
  }
}

bool is_retriable(const Error& error) {
  return error.code == Errc::connection_lost || error.code == Errc::timed_out || error.code == Errc::closed;
}

}  // namespace sillok::client
