// Fetch: slices of the log files up to the high watermark; with too little to give, the request waits on its
// partitions.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/block_pool.h"
#include "broker/error_mapping.h"
#include "broker/handlers/handlers.h"
#include "broker/partitions.h"
#include "broker/request_memory.h"

namespace sillok::broker {
namespace {

using namespace protocol;
using storage::IoMode;

// A slice up to this size is copied into the answer, which is one system call less than to send it from the
// file.
constexpr ByteCount kCopiedSliceBytes = 16 << 10;

// Room for one topic and some partitions.
constexpr std::size_t kInlineBytes = 768;
// What a thread keeps of an answer for the next one.
constexpr std::size_t kKeptAnswerParts = 64;
constexpr std::size_t kKeptCopyBytes = 64 << 10;

// What an answer is made of, in memory that the thread keeps.
struct Answer {
  FetchResponse response;
  std::vector<storage::FileSlice> slices;
  Bytes copied;  // of the small slices; one buffer, reserved so that views into it stay

  // Of the thread.
  static Answer& begin() {
    thread_local Answer answer;
    return answer;
  }
  void end(std::size_t parts) {
    slices.clear();
    copied.clear();
    if (parts > kKeptAnswerParts) response = {};
    if (slices.capacity() > kKeptAnswerParts) std::vector<storage::FileSlice>().swap(slices);
    if (copied.capacity() > kKeptCopyBytes) Bytes().swap(copied);
  }
};

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
        by_id_(response_.version() >= 13),
        names_session_(request.session_epoch > 0),
        max_bytes_(std::clamp(request.max_bytes, 0, context.services.config.fetch_max_bytes)),
        min_bytes_(std::min<ByteCount>(request.min_bytes, max_bytes_)),
        deadline_(context.services.clock.steady() +
                  std::chrono::milliseconds(std::max(request.max_wait_ms, 0))) {
    std::size_t count = 0;
    for (const FetchTopic& topic : request.topics) count += topic.partitions.size();
    topics_.reserve(request.topics.size());
    parts_.reserve(count);
    for (const FetchTopic& topic : request.topics) {
      topics_.push_back({memory_.keep(topic.name), topic.topic_id, topic.partitions.size()});
      for (const FetchPartition& wanted : topic.partitions) parts_.push_back(make_part(topic, wanted));
    }
  }

  void begin() {
    if (names_session_) {  // none are kept: the client begins anew, without one
      FetchResponse refusal;
      refusal.error_code = ErrorCode::fetch_session_id_not_found;
      return finish(refusal, {}, 0);
    }
    evaluate(IoMode::resident_only);
  }

  ReactorPort& reactor() override { return reactor_; }
  // A partition that this waits for moved on.
  void run() override {
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
    response_.send_nothing();
  }

 private:
  struct Topic {
    std::string_view name;  // in memory_
    TopicId id;
    std::size_t partition_count;
  };
  struct Part {
    FetchPartition wanted;
    std::shared_ptr<Partition> partition;  // null: `error` says why
    ErrorCode error = ErrorCode::none;
    // Of the last read.
    ErrorCode read_error = ErrorCode::none;
    Offset high_watermark{-1};
    Offset log_start{-1};
    std::optional<storage::Log::EpochEnd> diverging;
    storage::FileSlice slice;
    bool waits = false;  // registered with the partition
  };

  Part make_part(const FetchTopic& topic, const FetchPartition& wanted) const {
    Part part;
    part.wanted = wanted;
    const Partitions::Lookup found = by_id_ ? services_.partitions.find(topic.topic_id, wanted.index)
                                            : services_.partitions.find(topic.name, wanted.index);
    switch (found.state) {
      case Partitions::Lookup::State::found:
        part.partition = found.partition;
        break;
      case Partitions::Lookup::State::offline:
        part.error = ErrorCode::kafka_storage_error;
        break;
      case Partitions::Lookup::State::unknown_partition:
        part.error = ErrorCode::unknown_topic_or_partition;
        break;
      case Partitions::Lookup::State::unknown:
        part.error = by_id_ ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
        break;
    }
    return part;
  }

