#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_pacer.h"
#include "bench/load_requests.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kReceiveSize = 64 << 10;
constexpr std::size_t kUnsentMax = 4 << 20;  // acks=0: nothing else would bound what waits for the socket
constexpr std::int64_t kStallNs = 30'000'000'000;
constexpr std::int64_t kWaitMaxNs = 100'000'000;

struct Producer {
  explicit Producer(Channel open) : channel(std::move(open)) {}
  Channel channel;
  std::deque<std::int64_t> sent_at_ns;  // of what is in flight, oldest first
  std::int32_t next_id = 0;
  std::int32_t next_answer = 0;
  std::int64_t partition = 0;
  bool wants_write = false;
};

class ProduceLoad {
 public:
  ProduceLoad(const LoadOptions& options, Poller poller, ProduceRequestBytes request)
      : options_(options), poller_(std::move(poller)), request_(std::move(request)) {
    report_.mode = "produce";
  }

  Result<void> open() {
    Socket socket = TRY(connect_to(options_.broker, Blocking::yes));
    TRY(prepare_topic(socket, options_));
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      Channel channel(TRY(connect_to(options_.broker, Blocking::no)), kReceiveSize);
      TRY(poller_.watch(channel.descriptor(), static_cast<std::uint64_t>(i)));
      producers_.emplace_back(std::move(channel));
      producers_.back().partition = i * options_.partitions / options_.connections;  // far apart
    }
    return {};
  }

  Result<LoadReport> run() {
    const std::int64_t start = steady_clock_ns();
    report_.begin(start, options_.timeline_ms);
    pacer_ = Pacer(options_.rate, start);
    deadline_ns_ = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t last_progress = start;
    TRY(fill_all(start));
    Poller::Event events[Poller::kEventsMax];
    while (!finished()) {
      const int count = poller_.wait(events, pacer_.is_open_loop() ? wait_ns(steady_clock_ns()) : kWaitMaxNs);
      const std::int64_t now = steady_clock_ns();
      if (count > 0 || in_flight_ == 0) last_progress = now;
      if (now - last_progress > kStallNs) return Error{Errc::timed_out, "no answer for 30 s"};
      if (now >= deadline_ns_ && !std::exchange(stopping_, true))
        report_.missed = pacer_.missed(deadline_ns_);
      for (int i = 0; i < count; ++i) TRY(serve(producers_[events[i].tag], now));
      if (pacer_.is_open_loop()) TRY(fill_all(now));
    }
    report_.seconds = static_cast<double>(steady_clock_ns() - start) / 1e9;
    return report_;
  }

 private:
  bool finished() const {
    return stopping_ && in_flight_ == 0 &&
           std::all_of(producers_.begin(), producers_.end(),
                       [](const Producer& producer) { return producer.channel.unsent() == 0; });
  }

  bool has_room(const Producer& producer) const {
    if (options_.acks == 0) return producer.channel.unsent() < kUnsentMax;
    return static_cast<std::int64_t>(producer.sent_at_ns.size()) < options_.in_flight;
  }

  std::int64_t wait_ns(std::int64_t now) const {
    const bool is_full = in_flight_ >= options_.connections * options_.in_flight;
    return stopping_ || is_full ? kWaitMaxNs : pacer_.wait_ns(now, kWaitMaxNs);
  }

  // In an open loop one request each in turn; else as many as may be in flight.
  Result<void> fill_all(std::int64_t now) {
    if (!pacer_.is_open_loop()) {
      for (Producer& producer : producers_) TRY(fill(producer, now));
      return {};
    }
    for (std::size_t full = 0; full < producers_.size() && !stopping_ && pacer_.is_due(now);) {
      Producer& producer = producers_[turn_];
      turn_ = (turn_ + 1) % producers_.size();
      if (!has_room(producer)) {
        ++full;
        continue;
      }
      full = 0;
      queue(producer, now);
      TRY(flush(producer));
    }
    return {};
  }

  Result<void> serve(Producer& producer, std::int64_t now) {
    // Without acks nothing comes back but the end of the connection, which receive() tells.
    TRY(producer.channel.receive());
    for (;;) {
      const ByteView frame = TRY(producer.channel.next_frame());
      if (frame.empty()) break;
      const ProduceAnswer answer = TRY(read_produce_answer(frame, options_.topic.size()));
      if (answer.correlation_id != producer.next_answer || producer.sent_at_ns.empty()) {
        return Error{Errc::malformed, "an answer out of order"};
      }
      ++producer.next_answer;
      report_.add_latency(now, now - producer.sent_at_ns.front());
      producer.sent_at_ns.pop_front();
      --in_flight_;
      count(answer.error);
    }
    return pacer_.is_open_loop() ? flush(producer) : fill(producer, now);
  }

  Result<void> fill(Producer& producer, std::int64_t now) {
    while (!stopping_ && has_room(producer)) queue(producer, now);
    return flush(producer);
  }

  void queue(Producer& producer, std::int64_t now) {
    const std::int64_t due = pacer_.take(now);
    request_.set_partition(static_cast<std::int32_t>(producer.partition));
    if (options_.has_stamps) request_.set_stamp(due);
    producer.channel.queue(request_.bytes, producer.next_id++);
    producer.partition = (producer.partition + 1) % options_.partitions;
    if (options_.acks != 0) {
      producer.sent_at_ns.push_back(due);
      ++in_flight_;
    } else {
      count(protocol::ErrorCode::none);
    }
    if (options_.requests > 0 && ++queued_ >= options_.requests) stopping_ = true;
  }

  Result<void> flush(Producer& producer) {
    TRY(producer.channel.flush());
    const bool wanted = producer.channel.unsent() > 0;
    if (wanted != producer.wants_write) {
      const auto tag = static_cast<std::uint64_t>(&producer - producers_.data());
      poller_.want_write(producer.channel.descriptor(), tag, wanted);
      producer.wants_write = wanted;
    }
    return {};
  }

  void count(protocol::ErrorCode error) {
    if (error != protocol::ErrorCode::none) {
      ++report_.errors[error];
      return;
    }
    ++report_.requests;
    report_.records += options_.records;
    report_.bytes += options_.records * options_.record_bytes;
  }

  const LoadOptions& options_;
  Poller poller_;
  ProduceRequestBytes request_;  // the one that all are sent from
  Pacer pacer_{0, 0};
  std::size_t turn_ = 0;
  std::int64_t in_flight_ = 0;
  std::vector<Producer> producers_;
  std::int64_t deadline_ns_ = 0;
  std::int64_t queued_ = 0;
  bool stopping_ = false;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_produce(const LoadOptions& options) {
  ProduceLoad load(options, TRY(Poller::create()), TRY(encode_produce(options)));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
