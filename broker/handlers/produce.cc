// Produce: each batch is judged, then appended to its partition; the answer leaves when the last of them is
// as durable as the request asked for.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/append_round.h"
#include "broker/batch_preparation.h"
#include "broker/block_pool.h"
#include "broker/error_mapping.h"
#include "broker/handlers/handlers.h"
#include "broker/partitions.h"
#include "broker/rate_limited_log.h"
#include "broker/request_memory.h"
#include "protocol/record_batch_validator.h"

namespace sillok::broker {
namespace {

using namespace protocol;

// Room for one topic and some partitions.
constexpr std::size_t kInlineBytes = 512;
// An answer with more topics and partitions is not kept for the next one.
constexpr std::size_t kKeptAnswerParts = 64;

constexpr Version kFirstWithZstd = 7;

bool is_acks(std::int16_t acks) { return acks >= -1 && acks <= 1; }

// One request until its answer. Partitions tell it from any thread; the answer is made on the reactor of the
// connection.
class ProduceOperation final : public AppendSink,
                               public ReactorTask,
                               public Expirable,
                               public AppendRoundEnd,
                               public std::enable_shared_from_this<ProduceOperation> {
 public:
  ProduceOperation(const RequestContext& context, const ProduceRequest& request, PendingResponse response)
      : reactor_(context.reactor),
        response_(std::move(response)),
        acks_(request.acks),
        results_(partition_count(request), memory_.resource()) {
    topics_.reserve(request.topics.size());
    for (const ProduceTopic& topic : request.topics) {
      // As in Kafka, a topic without partitions has no answer.
      if (topic.partitions.empty()) continue;
      topics_.push_back({memory_.keep(topic.name), topic.topic_id, topic.partitions.size()});
    }
    // One more than the appends: begin() holds it, so that no append completes the request before all were
    // made.
    outstanding_.store(results_.size() + 1, std::memory_order_relaxed);
  }

  struct Result {
    PartitionIndex partition;
    ErrorCode error = ErrorCode::none;
    std::string message;
    Offset base_offset{-1};
    TimestampMs log_append_time = -1;
    Offset log_start{-1};
    std::vector<RecordFault> record_faults;
    std::atomic<bool> done{false};
  };

  Result& result(std::size_t index) { return results_[index]; }

  // Before the append of `index` is made, or in place of it. `log_start` where Kafka tells it: for what its
  // log refuses once it has looked into the batch.
  void refuse(std::size_t index, ErrorCode error, std::string message = {}, Offset log_start = Offset(-1)) {
    results_[index].error = error;
    results_[index].message = std::move(message);
    results_[index].log_start = log_start;
    finish_one(index);
  }

  void appended(std::size_t index, const AppendResult& result) override {
    Result& mine = results_[index];
    mine.error = result.error;
    mine.base_offset = result.base_offset;
    mine.log_start = result.log_start;
    if (result.append_time) mine.log_append_time = *result.append_time;
    finish_one(index);
  }

  // All appends were asked for: once they were made, answers if they are through, else waits for them up to
  // `deadline`.
  void begin_waiting(storage::SteadyTime deadline) {
    deadline_ = deadline;
    if (AppendRound* const round = AppendRound::current()) return round->tell_at_end(shared_from_this());
    appends_made();
  }

  void appends_made() override {
    if (outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) return answer();
    // Only the wait for the disk may take too long: what acks=0 and acks=1 wait for is the write itself, and
    // the pool, where the batch is read or compressed anew first.
    if (acks_ == static_cast<std::int16_t>(Acks::all)) timer_ = reactor_.call_at(deadline_, weak_from_this());
  }

  void run() override { answer(); }

  // What has been appended stays, and may become durable yet.
  void expire() override { answer(); }

 private:
  struct Topic {
    std::string_view name;  // in memory_
    TopicId id;
    std::size_t partition_count;
  };

  static std::size_t partition_count(const ProduceRequest& request) {
    std::size_t count = 0;
    for (const ProduceTopic& topic : request.topics) count += topic.partitions.size();
    return count;
  }

  void finish_one(std::size_t index) {
    results_[index].done.store(true, std::memory_order_release);
    if (outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) reactor_.run_soon(shared_from_this());
  }

  void answer() {
    if (std::exchange(answered_, true)) return;
    reactor_.cancel(timer_);
    thread_local ProduceResponse response;  // keeps its memory
    std::size_t index = 0;
    bool failed = false;
    response.responses.resize(topics_.size());
    for (std::size_t at = 0; at < topics_.size(); ++at) {
      ProduceTopicResponse& topic = response.responses[at];
      topic.name = topics_[at].name;
      topic.topic_id = topics_[at].id;
      topic.partitions.resize(topics_[at].partition_count);
      for (ProducePartitionResponse& partition : topic.partitions) {
        partition = answer_of(results_[index++]);
        failed |= partition.error_code != ErrorCode::none;
      }
    }
    send(response, failed);
    if (topics_.size() + index > kKeptAnswerParts) response = {};
  }

  void send(const ProduceResponse& response, bool failed) {
    if (acks_ != 0) return response_.send(response);
    // Nobody listens for an answer to acks=0; closing the connection is how the producer learns that its view
    // is stale.
    failed ? response_.disconnect() : response_.send_nothing();
  }

  static ProducePartitionResponse answer_of(const Result& result) {
    ProducePartitionResponse answer;
    answer.index = result.partition;
    answer.base_offset = Offset(-1);
    if (!result.done.load(std::memory_order_acquire)) {
      answer.error_code = ErrorCode::request_timed_out;
      return answer;
    }
    answer.error_code = result.error;
    answer.base_offset = result.base_offset;
    answer.log_append_time_ms = result.error == ErrorCode::none ? result.log_append_time : -1;
    answer.log_start_offset = result.log_start;
    if (!result.message.empty()) answer.error_message = result.message;
    for (const RecordFault& fault : result.record_faults)
      answer.record_errors.push_back({fault.index, fault.reason});
    return answer;
  }

  ReactorPort& reactor_;
  PendingResponse response_;
  const std::int16_t acks_;
  RequestMemory<kInlineBytes> memory_;
  std::pmr::vector<Topic> topics_{memory_.resource()};
  std::pmr::vector<Result> results_;
  std::atomic<std::size_t> outstanding_{0};
  storage::SteadyTime deadline_;
  bool answered_ = false;
  TimerId timer_;
};

// Where one batch of a request goes. Views what the caller holds.
struct Target {
  const std::shared_ptr<ProduceOperation>& operation;
  std::size_t index;
  const std::shared_ptr<Partition>& partition;
  const std::shared_ptr<const storage::LogConfig>& config;
  Acks acks;
};

void append(const Target& target, MutableByteView batch, const RecordBatchHeader& header) {
  target.partition->append(
      {batch, header, target.acks, target.operation, target.index, target.config->timestamp_type});
}

// Tells what is wrong with a batch as Kafka does: with the start of the log, where Kafka's has seen the batch
// by then.
void refuse_batch(const Target& target, ByteView batch, const Error& error) {
  const ErrorCode code = produce_error(error);
  const bool has_seen = code != ErrorCode::corrupt_message && code != ErrorCode::message_too_large;
  const Offset log_start = has_seen && is_one_batch(batch) ? target.partition->log().log_start() : Offset(-1);
  target.operation->refuse(target.index, code, error.detail, log_start);
}

// As refuse_batch(), and with the records that are to blame. May take long.
void refuse_records(const Target& target, ByteView batch, const RecordBatchHeader& header, const Error& error,
                    TimestampMs now) {
  const KeyRule keys = key_rule(*target.config);
  if (error.code == Errc::invalid_timestamp || keys == KeyRule::required) {
    target.operation->result(target.index).record_faults =
        faults_of_records(header, batch, rules_of(*target.config), keys, now);
  }
  refuse_batch(target, batch, error);
}

// `batch` may be changed.
void prepare_and_append(const Target& target, MutableByteView batch, const RecordBatchHeader& header,
                        TimestampMs now) {
  auto prepared = prepare_batch(*target.config, header, batch, now);
  if (!prepared.ok()) return refuse_records(target, batch, header, prepared.error(), now);
  append(target, prepared->bytes.empty() ? batch : MutableByteView(prepared->bytes), prepared->header);
}

// Calls `work(target, batch)` on the pool, in the order of arrival, with a copy, since the frame dies
// meanwhile. False where too much waits already.
template <class Work>
bool do_later(const RequestContext& context, const Target& target, ByteView batch, Work work) {
  return target.partition->prepare(
      context.services.io, batch,
      [operation = target.operation, index = target.index, partition = target.partition,
       config = target.config, acks = target.acks, work = std::move(work)](MutableByteView copy) {
        work(Target{operation, index, partition, config, acks}, copy);
      });
}

void prepare_later(const RequestContext& context, const Target& target, ByteView batch,
                   const RecordBatchHeader& header, TimestampMs now) {
  const bool posted =
      do_later(context, target, batch, [header, now](const Target& then, MutableByteView copy) {
        prepare_and_append(then, copy, header, now);
      });
  if (posted) return;
  target.operation->refuse(target.index, ErrorCode::kafka_storage_error,
                           "too many batches wait to be read or compressed");
}

// What check_batch() refused. Which records have the wrong time is found out where that may take long.
void refuse_checked(const RequestContext& context, const Target& target, ByteView batch, const Error& error,
                    TimestampMs now) {
  const auto header = parse_record_batch_header(batch);
  if (error.code != Errc::invalid_timestamp || !header.ok()) return refuse_batch(target, batch, error);
  if (is_quick_to_prepare(*target.config, *header)) return refuse_records(target, batch, *header, error, now);
  const bool posted =
      do_later(context, target, batch, [header = *header, error, now](const Target& then, ByteView copy) {
        refuse_records(then, copy, header, error, now);
      });
  if (!posted) refuse_batch(target, batch, error);
}

// The batch of one partition: judged, and handed to the log.
void append_batch(const RequestContext& context, const std::shared_ptr<ProduceOperation>& operation,
                  std::size_t index, const std::shared_ptr<Partition>& partition,
                  const std::optional<Records>& records, Acks acks) {
  if (!partition->has_room()) {
    return operation->refuse(index, ErrorCode::kafka_storage_error, "the disk is full, or nearly so");
  }
  const ByteView bytes = records ? records->bytes : ByteView{};
  const std::shared_ptr<const storage::LogConfig> config = partition->config();
  const Target target{operation, index, partition, config, acks};
  const TimestampMs now = context.services.clock.wall_ms();
  const sillok::Result<RecordBatchHeader> header = check_batch(bytes, rules_of(*config), now);
  if (!header.ok()) return refuse_checked(context, target, bytes, header.error(), now);
  // KIP-110: who asks in an older version cannot read it either.
  if (header->codec() == Codec::zstd && context.header.api_version < kFirstWithZstd)
    return operation->refuse(index, ErrorCode::unsupported_compression_type);
  if (header->is_transactional()) {
    return operation->refuse(index, ErrorCode::invalid_txn_state, "transactions are not supported");
  }
  // The frame is ours to write in; the view of it in the message is not.
  const auto start = static_cast<std::size_t>(bytes.data() - context.frame.data());
  const MutableByteView batch = context.frame.subspan(start, bytes.size());
  // What came before, and is still being prepared, goes first.
  const bool must_wait = partition->has_preparations();
  if (!must_wait && !needs_preparation(*config, *header)) return append(target, batch, *header);
  if (!must_wait && is_quick_to_prepare(*config, *header)) {
    return prepare_and_append(target, batch, *header, now);
  }
  prepare_later(context, target, batch, *header, now);
}

}  // namespace

void handle_produce(const RequestContext& context, const ProduceRequest& request, PendingResponse response) {
  const bool by_id = response.version() >= 13;
  const auto operation = std::allocate_shared<ProduceOperation>(PooledAllocator<ProduceOperation>(), context,
                                                                request, std::move(response));
  const Partitions& partitions = context.services.partitions;
  std::size_t index = 0;
  for (const ProduceTopic& topic : request.topics) {
    for (const ProducePartition& entry : topic.partitions) {
      const std::size_t at = index++;
      operation->result(at).partition = entry.index;
      const Partitions::Lookup found =
          by_id ? partitions.find(topic.topic_id, entry.index) : partitions.find(topic.name, entry.index);
      if (found.is_unknown()) {
        const bool unknown_id = by_id && found.state == Partitions::Lookup::State::unknown;
        operation->refuse(at,
                          unknown_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
      } else if (!is_acks(request.acks)) {
        operation->refuse(at, ErrorCode::invalid_required_acks);
      } else if (request.transactional_id) {
        operation->refuse(at, ErrorCode::invalid_txn_state, "transactions are not supported");
      } else if (found.state == Partitions::Lookup::State::offline) {
        operation->refuse(at, ErrorCode::kafka_storage_error);
      } else {
        append_batch(context, operation, at, found.partition, entry.records, static_cast<Acks>(request.acks));
      }
    }
  }
  const auto timeout = std::chrono::milliseconds(std::max(request.timeout_ms, 0));
  operation->begin_waiting(context.services.clock.steady() + timeout);
}

}  // namespace sillok::broker
