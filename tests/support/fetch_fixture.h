// Partitions over an in-memory disk, and a client that fetches from them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/partitions.h"
#include "protocol/messages/fetch.h"
#include "storage/flusher.h"
#include "storage/log_dir.h"
#include "tests/support/handler_fixture.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {

inline TopicId topic_id(std::uint8_t number) {
  TopicId id;
  id.bytes.fill(number);
  return id;
}

class FetchFixture : public HandlerFixture {
 public:
  static constexpr protocol::Version kById = 17;
  static constexpr protocol::Version kByName = 12;

  FetchFixture() {
    storage::LogDirOptions options;
    options.file_system = &files;
    options.clock = &clock;
    options.path = "/logs";
    auto opened = storage::LogDir::open(options);
    REQUIRE(opened.ok());
    log_dir = std::move(opened).value();
    partitions = std::make_unique<broker::Partitions>(*log_dir, device, 1);
    with_partitions = std::make_unique<broker::Services>(broker::Services{
        .config = settings.config,
        .broker_configs = *broker_configs,
        .resource_configs = *resource_configs,
        .clock = clock,
        .topics = *topics,
        .partitions = *partitions,
        .producer_ids = *producer_ids,
        .fetch_sessions = fetch_sessions,
        .control = control,
        .io = io,
        .partitions_view = *partitions,
        .metadata_store = *store,
        .client_telemetry = *client_telemetry,
    });
  }
  ~FetchFixture() { flusher.stop(); }

  void create(const std::string& topic, std::uint8_t id, std::int32_t count) {
    std::vector<broker::PartitionHost::Opening> all;
    for (std::int32_t i = 0; i < count; ++i) all.push_back({topic, PartitionIndex(i), topic_id(id), {}});
    REQUIRE(partitions->create(all).ok());
  }
  void remove(const std::string& topic, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) REQUIRE(partitions->remove(topic, PartitionIndex(i)).ok());
  }
  broker::Partition& partition(const std::string& topic, std::int32_t index) {
    return *partitions->find(topic, PartitionIndex(index)).partition;
  }
  // `count` records, in one batch.
  void append(const std::string& topic, std::int32_t index, int count = 1) {
    const Bytes bytes = batch().records(count);
    append_bytes(topic, index, bytes);
  }
  void append_bytes(const std::string& topic, std::int32_t index, Bytes bytes) {
    const auto header = header_of(bytes);
    auto sink = std::make_shared<RecordingSink>();
    partition(topic, index).append({bytes, header, broker::Acks::leader, sink, 0});
  }

  // Starts a request; gives its number, for answer().
  std::uint64_t send(const protocol::FetchRequest& request, protocol::Version version = kById) {
    ++slot;
    const protocol::RequestHeader header{static_cast<std::int16_t>(protocol::FetchRequest::kKey), version,
                                         kCorrelationId, "test"};
    const broker::RequestContext context{*with_partitions, reactor, connection, header, {}};
    broker::handle_fetch(context, request, broker::PendingResponse(sink, slot, kCorrelationId, version));
    return slot;
  }
  bool has_answer(std::uint64_t number) const { return sink->answers.contains(number); }
  protocol::FetchResponse answer(std::uint64_t number, protocol::Version version = kById) const {
    return sink->read<protocol::FetchResponse>(number, kCorrelationId, version);
  }
  protocol::FetchResponse fetch(const protocol::FetchRequest& request, protocol::Version version = kById) {
    return answer(send(request, version), version);
  }

  storage::Flusher flusher{1, clock};
  HeldExecutor writer;
  broker::Device device{clock, flusher, writer, 1 << 30};
  std::unique_ptr<storage::LogDir> log_dir;
  std::unique_ptr<broker::Partitions> partitions;
  std::unique_ptr<broker::Services> with_partitions;
};

