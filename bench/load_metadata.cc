#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_pacer.h"
#include "bench/load_requests.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kReceiveSize = 256 << 10;
constexpr std::int64_t kStallNs = 30'000'000'000;
constexpr std::int64_t kWaitMaxNs = 100'000'000;

// Asks on each connection as soon as it has its answer, or as requests come due.
class MetadataLoad {
 public:
  MetadataLoad(const LoadOptions& options, Poller poller, Bytes request)
      : options_(options), poller_(std::move(poller)), request_(std::move(request)) {
    report_.mode = "metadata";
  }

  Result<void> open() {
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      Asker& asker =
          askers_.emplace_back(Channel(TRY(connect_to(options_.broker, Blocking::no)), kReceiveSize));
      TRY(poller_.watch(asker.channel.descriptor(), static_cast<std::uint64_t>(i)));
    }
    return {};
  }

  Result<LoadReport> run() {
    const std::int64_t start = steady_clock_ns();
    report_.begin(start, options_.timeline_ms);
    Pacer pacer(options_.rate, start);
    const std::int64_t deadline = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t last_progress = start;
    Poller::Event events[Poller::kEventsMax];
    for (bool stopping = false;;) {
      std::int64_t now = steady_clock_ns();
      if (now >= deadline && !std::exchange(stopping, true)) report_.missed = pacer.missed(deadline);
      if (!stopping) stopping = TRY(ask_all(pacer, now));
      if (stopping && in_flight_ == 0) break;
      const bool waits_for_answers = stopping || idle_count() == 0 || !pacer.is_open_loop();
      const int count = poller_.wait(events, waits_for_answers ? kWaitMaxNs : pacer.wait_ns(now, kWaitMaxNs));
      now = steady_clock_ns();
      if (count > 0 || in_flight_ == 0) last_progress = now;
      if (now - last_progress > kStallNs) return Error{Errc::timed_out, "no answer for 30 s"};
      for (int i = 0; i < count; ++i) TRY(serve(askers_[events[i].tag], now));
    }
    report_.seconds = static_cast<double>(steady_clock_ns() - start) / 1e9;
    return report_;
  }

 private:
  struct Asker {
    explicit Asker(Channel open) : channel(std::move(open)) {}
    Channel channel;
    std::int64_t due_ns = 0;
    std::int32_t correlation_id = 0;
    bool in_flight = false;
  };

  std::int64_t idle_count() const { return options_.connections - in_flight_; }

  // Whether enough were asked.
  Result<bool> ask_all(Pacer& pacer, std::int64_t now) {
    for (std::size_t seen = 0; seen < askers_.size() && idle_count() > 0 && pacer.is_due(now); ++seen) {
      Asker& asker = askers_[turn_];
      turn_ = (turn_ + 1) % askers_.size();
      if (asker.in_flight) continue;
      asker.due_ns = pacer.take(now);
      asker.in_flight = true;
      ++in_flight_;
      asker.channel.queue(request_, ++asker.correlation_id);
      TRY(asker.channel.flush());
      if (options_.requests > 0 && ++asked_ >= options_.requests) return true;
    }
    return false;
  }

  Result<void> serve(Asker& asker, std::int64_t now) {
    TRY(asker.channel.receive());
    const ByteView frame = TRY(asker.channel.next_frame());
    if (frame.empty()) return {};
    if (!asker.in_flight || load_big_endian<std::int32_t>(frame.data()) != asker.correlation_id) {
      return Error{Errc::malformed, "an answer out of order"};
    }
    asker.in_flight = false;
    --in_flight_;
    report_.add_latency(now, now - asker.due_ns);
    report_.bytes += static_cast<std::int64_t>(frame.size());
    // The others are the same, and a large one takes long to look at.
    const auto error = report_.requests == 0 ? TRY(read_metadata_error(frame)) : protocol::ErrorCode::none;
    if (error != protocol::ErrorCode::none) ++report_.errors[error];
    ++report_.requests;
    return {};
  }

  const LoadOptions& options_;
  Poller poller_;
  Bytes request_;
  std::vector<Asker> askers_;
  std::size_t turn_ = 0;
  std::int64_t in_flight_ = 0;
  std::int64_t asked_ = 0;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_metadata(const LoadOptions& options) {
  MetadataLoad load(options, TRY(Poller::create()), TRY(encode_metadata(options)));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
