// All fetch sessions: who has one, and who loses one when there are too many.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>
#include <unordered_map>

#include "broker/fetch_session.h"
#include "storage/clock.h"

namespace sillok::broker {

// A session may lose its place to a larger one when it has existed for longer, and to any when it was unused
// for longer. Kafka's min.incremental.fetch.session.eviction.ms, which is fixed there.
inline constexpr std::chrono::milliseconds kSessionEvictionAge{120'000};
// Kafka has neither of these limits. A request that names more partitions, and one with which all sessions
// together would take more, goes without a session.
inline constexpr std::size_t kSessionPartitionsMax = 200'000;
inline constexpr ByteCount kFetchSessionBytesMax = 256 << 20;

// Sessions of replicas push out those of consumers, not the other way round.
enum class SessionOwner { consumer, replica };

// Draws from all 32 bits.
using DrawSessionId = std::function<std::uint32_t()>;
// Ids that nobody can guess.
DrawSessionId random_session_ids();

// Threading: any thread. Its lock is held for a few tree operations, and no session's is taken under it.
//
// Invariants: no more than `slots_max` sessions, and, once the last call has returned, none and all of them
// no larger than the limits above.
class FetchSessions {
 public:
  FetchSessions(const storage::Clock& clock, std::size_t slots_max, DrawSessionId draw_id)
      : clock_(clock), slots_max_(slots_max), draw_id_(std::move(draw_id)) {}

  // A session for so many partitions, be it in the place of another. Null where none may be had: the client
  // goes on without.
  std::shared_ptr<FetchSession> create(SessionOwner owner, TopicNaming naming, std::size_t partition_count);
  std::shared_ptr<FetchSession> find(FetchSessionId id) const;

  // After a request was taken in. False where the session is not kept: it has grown too large, or another
  // request took its place meanwhile.
  bool touch(FetchSession& session);
  // Ends it, if there is one.
  void remove(FetchSessionId id);

  std::size_t size() const;
  std::size_t partition_count() const;

 private:
  // (owner, partitions, id): the least is the first to go.
  using Value = std::tuple<SessionOwner, std::size_t, FetchSessionId>;
  struct Slot {
    std::shared_ptr<FetchSession> session;
    SessionOwner owner = SessionOwner::consumer;
    storage::SteadyTime created_at{};
    storage::SteadyTime used_at{};
    std::list<FetchSessionId>::iterator place;  // in by_use_
    FetchSession::Size size;
    bool goes_for_all = false;       // is in goes_for_all_
    bool goes_for_replicas = false;  // is in goes_for_replicas_
  };
  using Slots = std::unordered_map<FetchSessionId, Slot>;

  FetchSessionId new_id() const;
  bool has_room_for(std::size_t partition_count) const;
  Slots::iterator find_victim(const Value& newcomer, storage::SteadyTime now);
  std::shared_ptr<FetchSession> take_out(Slots::iterator slot);
  void put_in_order(Slots::iterator slot, storage::SteadyTime now);
  static Value value_of(const Slots::value_type& slot) {
    return {slot.second.owner, slot.second.size.partition_count, slot.first};
  }

  const storage::Clock& clock_;
  const std::size_t slots_max_;
  const DrawSessionId draw_id_;
  mutable std::mutex mutex_;
  Slots slots_;
  std::list<FetchSessionId> by_use_;  // the longest unused first
  std::set<Value> goes_for_all_;      // may be pushed out by anybody
  std::set<Value> goes_for_replicas_;
  std::size_t partition_count_ = 0;
  ByteCount byte_count_ = 0;
};

}  // namespace sillok::broker
