#include "client/consumer.h"

#include <catch2/catch.hpp>

#include "protocol/messages/fetch.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/record_batch_builder.h"
#include "tests/client/scripted_broker.h"

namespace sillok {
namespace {

using client::Consumer;
using client::Milliseconds;
using client::StartPosition;
using protocol::ApiKey;
using protocol::ErrorCode;
using tests::Reaction;
using tests::ScriptedBroker;
using tests::ScriptedRequest;

const client::TopicPartition kWhere{"t", PartitionIndex(0)};

Bytes batch_at(std::int64_t base_offset, const std::vector<std::string>& values,
               protocol::Codec codec = protocol::Codec::none) {
  protocol::BatchOptions options;
  options.base_offset = Offset(base_offset);
  options.codec = codec;
  protocol::RecordBatchBuilder builder(options);
  for (const std::string& value : values) builder.append(1000, std::nullopt, as_bytes(value));
  auto built = builder.build();
  REQUIRE(built.ok());
  return *built;
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

// Answers each fetch with the next of some steps, and after the last with nothing new.
struct Fixture {
  struct Step {
    ErrorCode error = ErrorCode::none;
    Bytes records;
    bool closes = false;
  };

  Fixture() {
    broker.lead("t", 1);
    broker.offer(ApiKey::fetch, 4, 12);
    broker.offer(ApiKey::list_offsets, 1, 7);
    broker.on(ApiKey::fetch, [this](const ScriptedRequest& request) { return answer(request); });
    broker.on(ApiKey::list_offsets, [this](const ScriptedRequest& request) {
      const auto asked = request.decode<protocol::ListOffsetsRequest>();
      protocol::ListOffsetsPartitionResponse partition;
      const auto time = asked.topics[0].partitions[0].timestamp;
      partition.offset = Offset(time == -1 ? end : time == -2 ? beginning : at_time);
      protocol::ListOffsetsResponse response;
      response.topics.push_back({"t", {partition}});
      return Reaction::send(request.answer(response));
    });
  }

  Reaction answer(const ScriptedRequest& request) {
    const auto asked = request.decode<protocol::FetchRequest>().topics[0].partitions[0];
    asked_offsets.push_back(asked.fetch_offset.value);
    asked_bytes.push_back(asked.max_bytes);
    Step step;
    if (!steps.empty()) {
      step = steps.front();
      steps.erase(steps.begin());
    }
    if (step.closes) return Reaction::close();
    protocol::FetchPartitionResponse partition;
    partition.error_code = step.error;
    partition.high_watermark = Offset(end);
    partition.records = protocol::Records{step.records, 0};
    protocol::FetchResponse response;
    response.responses.push_back({"t", {}, {partition}});
    return Reaction::send(request.answer(response));
  }

  // Reads from `start` until as many records have come, or the error that came instead.
  Result<std::vector<std::string>> read(std::size_t count,
                                        StartPosition start = {StartPosition::Kind::offset, 0}) {
    broker.start();
    client::ConsumerOptions options;
    options.backoff = {Milliseconds(1), Milliseconds(4), 0.2};
    consumer = std::make_unique<Consumer>(client::ClusterOptions{{broker.endpoint()}, {}}, options);
    TRY(consumer->partitions("t"));
    TRY(consumer->assign({{kWhere, start}}));
    std::vector<std::string> values;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (values.size() < count) {
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      const auto fetched = TRY(consumer->poll(Milliseconds(1000)));
      if (!fetched) continue;
      TRY(client::for_each_record(*fetched, [&](const protocol::Record& record) {
        values.push_back(std::to_string(record.offset.value) + std::string(as_text(*record.value)));
        return client::Visit::go_on;
      }));
    }
    broker.stop();
    return values;
  }

  ~Fixture() { consumer.reset(); }

