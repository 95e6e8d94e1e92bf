#include "client/producer.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <random>

#include "protocol/messages/init_producer_id.h"
#include "protocol/messages/produce.h"
#include "protocol/record_batch_view.h"
#include "tests/client/scripted_broker.h"
#include "tests/support/seed.h"

namespace sillok {
namespace {

using client::Delivery;
using client::Milliseconds;
using protocol::ApiKey;
using protocol::ErrorCode;
using tests::Reaction;
using tests::ScriptedBroker;
using tests::ScriptedRequest;

// A partition as a broker keeps it for idempotent producers, and what is to go wrong with it.
class LogBroker {
 public:
  enum class Fault {
    none,
    refuse,        // NOT_LEADER_OR_FOLLOWER, nothing stored
    lose_request,  // the connection ends, nothing stored
    lose_answer,   // stored, but the connection ends before the answer
    time_out,      // stored, and REQUEST_TIMED_OUT is the answer
    reject,        // MESSAGE_TOO_LARGE, for good
  };

  explicit LogBroker(std::int32_t partition_count = 1) {
    broker_.lead("t", partition_count);
    broker_.offer(ApiKey::produce, 3, 12);
    broker_.offer(ApiKey::init_producer_id, 0, 4);
    broker_.on(ApiKey::init_producer_id, [this](const ScriptedRequest& request) {
      protocol::InitProducerIdResponse response;
      response.producer_id = ProducerId(next_producer_id_++);
      response.producer_epoch = ProducerEpoch(0);
      return Reaction::send(request.answer(response));
    });
    broker_.on(ApiKey::produce, [this](const ScriptedRequest& request) { return take(request); });
    broker_.start();
  }

  // Requires: nothing was produced yet.
  std::deque<Fault> faults;  // one per batch, then none
  bool is_idempotent = true;

  client::ClusterOptions cluster() const { return {{broker_.endpoint()}, {}}; }
  std::int64_t producer_ids() const { return next_producer_id_; }
  std::vector<std::string> values(std::int32_t partition = 0) {
    const std::lock_guard lock(mutex_);
    return logs_[partition];
  }

 private:
  Reaction take(const ScriptedRequest& request) {
    const auto message = request.decode<protocol::ProduceRequest>();
    protocol::ProduceResponse response;
    bool is_lost = false;
    for (const auto& topic : message.topics) {
      response.responses.push_back({topic.name, {}, {}});
      for (const auto& partition : topic.partitions) {
        response.responses.back().partitions.push_back(take_batch(partition, is_lost));
      }
    }
    if (is_lost) return Reaction::close();
    return message.acks == 0 ? Reaction::silence() : Reaction::send(request.answer(response));
  }

  protocol::ProducePartitionResponse take_batch(const protocol::ProducePartition& from, bool& is_lost) {
    const std::lock_guard lock(mutex_);
    Fault fault = Fault::none;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
    }
    protocol::ProducePartitionResponse result;
    result.index = from.index;
    const auto fail = [&result](ErrorCode code) { result.error_code = code; };
    if (fault == Fault::refuse) {
      fail(ErrorCode::not_leader_or_follower);
      return result;
    }
    if (fault == Fault::reject) {
      fail(ErrorCode::message_too_large);
      return result;
    }
    if (fault == Fault::lose_request) {
      is_lost = true;
      return result;
    }
    store(*from.records, from.index.value, result);
    if (fault == Fault::lose_answer) is_lost = true;
    if (fault == Fault::time_out && result.error_code == ErrorCode::none) fail(ErrorCode::request_timed_out);
    return result;
  }

