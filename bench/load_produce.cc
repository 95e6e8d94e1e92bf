#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_requests.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kReceiveSize = 64 << 10;
constexpr std::size_t kUnsentMax = 4 << 20;  // acks=0: nothing else would bound what waits for the socket
constexpr std::int64_t kStallNs = 30'000'000'000;

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
  ProduceLoad(const LoadOptions& options, Poller poller) : options_(options), poller_(std::move(poller)) {
    report_.mode = "produce";
  }

  Result<void> open() {
    Socket socket = TRY(connect_to(options_.broker, Blocking::yes));
    TRY(prepare_topic(socket, options_));
    for (std::int64_t i = 0; i < options_.partitions; ++i) {
      requests_.push_back(TRY(encode_produce(options_, static_cast<std::int32_t>(i))));
    }
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      Channel channel(TRY(connect_to(options_.broker, Blocking::no)), kReceiveSize);
      TRY(poller_.watch(channel.descriptor(), static_cast<std::uint64_t>(i)));
      producers_.emplace_back(std::move(channel));
      producers_.back().partition = i % options_.partitions;
    }
    return {};
  }

  Result<LoadReport> run() {
    const std::int64_t start = steady_clock_ns();
    deadline_ns_ = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t last_progress = start;
    for (Producer& producer : producers_) TRY(fill(producer, start));
    Poller::Event events[Poller::kEventsMax];
    while (!finished()) {
      const int count = poller_.wait(events, 100'000'000);
      const std::int64_t now = steady_clock_ns();
      if (count > 0) last_progress = now;
      if (now - last_progress > kStallNs) return Error{Errc::timed_out, "no answer for 30 s"};
      if (now >= deadline_ns_) stopping_ = true;
      for (int i = 0; i < count; ++i) TRY(serve(producers_[events[i].tag], now));
    }
    report_.seconds = static_cast<double>(steady_clock_ns() - start) / 1e9;
    return report_;
  }

 private:
  bool finished() const {
    return stopping_ && std::all_of(producers_.begin(), producers_.end(), [](const Producer& producer) {
             return producer.sent_at_ns.empty() && producer.channel.unsent() == 0;
           });
  }

  bool may_send(const Producer& producer) const {
    if (stopping_) return false;
    if (options_.acks == 0) return producer.channel.unsent() < kUnsentMax;
    return static_cast<std::int64_t>(producer.sent_at_ns.size()) < options_.in_flight;
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
      report_.latency.add(now - producer.sent_at_ns.front());
      producer.sent_at_ns.pop_front();
      count(answer.error);
    }
    return fill(producer, now);
  }

  Result<void> fill(Producer& producer, std::int64_t now) {
    while (may_send(producer)) {
      producer.channel.queue(requests_[static_cast<std::size_t>(producer.partition)], producer.next_id++);
      producer.partition = (producer.partition + 1) % options_.partitions;
      if (options_.acks != 0) producer.sent_at_ns.push_back(now);
      if (options_.acks == 0) count(protocol::ErrorCode::none);
      if (options_.requests > 0 && ++queued_ >= options_.requests) stopping_ = true;
    }
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
  std::vector<Bytes> requests_;  // by partition
  std::vector<Producer> producers_;
  std::int64_t deadline_ns_ = 0;
  std::int64_t queued_ = 0;
  bool stopping_ = false;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_produce(const LoadOptions& options) {
  ProduceLoad load(options, TRY(Poller::create()));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
