#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "bench/load_channel.h"
#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_requests.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"

namespace sillok::bench {
namespace {

using protocol::ErrorCode;

// With topic ids, as today's consumers have them.
constexpr protocol::Version kConsumeVersion = 17;
constexpr protocol::Version kMetadataWithIdsVersion = 12;
constexpr std::int32_t kMaxWaitMs = 500;
constexpr std::size_t kReceiveBytes = 256 << 10;
constexpr std::int32_t kNoSession = -1;
constexpr std::int64_t kStallNs = 30'000'000'000;

// One connection that reads all partitions, as a consumer does.
struct Consumer {
  explicit Consumer(Channel open) : channel(std::move(open)) {}
  Channel channel;
  std::vector<Offset> positions;            // by partition
  std::vector<std::size_t> told_otherwise;  // partitions whose position the server does not know
  std::int32_t session = 0;
  std::int32_t epoch = 0;
  std::int32_t correlation_id = 0;
  bool in_flight = false;
};

struct ConsumeReport {
  std::int64_t requests = 0;
  std::int64_t request_bytes = 0;
  std::int64_t answer_bytes = 0;
  std::int64_t partitions = 0;  // in answers
  std::int64_t records = 0;
  std::int64_t sessions = 0;  // at the end
  std::map<std::string, std::int64_t> errors;

  std::string to_json(double seconds) const {
    std::string found;
    for (const auto& [error, count] : errors)
      found += fmt::format("{}\"{}\": {}", found.empty() ? "" : ", ", error, count);
    return fmt::format(
        "{{\"mode\": \"consume\", \"seconds\": {:.3f}, \"requests\": {}, \"request_bytes\": {}, "
        "\"answer_bytes\": "
        "{}, \"partitions\": {}, \"records\": {}, \"sessions\": {}, \"errors\": {{{}}}}}",
        seconds, requests, request_bytes, answer_bytes, partitions, records, sessions, found);
  }
};

class ConsumeLoad {
 public:
  ConsumeLoad(const LoadOptions& options, Poller poller) : options_(options), poller_(std::move(poller)) {}

  Result<void> open() {
    Socket socket = TRY(connect_to(options_.broker, Blocking::yes));
    TRY(prepare_topic(socket, options_));
    topic_id_ = TRY(find_topic_id(socket));
    const auto ends = TRY(list_offsets(socket, options_, protocol::kLatestTimestamp));
    for (std::int64_t i = 0; i < options_.connections; ++i) {
      Channel channel(TRY(connect_to(options_.broker, Blocking::no)), kReceiveBytes);
      TRY(poller_.watch(channel.descriptor(), static_cast<std::uint64_t>(i)));
      Consumer& consumer = consumers_.emplace_back(std::move(channel));
      consumer.positions = ends;
      if (options_.sessions == Sessions::none) consumer.epoch = kNoSession;
    }
    return {};
  }

  Result<std::string> run() {
    const std::int64_t start = steady_clock_ns();
    deadline_ns_ = start + static_cast<std::int64_t>(options_.seconds * 1e9);
    std::int64_t last_progress = start;
    for (Consumer& consumer : consumers_) TRY(ask(consumer));
    Poller::Event events[Poller::kEventsMax];
    while (in_flight_ > 0) {
      const int count = poller_.wait(events, 100'000'000);
      const std::int64_t now = steady_clock_ns();
      if (count > 0) last_progress = now;
      if (now - last_progress > kStallNs) return Error{Errc::timed_out, "no answer for 30 s"};
      for (int i = 0; i < count; ++i) TRY(serve(consumers_[events[i].tag]));
    }
    for (const Consumer& consumer : consumers_) report_.sessions += consumer.session > 0;
    return report_.to_json(static_cast<double>(steady_clock_ns() - start) / 1e9);
  }

 private:
  Result<TopicId> find_topic_id(Socket& socket) const {
    protocol::MetadataRequest request;
    request.topics.emplace().push_back({{}, options_.topic});
    protocol::MetadataResponse response;
    Bytes frame;
    TRY(call(socket, request, kMetadataWithIdsVersion, response, frame));
    if (response.topics.size() != 1 || response.topics[0].topic_id.is_zero())
      return Error{Errc::malformed, "metadata without a topic id"};
    return response.topics[0].topic_id;
  }