// What a client says: FetchOf(session, epoch).of(id(1), {{0, 5}}).forget(id(1), {2}).
class FetchOf {
 public:
  FetchOf(std::int32_t session, std::int32_t epoch) {
    request_.session_id = session;
    request_.session_epoch = epoch;
    request_.min_bytes = 1;
    request_.max_bytes = 1 << 20;
  }
  struct Wanted {
    std::int32_t index;
    std::int64_t offset = 0;
  };
  FetchOf& of(const TopicId& id, const std::vector<Wanted>& wanted) { return add({}, id, wanted); }
  FetchOf& of(std::string_view name, const std::vector<Wanted>& wanted) { return add(name, {}, wanted); }
  FetchOf& forget(const TopicId& id, const std::vector<std::int32_t>& indexes) {
    protocol::FetchForgottenTopic& topic = request_.forgotten_topics.emplace_back();
    topic.topic_id = id;
    for (const std::int32_t index : indexes) topic.partitions.emplace_back(index);
    return *this;
  }
  FetchOf& waits(std::int32_t max_wait_ms, std::int32_t min_bytes = 1) {
    request_.max_wait_ms = max_wait_ms;
    request_.min_bytes = min_bytes;
    return *this;
  }
  FetchOf& up_to(std::int32_t bytes) {
    request_.max_bytes = bytes;
    return *this;
  }
  FetchOf& as_replica(std::int32_t id) {
    request_.replica_state.replica_id = BrokerId(id);
    return *this;
  }
  protocol::FetchRequest& request() { return request_; }
  operator const protocol::FetchRequest&() const { return request_; }  // NOLINT(google-explicit-constructor)

 private:
  FetchOf& add(std::string_view name, const TopicId& id, const std::vector<Wanted>& wanted) {
    protocol::FetchTopic& topic = request_.topics.emplace_back();
    topic.name = name;
    topic.topic_id = id;
    for (const Wanted& one : wanted) {
      protocol::FetchPartition& partition = topic.partitions.emplace_back();
      partition.index = PartitionIndex(one.index);
      partition.fetch_offset = Offset(one.offset);
      partition.max_bytes = 1 << 20;
    }
    return *this;
  }
  protocol::FetchRequest request_;
};

// "1:0 1:2 2:0!UNKNOWN_TOPIC_ID", in the order of the answer; topics by the byte that their id is made of.
inline std::string shown(const protocol::FetchResponse& response) {
  std::string text;
  for (const protocol::FetchTopicResponse& topic : response.responses) {
    const std::string name =
        topic.name.empty() ? std::to_string(topic.topic_id.bytes[0]) : std::string(topic.name);
    for (const protocol::FetchPartitionResponse& partition : topic.partitions) {
      if (!text.empty()) text += ' ';
      text += name + ":" + std::to_string(partition.index.value);
      if (partition.records && !partition.records->bytes.empty()) text += '*';
      if (partition.error_code != protocol::ErrorCode::none)
        text += "!" + std::string(protocol::to_string(partition.error_code));
    }
  }
  return text;
}

// A session over topic 1 with three empty partitions, whose first fetch was answered.
struct SessionClient : FetchFixture {
  SessionClient() {
    create("one", 1, 3);
    const protocol::FetchResponse first = fetch(FetchOf(0, 0).of(topic_id(1), {{0}, {1}, {2}}));
    REQUIRE(first.error_code == protocol::ErrorCode::none);
    REQUIRE(shown(first) == "1:0 1:1 1:2");
    session = first.session_id;
    REQUIRE(session != 0);
  }
  // The next request.
  FetchOf next() { return {session, ++epoch}; }
  std::string fetched(const FetchOf& request) {
    const protocol::FetchResponse response = fetch(request);
    CHECK(response.error_code == protocol::ErrorCode::none);
    CHECK(response.session_id == session);
    return shown(response);
  }
  std::int32_t session = 0;
  std::int32_t epoch = 0;
};

}  // namespace sillok::tests
