#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_requests.h"
#include "protocol/messages/list_offsets.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kReceiveSize = 64 << 10;
constexpr std::uint64_t kProducerTag = 0;
constexpr std::uint64_t kConsumerTag = 1;
constexpr std::int64_t kDrainNs = 10'000'000'000;

// One record a request on one connection, and a second connection whose fetch waits for it. The topic must
// have no other writer: the n-th record sent is the one at first_offset + n.
class EndToEndLoad {
 public:
  EndToEndLoad(const LoadOptions& options, Poller poller, Channel producer, Channel consumer,
               ProduceRequestBytes produce, FetchRequestBytes fetch, Offset first_offset)
      : options_(options),
        poller_(std::move(poller)),
        producer_(std::move(producer)),
        consumer_(std::move(consumer)),
        produce_(std::move(produce)),
        fetch_(std::move(fetch)),
        first_offset_(first_offset),
        position_(first_offset) {
    report_.mode = "e2e";
  }

  Result<LoadReport> run() {
    TRY(poller_.watch(producer_.descriptor(), kProducerTag));
    TRY(poller_.watch(consumer_.descriptor(), kConsumerTag));
    const std::int64_t start = steady_clock_ns();
    report_.begin(start, options_.timeline_ms);
    const auto interval = static_cast<std::int64_t>(1e9 / options_.rate);
    const std::int64_t deadline = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t next_send = start;
    TRY(ask());
    for (;;) {
      std::int64_t now = steady_clock_ns();
      const bool enough = options_.requests > 0 && sent_count() >= options_.requests;
      const bool stopping = now >= deadline || enough;
      if (!stopping && now >= next_send) {
        TRY(send(now));
        // A late sender does not catch up in a burst: that would measure itself.
        next_send = std::max(next_send + interval, now);
      }
      if (stopping && position_ - first_offset_ >= sent_count() && acked_ >= sent_count()) break;
      if (now > deadline + kDrainNs) return Error{Errc::timed_out, "records did not arrive within 10 s"};
      TRY(wait(stopping ? 100'000'000 : next_send - now));
    }
    report_.seconds = static_cast<double>(steady_clock_ns() - start) / 1e9;
    return report_;
  }

 private:
  std::int64_t sent_count() const { return static_cast<std::int64_t>(sent_at_ns_.size()); }

  Result<void> send(std::int64_t now) {
    producer_.queue(produce_.bytes, static_cast<std::int32_t>(sent_at_ns_.size()));
    sent_at_ns_.push_back(now);
    return producer_.flush();
  }

  Result<void> ask() {
    fetch_.set_offset(position_);
    consumer_.queue(fetch_.bytes, ++fetch_id_);
    return consumer_.flush();
  }

  Result<void> wait(std::int64_t timeout_ns) {
    Poller::Event events[Poller::kEventsMax];
    const int count = poller_.wait(events, timeout_ns);
    for (int i = 0; i < count; ++i) {
      if (events[i].tag == kProducerTag) {
        TRY(take_answers());
      } else {
        TRY(take_records());
      }
    }
    return producer_.flush();
  }

  Result<void> take_answers() {
    TRY(producer_.receive());
    const std::int64_t now = steady_clock_ns();
    for (;;) {
      const ByteView frame = TRY(producer_.next_frame());
      if (frame.empty()) return {};
      const ProduceAnswer answer = TRY(read_produce_answer(frame, options_.topic.size()));
      if (answer.error != protocol::ErrorCode::none) {
        return Error{Errc::broker_error, fmt::format("produce: {}", protocol::to_string(answer.error))};
      }
      if (answer.base_offset != first_offset_ + answer.correlation_id) {
        return Error{Errc::invalid_argument, "the topic has another writer"};
      }
      report_.ack.add(now - sent_at_ns_[static_cast<std::size_t>(answer.correlation_id)]);
      ++acked_;
    }
  }

  Result<void> take_records() {
    TRY(consumer_.receive());
    const ByteView frame = TRY(consumer_.next_frame());
    if (frame.empty()) return {};
    const std::int64_t now = steady_clock_ns();
    const FetchAnswer answer = TRY(read_fetch_answer(frame));
    if (answer.error != protocol::ErrorCode::none) {
      return Error{Errc::broker_error, fmt::format("fetch: {}", protocol::to_string(answer.error))};
    }
    const BatchesSeen seen = TRY(walk_batches(answer.records));
    if (seen.batches > 0) {
      if (seen.next_offset - first_offset_ > sent_count()) {
        return Error{Errc::invalid_argument, "the topic has another writer"};
      }
      for (; position_ < seen.next_offset; position_ += 1) {
        report_.add_latency(now, now - sent_at_ns_[static_cast<std::size_t>(position_ - first_offset_)]);
        ++report_.requests;
        ++report_.records;
        report_.bytes += options_.record_bytes;
      }
    }
    return ask();
  }

  const LoadOptions& options_;
  Poller poller_;
  Channel producer_;
  Channel consumer_;
  ProduceRequestBytes produce_;
  FetchRequestBytes fetch_;
  Offset first_offset_;
  Offset position_;
  std::int32_t fetch_id_ = 0;
  std::int64_t acked_ = 0;
  std::vector<std::int64_t> sent_at_ns_;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_e2e(const LoadOptions& options) {
  LoadOptions single = options;
  single.records = 1;
  single.partitions = 1;
  single.has_stamps = false;
  Socket socket = TRY(connect_to(single.broker, Blocking::yes));
  TRY(prepare_topic(socket, single));
  const Offset first_offset = TRY(list_offsets(socket, single, protocol::kLatestTimestamp))[0];
  Channel producer(TRY(connect_to(single.broker, Blocking::no)), kReceiveSize);
  Channel consumer(TRY(connect_to(single.broker, Blocking::no)),
                   kReceiveSize + static_cast<std::size_t>(single.max_bytes));
  EndToEndLoad load(single, TRY(Poller::create()), std::move(producer), std::move(consumer),
                    TRY(encode_produce(single)), TRY(encode_fetch(single, {})), first_offset);
  return load.run();
}

}  // namespace sillok::bench