  Result<void> ask(Consumer& consumer) {
    if (steady_clock_ns() >= deadline_ns_) return {};
    if (options_.requests > 0 && report_.requests + in_flight_ >= options_.requests) return {};
    protocol::FetchRequest request;
    request.max_wait_ms = kMaxWaitMs;
    request.min_bytes = 1;
    request.max_bytes = static_cast<std::int32_t>(options_.max_bytes);
    request.session_id = consumer.session;
    request.session_epoch = consumer.epoch;
    protocol::FetchTopic topic;
    topic.topic_id = topic_id_;
    const auto want = [&](std::size_t partition) {
      protocol::FetchPartition& wanted = topic.partitions.emplace_back();
      wanted.index = PartitionIndex(static_cast<std::int32_t>(partition));
      wanted.fetch_offset = consumer.positions[partition];
      wanted.max_bytes = static_cast<std::int32_t>(options_.max_bytes);
    };
    if (consumer.epoch > 0) {
      for (const std::size_t partition : consumer.told_otherwise) want(partition);
    } else {
      for (std::size_t i = 0; i < consumer.positions.size(); ++i) want(i);
    }
    if (!topic.partitions.empty()) request.topics.push_back(std::move(topic));
    Bytes bytes;
    const protocol::RequestHeader header{static_cast<std::int16_t>(protocol::FetchRequest::kKey),
                                         kConsumeVersion, 0, "sillok_load"};
    TRY(protocol::encode_request_frame(bytes, request, header));
    report_.request_bytes += static_cast<std::int64_t>(bytes.size());
    consumer.told_otherwise.clear();
    consumer.in_flight = true;
    ++in_flight_;
    consumer.channel.queue(bytes, ++consumer.correlation_id);
    TRY(consumer.channel.flush());
    poller_.want_write(consumer.channel.descriptor(), tag_of(consumer), consumer.channel.unsent() > 0);
    return {};
  }

  std::uint64_t tag_of(const Consumer& consumer) const {
    return static_cast<std::uint64_t>(&consumer - consumers_.data());
  }

  Result<void> serve(Consumer& consumer) {
    if (consumer.channel.unsent() > 0) {
      TRY(consumer.channel.flush());
      poller_.want_write(consumer.channel.descriptor(), tag_of(consumer), consumer.channel.unsent() > 0);
    }
    TRY(consumer.channel.receive());
    const ByteView frame = TRY(consumer.channel.next_frame());
    if (frame.empty()) return {};
    protocol::Decoder in(frame);
    const auto header = protocol::decode_response_header<protocol::FetchResponse>(in, kConsumeVersion);
    protocol::FetchResponse response;
    TRY(protocol::decode(in, response, kConsumeVersion));
    if (!consumer.in_flight || header.correlation_id != consumer.correlation_id)
      return Error{Errc::malformed, "an answer out of order"};
    consumer.in_flight = false;
    --in_flight_;
    ++report_.requests;
    report_.answer_bytes += static_cast<std::int64_t>(frame.size() + protocol::kFrameSizeBytes);
    TRY(take(consumer, response));
    return ask(consumer);
  }

  Result<void> take(Consumer& consumer, const protocol::FetchResponse& response) {
    if (response.error_code != ErrorCode::none) ++report_.errors[protocol::to_string(response.error_code)];
    if (consumer.epoch != kNoSession) {
      const bool goes_on = response.error_code == ErrorCode::none && response.session_id != 0;
      consumer.session = goes_on ? response.session_id : 0;
      consumer.epoch = goes_on ? consumer.epoch + 1 : 0;
    }
    for (const protocol::FetchTopicResponse& topic : response.responses) {
      report_.partitions += static_cast<std::int64_t>(topic.partitions.size());
      for (const protocol::FetchPartitionResponse& partition : topic.partitions) {
        if (partition.error_code != ErrorCode::none) {
          ++report_.errors[protocol::to_string(partition.error_code)];
          continue;
        }
        if (!partition.records) continue;
        const auto index = static_cast<std::size_t>(partition.index.value);
        if (index >= consumer.positions.size())
          return Error{Errc::malformed, "a partition that was not asked for"};
        const BatchesSeen seen = TRY(walk_batches(partition.records->bytes));
        if (seen.batches == 0) continue;
        report_.records += seen.records;
        consumer.positions[index] = seen.next_offset;
        consumer.told_otherwise.push_back(index);
      }
    }
    return {};
  }

  const LoadOptions& options_;
  Poller poller_;
  TopicId topic_id_;
  std::vector<Consumer> consumers_;
  std::int64_t deadline_ns_ = 0;
  std::int64_t in_flight_ = 0;
  ConsumeReport report_;
};

}  // namespace

Result<std::string> run_consume(const LoadOptions& options) {
  ConsumeLoad load(options, TRY(Poller::create()));
  TRY(load.open());
  return load.run();
}

}  // namespace sillok::bench