  void store(const protocol::Records& records, std::int32_t partition,
             protocol::ProducePartitionResponse& result) {
    const auto header = protocol::parse_record_batch_header(records.bytes);
    if (!header.ok() || !protocol::check_crc(*header, records.bytes).ok()) {
      result.error_code = ErrorCode::corrupt_message;
      return;
    }
    if (is_idempotent) {
      auto& known = stored_[{header->producer_id.value, partition}];
      if (known.count(header->base_sequence) != 0) {
        result.base_offset = Offset(known[header->base_sequence]);
        return;
      }
      const std::int32_t expected = known.empty() ? 0 : last_[{header->producer_id.value, partition}];
      if (header->base_sequence != expected) {
        result.error_code = ErrorCode::out_of_order_sequence_number;
        return;
      }
      known[header->base_sequence] = static_cast<std::int64_t>(logs_[partition].size());
      last_[{header->producer_id.value, partition}] = header->base_sequence + header->record_count;
    }
    result.base_offset = Offset(static_cast<std::int64_t>(logs_[partition].size()));
    auto reader = protocol::RecordReader::open(*header, records.bytes);
    if (!reader.ok()) std::abort();  // not on the test's thread, where Catch2 could be told
    protocol::Record record;
    for (auto next = reader->next(record); next.ok() && *next; next = reader->next(record)) {
      logs_[partition].emplace_back(as_text(*record.value));
    }
  }

  std::mutex mutex_;
  std::map<std::int32_t, std::vector<std::string>> logs_;
  std::map<std::pair<std::int64_t, std::int32_t>, std::map<std::int32_t, std::int64_t>>
      stored_;  // sequence to offset
  std::map<std::pair<std::int64_t, std::int32_t>, std::int32_t> last_;
  std::atomic<std::int64_t> next_producer_id_ = 0;
  ScriptedBroker broker_;
};

// Small batches and short pauses, so that much happens in little time.
client::ProducerOptions quick_options() {
  client::ProducerOptions options;
  options.linger = Milliseconds(0);
  options.batch_bytes = 40;
  options.backoff = {Milliseconds(1), Milliseconds(4), 0.2};
  return options;
}

// Sends values and keeps their reports.
class Writer {
 public:
  Writer(const LogBroker& broker, client::ProducerOptions options) : producer_(broker.cluster(), options) {}

  void send(int count, std::optional<PartitionIndex> partition = PartitionIndex(0)) {
    for (int i = 0; i < count; ++i) {
      const std::string value = std::to_string(sent_.size());
      sent_.push_back(value);
      client::ProducerRecord record;
      record.topic = "t";
      record.partition = partition;
      record.value = value;
      const auto queued = producer_.send(record, [this, value](const Delivery& delivery) {
        const std::lock_guard lock(mutex_);
        (delivery.result.ok() ? delivered_ : failed_).emplace_back(value, delivery.offset.value);
      });
      REQUIRE(queued.ok());
    }
  }
  void flush() { producer_.flush(); }

  const std::vector<std::string>& sent() const { return sent_; }
  using Reports = std::vector<std::pair<std::string, std::int64_t>>;  // value, offset
  // After flush().
  const Reports& delivered() const { return delivered_; }
  const Reports& failed() const { return failed_; }

