#include "client/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "client/io_thread.h"
#include "client/offsets.h"

namespace sillok::client {
namespace {

constexpr int kTriesMax = 10;  // about six seconds with the usual pauses

using protocol::ErrorCode;

}  // namespace

struct Consumer::State {
  using Event = std::variant<FetchedBatches, Error>;

  State(ClusterOptions cluster_options, ConsumerOptions consumer_options)
      : options(consumer_options),
        cluster(io.context(), std::move(cluster_options)),
        fetcher(
            io.context(), cluster, consumer_options, system_randomness(),
            [this](FetchedBatches fetched) { push(std::move(fetched)); },
            [this](const TopicPartition&, Error error) { push(std::move(error)); },
            [this](std::string what) {
              const std::lock_guard lock(mutex);
              trouble = std::move(what);
            }) {}

  void push(Event event) {
    {
      const std::lock_guard lock(mutex);
      events.push_back(std::move(event));
    }
    has_events.notify_one();
  }

  Result<void> refresh(const std::string& topic) {
    return io.await<Result<void>>(
        [this, &topic](auto done) { cluster.refresh({topic}, AutoCreate::no, std::move(done)); });
  }

  Result<OffsetResult> ask_offset(const TopicPartition& where, TimestampMs time);
  Result<Offset> resolve(const Assignment& assignment);
  void pause(Backoff& backoff);

