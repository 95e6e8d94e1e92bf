// A fetch session (KIP-227): which partitions a client reads, where, and what it was told of each. So a
// request names only what changed, and an answer has only what is new.
//
// The session stays registered with the partitions that have nothing new, from one request to the next; those
// that moved are in a list. So a request over a thousand idle partitions looks at none of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/fetch_part.h"
#include "broker/partition.h"
#include "broker/reactor_port.h"
#include "protocol/error_code.h"
#include "protocol/messages/fetch.h"

namespace sillok::broker {

using FetchSessionId = std::int32_t;

inline constexpr FetchSessionId kNoFetchSession = 0;
inline constexpr std::int32_t kFirstSessionEpoch = 0;   // asks for a session
inline constexpr std::int32_t kFinalSessionEpoch = -1;  // ends one, and asks for none

// After the greatest comes 1: 0 and below have meanings of their own.
std::int32_t next_session_epoch(std::int32_t epoch);

// What a partition of a session takes, about: here, in the index, and where it is registered. A name comes on
// top.
inline constexpr ByteCount kSessionPartitionBytes = 512;

// Threading: any thread. Requests that name one session may run at the same time, on several reactors: the
// epoch tells them apart, and only the last one is answered with what it asked for. Locks: mutex_, then a
// partition's state lock; moved() takes moved_mutex_ only.
//
// Invariants: a partition that is not in ready_ is registered with, has nothing at or past its target, and
// was answered as it is.
class FetchSession final : public MoveListener, public std::enable_shared_from_this<FetchSession> {
 public:
  FetchSession(FetchSessionId id, TopicNaming naming) : id_(id), naming_(naming) {}

  FetchSessionId id() const { return id_; }

  // Takes a request in: partitions that are new, or wanted otherwise, then those to be forgotten. A first
  // request has epoch 0. Else invalid_fetch_session_epoch, or fetch_session_topic_id_error where the session
  // names topics the other way, and nothing is changed.
  protocol::ErrorCode take_in(const protocol::FetchRequest& request, TopicNaming naming);

  struct Size {
    std::size_t partition_count = 0;
    ByteCount byte_count = 0;
  };
  Size size() const;

  // The calls of a request, which names itself by the epoch that it came with.
  // Puts what must be looked at into `parts`, in the order of the session. True where a partition that was
  // known before is unknown now.
  enum class Found { as_before, partition_gone };
  Found collect(const Partitions& partitions, FetchParts& parts);
  // Whether `parts`, as collected, are all there is and none of them exists.
  bool has_only_unknown(const FetchParts& parts) const;

  // moved: look again. over: there is a newer request, or the session ended; nothing will come.
  enum class Wait { begun, moved, over };
  // `task` runs on its reactor once something moved beyond what `parts` found, or when the wait is over.
  Wait wait(std::int32_t request_epoch, const FetchParts& parts, std::shared_ptr<ReactorTask> task,
            ReactorPort& reactor);
  void stop_waiting(const ReactorTask* task);

  // What becomes of the answer: sets `is_left_out` where nothing is new for the client, and remembers what it
  // is told. invalid_fetch_session_epoch where a newer request came meanwhile.
  protocol::ErrorCode settle(std::int32_t request_epoch, FetchParts& parts);

  // Ends it: it was taken out of the cache. Idempotent.
  void close();

  void moved(std::uint64_t tag, std::shared_ptr<MoveListener> self) override;
  bool wants_log_start() const override { return true; }

 private:
  struct TopicKey {
    TopicId id;
    std::string name;
  };
  struct TopicKeyView {
    TopicId id;
    std::string_view name;
  };
  struct KeyLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::tuple<const TopicId&, std::string_view>(a.id, a.name) <
             std::tuple<const TopicId&, std::string_view>(b.id, b.name);
    }
  };
  // Trees, not hash tables: clients choose the keys.
  struct Topic {
    TopicId id;
    std::shared_ptr<const std::string> name;  // by id: once it was found
    std::map<PartitionIndex, std::uint32_t> slots;
  };
  struct Entry {
    FetchTarget target;
    std::weak_ptr<Partition> partition;
    Topic* topic = nullptr;  // null: the slot is free
    // As the client knows them.
    Offset high_watermark{-1};
    Offset log_start{-1};
    std::uint64_t order = 0;
    std::uint32_t generation = 0;  // changes where what is on its way from partitions is for another
    bool is_ready = false;         // the slot is in ready_, be it free meanwhile
    bool is_registered = false;    // with its partition
    bool is_resolved = false;      // has a partition, as of the last look
    bool was_known = false;        // its topic was, at some look
  };
  struct Parked {
    std::shared_ptr<ReactorTask> task;
    ReactorPort* reactor = nullptr;
  };

  void add(const protocol::FetchTopic& topic);
  void forget(const protocol::FetchForgottenTopic& topic);
  void remove(Entry& entry, std::uint32_t slot);
  void make_ready(std::uint32_t slot);
  void take_moved();
  void resolve(Entry& entry, FetchPart& part, const Partitions& partitions) const;
  protocol::ErrorCode unknown_error(const Entry& entry, const Partitions& partitions) const;
  bool is_registered(const FetchPart& part);
  static bool is_news(const Entry& entry, const FetchPart& part);
  TopicKeyView key_of(std::string_view name, const TopicId& id) const;
  void wake_parked();

  const FetchSessionId id_;
  const TopicNaming naming_;

  mutable std::mutex mutex_;
  std::int32_t epoch_ = kFirstSessionEpoch;  // that the next request must have
  bool is_closed_ = false;
  std::map<TopicKey, Topic, KeyLess> topics_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> ready_;  // slots
  std::uint64_t next_order_ = 1;
  std::vector<std::uint64_t> taken_;  // scratch
  std::size_t count_ = 0;
  ByteCount name_bytes_ = 0;

  mutable std::mutex moved_mutex_;
  std::vector<std::uint64_t> moved_;  // tags; no more than there are registrations
  Parked parked_;
};

}  // namespace sillok::broker