 private:
  std::mutex mutex_;
  Reports delivered_;
  Reports failed_;
  std::vector<std::string> sent_;
  client::Producer producer_;
};

TEST_CASE("producer: every record is stored once, in order, and reported at its offset") {
  LogBroker broker;
  Writer writer(broker, quick_options());
  writer.send(500);
  writer.flush();
  CHECK(broker.values() == writer.sent());
  REQUIRE(writer.delivered().size() == 500);
  for (std::size_t i = 0; i < 500; ++i) {
    CHECK(writer.delivered()[i].first == writer.sent()[i]);
    CHECK(writer.delivered()[i].second == static_cast<std::int64_t>(i));
  }
}

TEST_CASE("producer: whatever answers and connections are lost, the log has each record once and in order") {
  const std::uint64_t seed = tests::seed() + static_cast<std::uint64_t>(GENERATE(range(0, 4)));
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  LogBroker broker;
  for (int i = 0; i < 200; ++i) {
    const auto fault = random() % 12;
    broker.faults.push_back(fault < 5 ? static_cast<LogBroker::Fault>(fault) : LogBroker::Fault::none);
  }
  auto options = quick_options();
  options.batch_bytes = 12;
  Writer writer(broker, options);
  writer.send(600);
  writer.flush();
  CHECK(writer.failed().empty());
  CHECK(writer.delivered().size() == 600);
  CHECK(broker.values() == writer.sent());
}

TEST_CASE("producer: without idempotence order holds, too") {
  LogBroker broker;
  broker.is_idempotent = false;
  for (int i = 0; i < 60; ++i)
    broker.faults.push_back(i % 3 == 0 ? LogBroker::Fault::refuse : LogBroker::Fault::none);
  auto options = quick_options();
  options.idempotence = client::Idempotence::off;
  options.acks = client::Acks::leader;
  Writer writer(broker, options);
  writer.send(300);
  writer.flush();
  CHECK(broker.values() == writer.sent());
  CHECK(broker.producer_ids() == 0);
}

TEST_CASE(
    "producer: a batch that is refused for good fails alone, and what follows is stored under a new id") {
  LogBroker broker;
  broker.faults = {LogBroker::Fault::none, LogBroker::Fault::none, LogBroker::Fault::reject};
  Writer writer(broker, quick_options());
  writer.send(400);
  writer.flush();
  CHECK_FALSE(writer.failed().empty());
  CHECK(writer.failed().size() + writer.delivered().size() == 400);
  CHECK(broker.producer_ids() == 2);
  std::vector<std::string> delivered;
  for (const auto& [value, offset] : writer.delivered()) delivered.push_back(value);
  CHECK(broker.values() == delivered);
}

TEST_CASE("producer: with acks=0 a record counts as delivered once it is sent") {
  LogBroker broker;
  broker.is_idempotent = false;
  auto options = quick_options();
  options.idempotence = client::Idempotence::off;
  options.acks = client::Acks::none;
  Writer writer(broker, options);
  writer.send(50);
  writer.flush();
  REQUIRE(writer.delivered().size() == 50);
  CHECK(writer.delivered()[0].second == -1);
}

TEST_CASE("producer: a record that cannot be delivered in time fails") {
  LogBroker broker;
  broker.faults.assign(100'000, LogBroker::Fault::refuse);
  auto options = quick_options();
  options.delivery_timeout = Milliseconds(100);
  Writer writer(broker, options);
  writer.send(3);
  writer.flush();
  CHECK(writer.failed().size() == 3);
  CHECK(broker.values().empty());
}

TEST_CASE("producer: a partition that the topic lacks, and a record that no broker takes, are errors") {
  LogBroker broker(2);
  Writer writer(broker, quick_options());
  writer.send(1, PartitionIndex(2));
  writer.flush();
  CHECK(writer.failed().size() == 1);
  client::Producer producer(broker.cluster(), quick_options());
  client::ProducerRecord large;
  large.topic = "t";
  large.value = std::string(2'000'000, 'x');
  const auto sent = producer.send(large, nullptr);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().code == Errc::too_large);
}

TEST_CASE("producer: records of one key go to one partition, and others are spread over all") {
  LogBroker broker(4);
  client::Producer producer(broker.cluster(), quick_options());
  for (int i = 0; i < 400; ++i) {
    client::ProducerRecord record;
    record.topic = "t";
    record.value = i < 200 ? "keyed" : "free value that fills a batch";
    if (i < 200) record.key = "21";
    REQUIRE(producer.send(record, nullptr).ok());
  }
  producer.flush();
  int with_keyed = 0;
  int with_free = 0;
  for (std::int32_t partition = 0; partition < 4; ++partition) {
    const auto values = broker.values(partition);
    if (std::count(values.begin(), values.end(), "keyed") > 0) ++with_keyed;
    if (std::count(values.begin(), values.end(), "free value that fills a batch") > 0) ++with_free;
  }
  CHECK(with_keyed == 1);
  CHECK(with_free == 4);
}

}  // namespace
}  // namespace sillok