  // Reads all partitions, and answers or waits. What would wait for the disk is done again on the pool.
  void evaluate(IoMode mode) {
    for (;;) {
      const Result<bool> enough = read_all(mode);
      if (!enough.ok()) return move_to_pool();
      if (*enough || mode == IoMode::may_block) return answer();
      if (wait_for_more()) break;
      stop_waiting();  // a partition has moved on meanwhile
    }
    if (timer_.value != 0) return;
    timer_ = reactor_.call_at(deadline_, weak_from_this());
    response_.abandon_if_unwanted(weak_from_this());
  }

  // Whether there is enough to answer. Errc::would_block where the disk would have to be waited for.
  Result<bool> read_all(IoMode mode) {
    ByteCount taken = 0;
    ByteCount total = 0;  // with what there is, but does not fit
    ByteCount left = max_bytes_;
    bool must_answer = parts_.empty() || deadline_ <= services_.clock.steady();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      // Each fetch begins with another partition, so that none starves behind one that always fills the
      // answer.
      Part& part = parts_[(i + first_part_) % parts_.size()];
      const Result<void> read = read_part(part, left, taken == 0, mode);
      if (!read.ok() && read.error().code == Errc::would_block) return read.error();
      if (!read.ok()) part.read_error = fetch_error(read.error());
      must_answer |= part.read_error != ErrorCode::none || part.diverging.has_value();
      taken += part.slice.size;
      total += part.slice.size + part.slice.left_out;
      left = std::max<ByteCount>(0, left - part.slice.size);
    }
    return must_answer || total >= min_bytes_;
  }

  Result<void> read_part(Part& part, ByteCount left, bool is_first, IoMode mode) const {
    part.slice = {};
    part.read_error = part.error;
    part.diverging.reset();
    if (!part.partition) return {};
    Partition& partition = *part.partition;
    if (partition.is_stopped()) return Error{Errc::closed, ""};
    const LeaderEpoch epoch = partition.leader_epoch();
    if (part.wanted.current_leader_epoch > kNoLeaderEpoch && part.wanted.current_leader_epoch != epoch) {
      part.read_error = part.wanted.current_leader_epoch < epoch ? ErrorCode::fenced_leader_epoch
                                                                 : ErrorCode::unknown_leader_epoch;
      return {};
    }
    const storage::LogPosition high_watermark = partition.high_watermark();
    part.high_watermark = high_watermark.offset;
    part.log_start = partition.log().log_start();
    if (part.wanted.last_fetched_epoch > kNoLeaderEpoch) {
      const auto end = partition.log().end_offset_for_epoch(part.wanted.last_fetched_epoch);
      if (end.epoch == kNoLeaderEpoch)
        return Error{Errc::offset_out_of_range, "an epoch that the log does not know"};
      if (end.end_offset < part.wanted.fetch_offset || end.epoch < part.wanted.last_fetched_epoch) {
        part.diverging = end;
        return {};
      }
    }
    const Offset from = part.wanted.fetch_offset;
    // From the high watermark on there is nothing for consumers yet, though the log may have more.
    if (from >= high_watermark.offset && from <= partition.log().log_end().offset) return {};
    const ByteCount limit = std::min<ByteCount>(std::max(part.wanted.max_bytes, 0), left);
    if (limit == 0 && !is_first) return {};
    const auto first_batch =
        is_first ? storage::Log::FirstBatch::whole : storage::Log::FirstBatch::within_limit;
    part.slice = TRY(partition.log().read(from, high_watermark, limit, first_batch, mode));
    return {};
  }

  // False where a partition has moved on meanwhile.
  bool wait_for_more() {
    for (Part& part : parts_) {
      if (!part.partition) continue;
      const Offset seen = std::max(part.high_watermark, part.wanted.fetch_offset);
      if (!part.partition->wait_beyond(seen, shared_from_this())) return false;
      part.waits = true;
    }
    return true;
  }

