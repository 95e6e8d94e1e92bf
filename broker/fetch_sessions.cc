#include "broker/fetch_sessions.h"

#include <random>
#include <utility>
#include <vector>

namespace sillok::broker {
namespace {

// Without names.
ByteCount bytes_of(std::size_t partition_count) {
  return static_cast<ByteCount>(partition_count) * kSessionPartitionBytes;
}

}  // namespace

DrawSessionId random_session_ids() {
  return [] {
    std::random_device device;
    return std::uint32_t{device()};
  };
}

FetchSessionId FetchSessions::new_id() const {
  for (;;) {
    const auto id = static_cast<FetchSessionId>(draw_id_() & 0x7fff'ffff);
    if (id != kNoFetchSession && !slots_.contains(id)) return id;
  }
}

bool FetchSessions::has_room_for(std::size_t partition_count) const {
  return slots_.size() < slots_max_ && byte_count_ + bytes_of(partition_count) <= kFetchSessionBytesMax;
}

std::shared_ptr<FetchSession> FetchSessions::create(SessionOwner owner, TopicNaming naming,
                                                    std::size_t partition_count) {
  static_assert(kSessionPartitionsMax * kSessionPartitionBytes <= kFetchSessionBytesMax);
  if (partition_count > kSessionPartitionsMax) return nullptr;
  const auto now = clock_.steady();
  std::vector<std::shared_ptr<FetchSession>> evicted;
  std::shared_ptr<FetchSession> session;
  {
    const std::lock_guard lock(mutex_);
    while (!has_room_for(partition_count)) {
      const auto victim = find_victim({owner, partition_count, 0}, now);
      if (victim == slots_.end()) break;
      evicted.push_back(take_out(victim));
    }
    if (has_room_for(partition_count)) {
      session = std::make_shared<FetchSession>(new_id(), naming);
      Slot slot;
      slot.session = session;
      slot.owner = owner;
      slot.created_at = now;
      slot.place = by_use_.insert(by_use_.end(), session->id());
      slot.size = {partition_count, bytes_of(partition_count)};
      partition_count_ += slot.size.partition_count;
      byte_count_ += slot.size.byte_count;
      put_in_order(slots_.emplace(session->id(), std::move(slot)).first, now);
    }
  }
  for (const auto& one : evicted) one->close();
  return session;
}

// The longest unused, where that is long; else the least of those that may go for such a newcomer.
FetchSessions::Slots::iterator FetchSessions::find_victim(const Value& newcomer, storage::SteadyTime now) {
  if (by_use_.empty()) return slots_.end();
  const auto oldest = slots_.find(by_use_.front());
  if (now - oldest->second.used_at > kSessionEvictionAge) return oldest;
  const bool is_replica = std::get<SessionOwner>(newcomer) == SessionOwner::replica;
  const std::set<Value>& candidates = is_replica ? goes_for_replicas_ : goes_for_all_;
  if (candidates.empty() || newcomer < *candidates.begin()) return slots_.end();
  return slots_.find(std::get<FetchSessionId>(*candidates.begin()));
}

std::shared_ptr<FetchSession> FetchSessions::take_out(Slots::iterator slot) {
  goes_for_all_.erase(value_of(*slot));
  goes_for_replicas_.erase(value_of(*slot));
  by_use_.erase(slot->second.place);
  partition_count_ -= slot->second.size.partition_count;
  byte_count_ -= slot->second.size.byte_count;
  std::shared_ptr<FetchSession> session = std::move(slot->second.session);
  slots_.erase(slot);
  return session;
}

void FetchSessions::put_in_order(Slots::iterator slot, storage::SteadyTime now) {
  Slot& touched = slot->second;
  touched.used_at = now;
  by_use_.splice(by_use_.end(), by_use_, touched.place);
  const bool is_old = now - touched.created_at > kSessionEvictionAge;
  const bool is_replica = touched.owner == SessionOwner::replica;
  if ((is_old || !is_replica) && !std::exchange(touched.goes_for_replicas, true))
    goes_for_replicas_.insert(value_of(*slot));
  if (is_old && !std::exchange(touched.goes_for_all, true)) goes_for_all_.insert(value_of(*slot));
}

std::shared_ptr<FetchSession> FetchSessions::find(FetchSessionId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : found->second.session;
}

bool FetchSessions::touch(FetchSession& session) {
  const auto now = clock_.steady();
  const FetchSession::Size size = session.size();
  std::shared_ptr<FetchSession> too_large;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(session.id());
    if (found == slots_.end() || found->second.session.get() != &session) return false;
    Slot& slot = found->second;
    if (size.partition_count != slot.size.partition_count) {
      if (std::exchange(slot.goes_for_all, false)) goes_for_all_.erase(value_of(*found));
      if (std::exchange(slot.goes_for_replicas, false)) goes_for_replicas_.erase(value_of(*found));
    }
    partition_count_ += size.partition_count - slot.size.partition_count;
    byte_count_ += size.byte_count - slot.size.byte_count;
    slot.size = size;
    put_in_order(found, now);
    if (size.partition_count > kSessionPartitionsMax || byte_count_ > kFetchSessionBytesMax)
      too_large = take_out(found);
  }
  if (too_large) too_large->close();
  return !too_large;
}

void FetchSessions::remove(FetchSessionId id) {
  std::shared_ptr<FetchSession> session;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(id);
    if (found != slots_.end()) session = take_out(found);
  }
  if (session) session->close();
}

std::size_t FetchSessions::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

std::size_t FetchSessions::partition_count() const {
  const std::lock_guard lock(mutex_);
  return partition_count_;
}

}  // namespace sillok::broker