  std::vector<Step> steps;
  std::int64_t beginning = 0;
  std::int64_t end = 100;
  std::int64_t at_time = -1;
  std::vector<std::int64_t> asked_offsets;
  std::vector<std::int32_t> asked_bytes;
  ScriptedBroker broker;
  std::unique_ptr<Consumer> consumer;
};

using Values = std::vector<std::string>;

TEST_CASE("consumer: a batch that is cut off at the end of an answer is asked for again") {
  Fixture fixture;
  const auto codec = GENERATE(protocol::Codec::none, protocol::Codec::zstd);
  const Bytes second = batch_at(2, {"c", "d"}, codec);
  Bytes cut = batch_at(0, {"a", "b"}, codec);
  append(cut, Bytes(second.begin(), second.begin() + static_cast<std::ptrdiff_t>(second.size() - 1)));
  fixture.steps = {{ErrorCode::none, cut}, {ErrorCode::none, second}};
  const auto values = fixture.read(4);
  REQUIRE(values.ok());
  CHECK(*values == Values{"0a", "1b", "2c", "3d"});
  CHECK(fixture.consumer->position(kWhere) == Offset(4));
  CHECK(fixture.asked_offsets[1] == 2);
}

TEST_CASE("consumer: from inside a batch, the records before the position are left out") {
  Fixture fixture;
  fixture.steps = {{ErrorCode::none, batch_at(0, {"a", "b", "c"})}};
  const auto values = fixture.read(1, {StartPosition::Kind::offset, 2});
  REQUIRE(values.ok());
  CHECK(*values == Values{"2c"});
}

TEST_CASE("consumer: more is asked for where not one batch fits") {
  Fixture fixture;
  const Bytes batch = batch_at(0, {"a"});
  fixture.steps = {{ErrorCode::none, Bytes(batch.begin(), batch.begin() + 65)}, {ErrorCode::none, batch}};
  REQUIRE(fixture.read(1).ok());
  CHECK(fixture.asked_bytes[1] == 2 * fixture.asked_bytes[0]);
  CHECK(fixture.asked_offsets[1] == 0);
}

TEST_CASE("consumer: what a later try may mend is tried again") {
  Fixture fixture;
  fixture.steps = {{ErrorCode::not_leader_or_follower, {}},
                   {ErrorCode::none, {}, true},
                   {ErrorCode::unknown_topic_or_partition, {}},
                   {ErrorCode::none, batch_at(0, {"a"})}};
  const auto values = fixture.read(1);
  REQUIRE(values.ok());
  CHECK(*values == Values{"0a"});
}

TEST_CASE("consumer: what is tried again is told, until it works") {
  Fixture fixture;
  fixture.steps.assign(1000, {ErrorCode::unknown_topic_or_partition, {}});
  fixture.broker.start();
  client::ConsumerOptions options;
  options.backoff = {Milliseconds(1), Milliseconds(4), 0.2};
  Consumer consumer(client::ClusterOptions{{fixture.broker.endpoint()}, {}}, options);
  REQUIRE(consumer.partitions("t").ok());
  REQUIRE(consumer.assign({{kWhere, {StartPosition::Kind::offset, 0}}}).ok());
  while (consumer.trouble().empty()) REQUIRE(consumer.poll(Milliseconds(1)).ok());
  CHECK(consumer.trouble() == "t-0: UNKNOWN_TOPIC_OR_PARTITION");

  Fixture mended;
  mended.steps = {{ErrorCode::unknown_topic_or_partition, {}}, {ErrorCode::none, batch_at(0, {"a"})}};
  REQUIRE(mended.read(1).ok());
  CHECK(mended.consumer->trouble().empty());
}

TEST_CASE("consumer: an offset out of range is told") {
  Fixture fixture;
  fixture.steps = {{ErrorCode::offset_out_of_range, {}}};
  const auto values = fixture.read(1);
  REQUIRE_FALSE(values.ok());
  CHECK(values.error().code == Errc::offset_out_of_range);
}

TEST_CASE("consumer: a record whose checksum does not fit is told, and not given") {
  Fixture fixture;
  Bytes batch = batch_at(0, {"abc"});
  batch.back() ^= std::byte{1};
  fixture.steps = {{ErrorCode::none, batch}};
  const auto values = fixture.read(1);
  REQUIRE_FALSE(values.ok());
  CHECK(values.error().code == Errc::corrupt);
}

TEST_CASE("consumer: a start position becomes an offset") {
  Fixture fixture;
  fixture.beginning = 10;
  fixture.end = 20;
  fixture.at_time = 15;
  StartPosition start;
  std::int64_t expected = 0;
  std::tie(start, expected) = GENERATE(table<StartPosition, std::int64_t>({
      {{StartPosition::Kind::beginning, 0}, 10},
      {{StartPosition::Kind::end, 0}, 20},
      {{StartPosition::Kind::offset, 12}, 12},
      {{StartPosition::Kind::tail, 3}, 17},
      {{StartPosition::Kind::tail, 1000}, 10},
      {{StartPosition::Kind::time, 1234}, 15},
  }));
  fixture.steps = {{ErrorCode::none, batch_at(expected, {"a"})}};
  REQUIRE(fixture.read(1, start).ok());
  CHECK(fixture.asked_offsets[0] == expected);
}

TEST_CASE("consumer: from a time later than all records it reads from the end") {
  Fixture fixture;
  fixture.steps = {{ErrorCode::none, batch_at(100, {"a"})}};
  REQUIRE(fixture.read(1, {StartPosition::Kind::time, 1234}).ok());
  CHECK(fixture.asked_offsets[0] == 100);
}

}  // namespace
}  // namespace sillok