  void stop_waiting() {
    for (Part& part : parts_) {
      if (std::exchange(part.waits, false)) part.partition->cancel_wait(this);
    }
  }

  void move_to_pool() {
    stop_waiting();
    reactor_.cancel(std::exchange(timer_, {}));
    on_pool_ = true;
    services_.io.post([self = shared_from_this()] { self->evaluate(IoMode::may_block); });
  }

  void answer() {
    Answer& made = Answer::begin();
    made.copied.reserve(copied_size());
    made.response.responses.resize(topics_.size());
    std::size_t index = 0;
    for (std::size_t at = 0; at < topics_.size(); ++at) {
      FetchTopicResponse& topic = made.response.responses[at];
      topic.name = topics_[at].name;
      topic.topic_id = topics_[at].id;
      topic.partitions.resize(topics_[at].partition_count);
      for (FetchPartitionResponse& partition : topic.partitions) {
        const Part& part = parts_[index++];
        partition = {};
        describe(part, partition);
        if (part.slice.size > 0) attach(part.slice, partition, made);
      }
    }
    finish(made.response, made.slices, made.copied.size());
    made.end(topics_.size() + index);
  }

  static void describe(const Part& part, FetchPartitionResponse& answer) {
    answer.index = part.wanted.index;
    answer.error_code = part.read_error;
    const bool has_offsets = part.read_error == ErrorCode::none;
    answer.high_watermark = has_offsets ? part.high_watermark : Offset(-1);
    if (!has_offsets) return;
    answer.last_stable_offset = part.high_watermark;  // no transactions: what is visible is stable
    answer.log_start_offset = part.log_start;
    if (part.diverging) {
      answer.diverging_epoch = {part.diverging->epoch, part.diverging->end_offset};
    }
  }

  std::size_t copied_size() const {
    ByteCount size = 0;
    for (const Part& part : parts_) size += part.slice.size <= kCopiedSliceBytes ? part.slice.size : 0;
    return static_cast<std::size_t>(size);
  }

  static void attach(const storage::FileSlice& slice, FetchPartitionResponse& answer, Answer& made) {
    Bytes& copied = made.copied;
    if (slice.size <= kCopiedSliceBytes) {
      const std::size_t start = copied.size();
      copied.resize(start + static_cast<std::size_t>(slice.size));
      const MutableByteView into = MutableByteView(copied).subspan(start);
      const auto read = slice.file->read_resident_at(slice.position, into);
      if (read.ok() && *read == into.size()) {
        answer.records = Records{into, 0};
        return;
      }
      copied.resize(start);
    }
    answer.records = Records{{}, static_cast<std::uint32_t>(slice.size)};
    made.slices.push_back(slice);
  }

  void finish(const FetchResponse& response, std::span<storage::FileSlice> slices, std::size_t copied) {
    answered_ = true;
    stop_waiting();
    if (timer_.value != 0) reactor_.cancel(std::exchange(timer_, {}));
    response_.send(response, slices, copied);
  }

  Services& services_;
  ReactorPort& reactor_;
  PendingResponse response_;
  const bool by_id_;
  const bool names_session_;
  const ByteCount max_bytes_;
  const ByteCount min_bytes_;
  const storage::SteadyTime deadline_;
  RequestMemory<kInlineBytes> memory_;
  std::pmr::vector<Topic> topics_{memory_.resource()};
  std::pmr::vector<Part> parts_{memory_.resource()};
  const std::size_t first_part_ = next_first_part_.fetch_add(1, std::memory_order_relaxed);
  bool on_pool_ = false;  // written before it moves there; the reactor keeps its hands off from then on
  bool answered_ = false;
  TimerId timer_;

  static inline std::atomic<std::size_t> next_first_part_{0};
};

}  // namespace

void handle_fetch(const RequestContext& context, const FetchRequest& request, PendingResponse response) {
  std::allocate_shared<FetchOperation>(PooledAllocator<FetchOperation>(), context, request,
                                       std::move(response))
      ->begin();
}

}  // namespace sillok::broker
