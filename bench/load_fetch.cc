#include <fmt/format.h>

#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_requests.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kAnswerHeadMax = 64 << 10;
constexpr std::int64_t kStallNs = 30'000'000'000;

// One connection that reads one partition from the beginning to the end, over and over, one request at a
// time.
struct Reader {
  Reader(Channel open, FetchRequestBytes encoded) : channel(std::move(open)), request(std::move(encoded)) {}
  Channel channel;
  FetchRequestBytes request;
  Offset position{0};
  std::int32_t correlation_id = 0;
  std::int64_t sent_at_ns = 0;
  bool in_flight = false;
};

class FetchLoad {
 public:
  FetchLoad(const LoadOptions& options, Poller poller) : options_(options), poller_(std::move(poller)) {
    report_.mode = "fetch";
  }

  Result<void> open() {
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      const auto partition = static_cast<std::int32_t>(i % options_.partitions);
      Channel channel(TRY(connect_to(options_.broker, Blocking::no)),
                      static_cast<std::size_t>(options_.max_bytes) + kAnswerHeadMax);
      TRY(poller_.watch(channel.descriptor(), static_cast<std::uint64_t>(i)));
      readers_.emplace_back(std::move(channel), TRY(encode_fetch(options_, partition, {})));
    }
    return {};
  }

  Result<LoadReport> run() {
    const std::int64_t start = steady_clock_ns();
    deadline_ns_ = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t last_progress = start;
    for (Reader& reader : readers_) TRY(ask(reader, start));
    Poller::Event events[Poller::kEventsMax];
    while (in_flight_ > 0) {
      const int count = poller_.wait(events, 100'000'000);
      const std::int64_t now = steady_clock_ns();
      if (count > 0) last_progress = now;
      if (now - last_progress > kStallNs) return Error{Errc::timed_out, "no answer for 30 s"};
      for (int i = 0; i < count; ++i) TRY(serve(readers_[events[i].tag]));
    }
    report_.seconds = static_cast<double>(steady_clock_ns() - start) / 1e9;
    return report_;
  }

 private:
  Result<void> ask(Reader& reader, std::int64_t now) {
    if (now >= deadline_ns_) return {};
    if (options_.requests > 0 && asked_ >= options_.requests) return {};
    ++asked_;
    ++in_flight_;
    reader.in_flight = true;
    reader.sent_at_ns = now;
    reader.request.set_offset(reader.position);
    reader.channel.queue(reader.request.bytes, ++reader.correlation_id);
    return reader.channel.flush();
  }

  Result<void> serve(Reader& reader) {
    TRY(reader.channel.receive());
    const ByteView frame = TRY(reader.channel.next_frame());
    if (frame.empty()) return {};
    const std::int64_t now = steady_clock_ns();
    const FetchAnswer answer = TRY(read_fetch_answer(frame));
    if (!reader.in_flight || answer.correlation_id != reader.correlation_id) {
      return Error{Errc::malformed, "an answer out of order"};
    }
    reader.in_flight = false;
    --in_flight_;
    report_.latency.add(now - reader.sent_at_ns);
    TRY(take(reader, answer));
    return ask(reader, now);
  }

  Result<void> take(Reader& reader, const FetchAnswer& answer) {
    if (answer.error != protocol::ErrorCode::none) {
      ++report_.errors[answer.error];
      reader.position = Offset(0);
      return {};
    }
    ++report_.requests;
    report_.bytes += static_cast<std::int64_t>(answer.records.size());
    const BatchesSeen seen = TRY(walk_batches(answer.records));
    report_.records += seen.records;
    if (seen.batches > 0 && seen.next_offset <= reader.position) {
      return Error{Errc::malformed, fmt::format("batches up to {} for a fetch at {}", seen.next_offset.value,
                                                reader.position.value)};
    }
    if (seen.batches == 0 && !answer.records.empty()) return Error{Errc::malformed, "no whole batch"};
    if (seen.batches == 0 && answer.high_watermark > reader.position) {
      return Error{Errc::malformed, "nothing below the high watermark"};
    }
    if (seen.batches == 0 && reader.position == Offset(0)) return Error{Errc::invalid_argument, "no records"};
    reader.position = seen.batches == 0 ? Offset(0) : seen.next_offset;
    // At the end a fetch would wait for more.
    if (reader.position >= answer.high_watermark) reader.position = Offset(0);
    return {};
  }

  const LoadOptions& options_;
  Poller poller_;
  std::vector<Reader> readers_;
  std::int64_t deadline_ns_ = 0;
  std::int64_t asked_ = 0;
  std::int64_t in_flight_ = 0;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_fetch(const LoadOptions& options) {
  FetchLoad load(options, TRY(Poller::create()));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
