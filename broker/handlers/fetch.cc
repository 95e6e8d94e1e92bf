// Fetch: slices of the log files up to the high watermark; with too little to give, the request waits on its
// partitions, or its session does.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "broker/block_pool.h"
#include "broker/fetch_part.h"
#include "broker/fetch_sessions.h"
#include "broker/handlers/fetch_answer.h"
#include "broker/handlers/handlers.h"

namespace sillok::broker {
namespace {

using namespace protocol;
using storage::IoMode;

constexpr Version kFirstVersionWithIds = 13;
constexpr Version kFirstVersionWithReplicaState = 15;
constexpr Version kFirstVersionWithStorageError = 6;

SessionOwner owner_of(const FetchRequest& request, Version version) {
  const BrokerId replica =
      version < kFirstVersionWithReplicaState ? request.replica_id : request.replica_state.replica_id;
  return replica.value >= 0 ? SessionOwner::replica : SessionOwner::consumer;
}

// One request until its answer. Lives on the reactor of its connection, but for a read of cold data, for
// which it moves to the I/O pool as a whole and answers from there.
class FetchOperation final : public FetchWaiter,
                             public Expirable,
                             public Abandonable,
                             public std::enable_shared_from_this<FetchOperation> {
 public:
  FetchOperation(const RequestContext& context, const FetchRequest& request, PendingResponse response)
      : services_(context.services),
        reactor_(context.reactor),
        response_(std::move(response)),
        naming_(response_.version() >= kFirstVersionWithIds ? TopicNaming::by_id : TopicNaming::by_name),
        session_epoch_(request.session_epoch),
        max_bytes_(std::clamp(request.max_bytes, 0, context.services.config.fetch_max_bytes)),
        min_bytes_(std::min<ByteCount>(request.min_bytes, max_bytes_)),
        deadline_(context.services.clock.steady() +
                  std::chrono::milliseconds(std::max(request.max_wait_ms, 0))) {
    all_.isolation = request.isolation_level;
  }

  void begin(const FetchRequest& request) {
    const ErrorCode error = enter_session(request);
    if (error != ErrorCode::none) return send_fetch_error(response_, error, kNoFetchSession);
    if (!session_) add_parts(request);
    evaluate(IoMode::resident_only);
  }

  ReactorPort& reactor() override { return reactor_; }
  // Something that this waits for moved on.
  void go_on() override {
    if (on_pool_ || answered_) return;
    stop_waiting();
    evaluate(IoMode::resident_only);
  }
  void expire() override {
    if (on_pool_ || answered_) return;
    timer_ = {};
    evaluate(IoMode::resident_only);
  }

  void abandon() override {
    if (on_pool_ || answered_) return;
    answered_ = true;
    stop_waiting();
    reactor_.cancel(std::exchange(timer_, {}));
    // Nobody has heard of the session.
    if (session_ && session_epoch_ == kFirstSessionEpoch) services_.fetch_sessions.remove(session_->id());
    response_.send_nothing();
  }

 private:
  // Sets session_ where the request has one.
  ErrorCode enter_session(const FetchRequest& request) {
    FetchSessions& sessions = services_.fetch_sessions;
    if (session_epoch_ == kFirstSessionEpoch || session_epoch_ == kFinalSessionEpoch) {
      if (request.session_id != kNoFetchSession) sessions.remove(request.session_id);
      if (session_epoch_ == kFinalSessionEpoch) return ErrorCode::none;
      auto made = sessions.create(owner_of(request, response_.version()), naming_, count_partitions(request));
      if (made && made->take_in(request, naming_) == ErrorCode::none && sessions.touch(*made))
        session_ = std::move(made);
      return ErrorCode::none;
    }
    auto found = sessions.find(request.session_id);
    if (!found) return ErrorCode::fetch_session_id_not_found;
    const ErrorCode error = found->take_in(request, naming_);
    if (error != ErrorCode::none) return error;
    if (found->size().partition_count == 0) {
      sessions.remove(found->id());
      return ErrorCode::none;
    }
    if (!sessions.touch(*found)) return ErrorCode::fetch_session_id_not_found;
    session_ = std::move(found);
    return ErrorCode::none;
  }

  // Of a request without a session.
  void add_parts(const FetchRequest& request) {
    all_.take_in(request);
    for (FetchPart& part : all_.parts) find(part);
  }

  void find(FetchPart& part) const {
    const FetchParts::Topic& topic = all_.topics[part.topic];
    Partitions::Lookup found = naming_ == TopicNaming::by_id
                                   ? services_.partitions.find(topic.id, part.target.index)
                                   : services_.partitions.find(topic.name, part.target.index);
    part.missing = missing_error(found.state, naming_);
    part.partition = std::move(found.partition);
  }

  // One that went to another log directory is served from there, and its consumers need not know. A session
  // looks for its partitions itself.
  Result<void> look(FetchPart& part, ByteCount limit, storage::Log::FirstBatch first_batch,
                    IoMode mode) const {
    TRY(part.look(limit, first_batch, mode));
    if (session_ || part.error != ErrorCode::not_leader_or_follower) return {};
    find(part);
    return part.look(limit, first_batch, mode);
  }

  // Reads what there is, and answers or waits. What would wait for the disk is done again on the pool.
  void evaluate(IoMode mode) {
    for (bool must_answer = mode == IoMode::may_block;;) {
      if (session_)
        must_answer |= session_->collect(services_.partitions, all_) == FetchSession::Found::partition_gone &&
                       timer_was_set_;
      const Result<bool> enough = read_all(mode);
      if (!enough.ok()) return move_to_pool();
      if (*enough || must_answer) return answer();
      const FetchSession::Wait wait = begin_to_wait();
      if (wait == FetchSession::Wait::begun) break;
      if (wait == FetchSession::Wait::over) return answer();
      stop_waiting();  // a partition has moved on meanwhile
    }
    if (timer_.value != 0) return;
    timer_ = reactor_.call_at(deadline_, weak_from_this());
    timer_was_set_ = true;
    response_.abandon_if_unwanted(weak_from_this());
  }

  // Whether there is enough to answer. Errc::would_block where the disk would have to be waited for.
  Result<bool> read_all(IoMode mode) {
    ByteCount taken = 0;
    ByteCount total = 0;  // with what there is, but does not fit
    ByteCount left = max_bytes_;
    std::size_t unknown = 0;
    bool must_answer = deadline_ <= services_.clock.steady();
    // Without a session each fetch begins with another partition, so that none starves behind one that always
    // fills the answer. A session has an order of its own.
    const std::size_t count = all_.parts.size();
    const std::size_t first =
        session_ || count < 2 ? 0 : next_first_part_.fetch_add(1, std::memory_order_relaxed) % count;
    for (std::size_t i = 0; i < count; ++i) {
      FetchPart& part = all_.parts[first + i < count ? first + i : first + i - count];
      const auto first_batch =
          taken == 0 ? storage::Log::FirstBatch::whole : storage::Log::FirstBatch::within_limit;
      TRY(look(part, left, first_batch, mode));
      if (part.is_unknown()) {
        ++unknown;
      } else {
        must_answer |= part.error != ErrorCode::none || part.diverging.has_value();
      }
      taken += part.slice.size;
      total += part.slice.size + part.slice.left_out;
      left = std::max<ByteCount>(0, left - part.slice.size);
    }
    if (must_answer || total >= min_bytes_) return true;
    return unknown == count && (!session_ || session_->has_only_unknown(all_));
  }

  FetchSession::Wait begin_to_wait() {
    if (session_) return session_->wait(session_epoch_, all_, shared_from_this(), reactor_);
    for (FetchPart& part : all_.parts) {
      if (!part.partition) continue;
      const Offset seen = std::max(part.high_watermark, part.target.offset);
      if (!part.partition->wait_beyond(seen, shared_from_this())) return FetchSession::Wait::moved;
      part.is_listening = true;
    }
    return FetchSession::Wait::begun;
  }

  void stop_waiting() {
    if (session_) return session_->stop_waiting(this);
    for (FetchPart& part : all_.parts) {
      if (std::exchange(part.is_listening, false)) part.partition->cancel_wait(this);
    }
  }

  void move_to_pool() {
    stop_waiting();
    reactor_.cancel(std::exchange(timer_, {}));
    on_pool_ = true;
    services_.io.post([self = shared_from_this()] { self->evaluate(IoMode::may_block); });
  }

  void answer() {
    answered_ = true;
    stop_waiting();
    if (timer_.value != 0) reactor_.cancel(std::exchange(timer_, {}));
    const FetchSessionId id = session_ ? session_->id() : kNoFetchSession;
    if (session_) {
      const ErrorCode error = session_->settle(session_epoch_, all_);
      if (error != ErrorCode::none) return send_fetch_error(response_, error, id);
    }
    say_in_version();
    send_fetch_answer(response_, all_, id);
  }

  // As Kafka does: clients of old versions do not know the error, and would not retry.
  void say_in_version() {
    if (response_.version() >= kFirstVersionWithStorageError) return;
    for (FetchPart& part : all_.parts) {
      if (part.error == ErrorCode::kafka_storage_error) part.error = ErrorCode::not_leader_or_follower;
    }
  }

  Services& services_;
  ReactorPort& reactor_;
  PendingResponse response_;
  const TopicNaming naming_;
  const std::int32_t session_epoch_;
  const ByteCount max_bytes_;
  const ByteCount min_bytes_;
  const storage::SteadyTime deadline_;
  std::shared_ptr<FetchSession> session_;  // null: has none
  FetchParts all_;
  bool on_pool_ = false;  // written before it moves there; the reactor keeps its hands off from then on
  bool answered_ = false;
  bool timer_was_set_ = false;
  TimerId timer_;

  static inline std::atomic<std::size_t> next_first_part_{0};
};

}  // namespace

void handle_fetch(const RequestContext& context, const FetchRequest& request, PendingResponse response) {
  std::allocate_shared<FetchOperation>(PooledAllocator<FetchOperation>(), context, request,
                                       std::move(response))
      ->begin(request);
}

}  // namespace sillok::broker
