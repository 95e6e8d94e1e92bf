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

constexpr std::size_t kAnswerHeadMax = 64 << 10;
constexpr std::int64_t kStallNs = 30'000'000'000;

// What there is to read of a partition.
struct Range {
  Offset begin;
  Offset end;
};

// One connection that reads one partition at a time, one request at a time.
struct Reader {
  explicit Reader(Channel open) : channel(std::move(open)) {}
  Channel channel;
  std::size_t partition = 0;
  Offset position{0};
  std::int32_t correlation_id = 0;
  std::int64_t sent_at_ns = 0;
  bool in_flight = false;
  bool is_done = false;
};

class FetchLoad {
 public:
  FetchLoad(const LoadOptions& options, Poller poller, FetchRequestBytes request)
      : options_(options), poller_(std::move(poller)), request_(std::move(request)) {
    report_.mode = "fetch";
    if (options_.from != From::end) return;
    see_batch_ = [this](ByteView batch) {
      const auto stamp = read_stamp(batch);
      if (stamp) report_.add_latency(now_, now_ - *stamp);
    };
  }

  Result<void> open() {
    Socket socket = TRY(connect_to(options_.broker, Blocking::yes));
    if (options_.from == From::end) TRY(prepare_topic(socket, options_));
    const auto ends = TRY(list_offsets(socket, options_, protocol::kLatestTimestamp));
    auto begins = ends;
    if (options_.from == From::begin)
      begins = TRY(list_offsets(socket, options_, protocol::kEarliestTimestamp));
    if (options_.from == From::offset) std::fill(begins.begin(), begins.end(), Offset(options_.from_offset));
    for (std::size_t i = 0; i < ends.size(); ++i) ranges_.push_back({begins[i], ends[i]});
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      Channel channel(TRY(connect_to(options_.broker, Blocking::no)),
                      static_cast<std::size_t>(options_.max_bytes) + kAnswerHeadMax);
      TRY(poller_.watch(channel.descriptor(), static_cast<std::uint64_t>(i)));
      Reader& reader = readers_.emplace_back(std::move(channel));
      const auto number = static_cast<std::size_t>(i);
      if (options_.reading == Reading::once) {
        begin_partition(reader, number);
      } else {
        reader.partition = number % ranges_.size();
        reader.position = ranges_[reader.partition].begin;
      }
    }
    return {};
  }

  Result<LoadReport> run() {
    const std::int64_t start = steady_clock_ns();
    report_.begin(start, options_.timeline_ms);
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
  // The first partition from `number` on, of those that are this reader's, that has anything to read.
  void begin_partition(Reader& reader, std::size_t number) {
    const auto step = static_cast<std::size_t>(options_.connections);
    while (number < ranges_.size() && ranges_[number].begin >= ranges_[number].end) number += step;
    reader.is_done = number >= ranges_.size();
    if (reader.is_done) return;
    reader.partition = number;
    reader.position = ranges_[number].begin;
  }

  Result<void> ask(Reader& reader, std::int64_t now) {
    if (now >= deadline_ns_ || reader.is_done) return {};
    if (options_.requests > 0 && asked_ >= options_.requests) return {};
    ++asked_;
    ++in_flight_;
    reader.in_flight = true;
    reader.sent_at_ns = now;
    request_.set_partition(static_cast<std::int32_t>(reader.partition));
    request_.set_offset(reader.position);
    reader.channel.queue(request_.bytes, ++reader.correlation_id);
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
    now_ = now;
    if (options_.from != From::end) report_.add_latency(now, now - reader.sent_at_ns);
    TRY(take(reader, answer));
    return ask(reader, now);
  }

  Result<void> take(Reader& reader, const FetchAnswer& answer) {
    const Range& range = ranges_[reader.partition];
    if (answer.error != protocol::ErrorCode::none) {
      ++report_.errors[answer.error];
      reader.position = range.begin;
      return {};
    }
    ++report_.requests;
    report_.bytes += static_cast<std::int64_t>(answer.records.size());
    const BatchesSeen seen = TRY(walk_batches(answer.records, see_batch_));
    report_.records += seen.records;
    if (seen.batches > 0 && seen.next_offset <= reader.position) {
      return Error{Errc::malformed, fmt::format("batches up to {} for a fetch at {}", seen.next_offset.value,
                                                reader.position.value)};
    }
    if (seen.batches == 0 && !answer.records.empty()) return Error{Errc::malformed, "no whole batch"};
    if (seen.batches == 0 && answer.high_watermark > reader.position) {
      return Error{Errc::malformed, "nothing below the high watermark"};
    }
    if (seen.batches > 0) reader.position = seen.next_offset;
    if (options_.from == From::end) return {};
    if (seen.batches == 0 && reader.position == range.begin)
      return Error{Errc::invalid_argument, "no records"};
    if (options_.reading == Reading::once) {
      if (reader.position >= range.end) {
        begin_partition(reader, reader.partition + static_cast<std::size_t>(options_.connections));
      }
    } else if (seen.batches == 0 || reader.position >= answer.high_watermark) {
      reader.position = range.begin;  // at the end a fetch would wait for more
    }
    return {};
  }

  const LoadOptions& options_;
  Poller poller_;
  FetchRequestBytes request_;  // the one that all are sent from
  std::vector<Range> ranges_;  // by partition
  std::vector<Reader> readers_;
  SeeBatch see_batch_;
  std::int64_t now_ = 0;
  std::int64_t deadline_ns_ = 0;
  std::int64_t asked_ = 0;
  std::int64_t in_flight_ = 0;
  LoadReport report_;
};

}  // namespace

Result<LoadReport> run_fetch(const LoadOptions& options) {
  FetchLoad load(options, TRY(Poller::create()), TRY(encode_fetch(options, {})));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