  ConsumerOptions options;
  IoThread io;
  Cluster cluster;
  Fetcher fetcher;
  std::map<TopicPartition, Offset> positions;  // of the caller's thread
  std::mutex mutex;                            // guards what follows
  std::condition_variable has_events;
  std::deque<Event> events;
  std::string trouble;
};

void Consumer::State::pause(Backoff& backoff) {
  io.await<int>([this, &backoff](const std::function<void(int)>& done) {
    const auto timer = std::make_shared<boost::asio::steady_timer>(io.context(), backoff.next());
    timer->async_wait([timer, done](boost::system::error_code) { done(0); });
  });
}

Result<OffsetResult> Consumer::State::ask_offset(const TopicPartition& where, TimestampMs time) {
  Backoff backoff(options.backoff, system_randomness());
  for (int tries = 1;; ++tries) {
    auto offsets = io.await<Result<Offsets>>(
        [this, &where, time](auto done) { list_offsets(cluster, {where}, time, std::move(done)); });
    const bool is_last = tries == kTriesMax;
    if (!offsets.ok() && (is_last || !is_retriable(offsets.error()))) return std::move(offsets).error();
    if (offsets.ok()) {
      const OffsetResult& found = (*offsets)[where];
      if (found.error == ErrorCode::none) return found;
      if (is_last || !is_retriable(found.error)) {
        return Error{Errc::broker_error,
                     fmt::format("{}-{}: {}", where.topic, where.partition.value, to_string(found.error))};
      }
    }
    pause(backoff);
    if (auto refreshed = refresh(where.topic); !refreshed.ok() && is_last)
      return std::move(refreshed).error();
  }
}

Result<Offset> Consumer::State::resolve(const Assignment& assignment) {
  const StartPosition& start = assignment.start;
  switch (start.kind) {
    case StartPosition::Kind::offset:
      return Offset(start.value);
    case StartPosition::Kind::beginning:
      return TRY(ask_offset(assignment.where, kBeginningOfPartition)).offset;
    case StartPosition::Kind::end:
      return TRY(ask_offset(assignment.where, kEndOfPartition)).offset;
    case StartPosition::Kind::tail: {
      const Offset first = TRY(ask_offset(assignment.where, kBeginningOfPartition)).offset;
      const Offset end = TRY(ask_offset(assignment.where, kEndOfPartition)).offset;
      return start.value >= end - first ? first : end - start.value;
    }
    case StartPosition::Kind::time: {
      const OffsetResult found = TRY(ask_offset(assignment.where, start.value));
      if (found.offset.value >= 0) return found.offset;
      return TRY(ask_offset(assignment.where, kEndOfPartition)).offset;
    }
  }
  return Error{Errc::invalid_argument, "start position"};
}

Consumer::Consumer(ClusterOptions cluster, ConsumerOptions options)
    : state_(std::make_unique<State>(std::move(cluster), options)) {}

Consumer::~Consumer() { state_->io.stop(); }

std::string Consumer::trouble() const {
  const std::lock_guard lock(state_->mutex);
  return state_->trouble;
}

Result<std::vector<PartitionIndex>> Consumer::partitions(const std::string& topic) {
  Backoff backoff(state_->options.backoff, system_randomness());
  for (int tries = 1;; ++tries) {
    TRY(state_->refresh(topic));
    TopicInfo info;
    state_->io.run([&] {
      if (const TopicInfo* known = state_->cluster.metadata().topic(topic)) info = *known;
    });
    if (info.error == ErrorCode::none && !info.partitions.empty()) {
      std::vector<PartitionIndex> indexes;
      for (std::size_t i = 0; i < info.partitions.size(); ++i) {
        indexes.emplace_back(static_cast<std::int32_t>(i));
      }
      return indexes;
    }
    // A topic that is not there is told at once: waiting for one is for the caller to decide.
    const bool is_transient = info.error == ErrorCode::leader_not_available;
    if (!is_transient || tries == kTriesMax) {
      return Error{Errc::broker_error, fmt::format("{}: {}", topic, to_string(info.error))};
    }
    state_->pause(backoff);
  }
}

Result<void> Consumer::assign(const std::vector<Assignment>& assignments) {
  for (const Assignment& assignment : assignments) {
    const Offset position = TRY(state_->resolve(assignment));
    state_->positions[assignment.where] = position;
    state_->io.run([&] { state_->fetcher.assign(assignment.where, position); });
  }
  return {};
}

void Consumer::unassign(const TopicPartition& where) {
  state_->positions.erase(where);
  state_->io.run([&] { state_->fetcher.unassign(where); });
}

Result<Offset> Consumer::end_of(const TopicPartition& where) {
  return TRY(state_->ask_offset(where, kEndOfPartition)).offset;
}

Result<Offset> Consumer::beginning_of(const TopicPartition& where) {
  return TRY(state_->ask_offset(where, kBeginningOfPartition)).offset;
}

std::optional<Offset> Consumer::position(const TopicPartition& where) const {
  const auto found = state_->positions.find(where);
  return found == state_->positions.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<FetchedBatches>> Consumer::poll(Milliseconds wait) {
  State::Event event;
  {
    std::unique_lock lock(state_->mutex);
    if (!state_->has_events.wait_for(lock, wait, [this] { return !state_->events.empty(); })) {
      return std::optional<FetchedBatches>();
    }
    event = std::move(state_->events.front());
    state_->events.pop_front();
  }
  if (auto* error = std::get_if<Error>(&event)) return std::move(*error);
  auto& fetched = std::get<FetchedBatches>(event);
  state_->io.post([this, size = fetched.bytes.size()] { state_->fetcher.release(size); });
  const auto known = state_->positions.find(fetched.where);
  if (known == state_->positions.end()) return std::optional<FetchedBatches>();
  known->second = fetched.next_position;
  return std::optional(std::move(fetched));
}

Result<void> for_each_record(const FetchedBatches& fetched,
                             const std::function<Visit(const protocol::Record&)>& visit) {
  ByteView bytes = fetched.bytes;
  protocol::Record record;
  while (bytes.size() >= protocol::kRecordBatchHeaderSize) {
    const auto header = TRY(protocol::parse_record_batch_header(bytes));
    if (header.size() > bytes.size()) break;
    const ByteView batch = bytes.first(header.size());
    bytes = bytes.subspan(header.size());
    TRY(protocol::check_crc(header, batch));
    if (header.is_control() || header.next_offset() <= fetched.position) continue;
    auto reader = TRY(protocol::RecordReader::open(header, batch));
    while (TRY(reader.next(record))) {
      if (record.offset < fetched.position) continue;
      if (visit(record) == Visit::stop) return {};
    }
  }
  return {};
}

}  // namespace sillok::client
