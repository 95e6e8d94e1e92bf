// Partitions that move between directories of a real disk while clients write to them and read from them.
#include <string>
#include <utility>

#include "tests/support/several_directories.h"

namespace sillok::tests {
namespace {

constexpr const char* kTopic = "t";

// Writes numbered records, one a batch, as an idempotent producer, and reads them all in order. The broker
// moves the partition on threads of its own meanwhile.
class NumberedRecords {
 public:
  explicit NumberedRecords(std::uint16_t port) : producer_(port), consumer_(port) {}

  void write_and_read() {
    write();
    read();
  }
  // All that was written.
  void read_all() {
    while (read_ < written_) read();
  }
  int written() const { return written_; }

 private:
  void write() {
    const std::string value = std::to_string(written_) + std::string(2000, '.');
    const Bytes bytes = batch().producer(7, 0, written_).record("k", value);
    producer_.send(produce_of(kTopic, bytes, -1), kProduceVersion, 5);
    Bytes kept;
    const auto answer =
        producer_.receive<ProduceResponse>(kProduceVersion, 5, kept).responses.at(0).partitions.at(0);
    REQUIRE(answer.error_code == ErrorCode::none);
    REQUIRE(answer.base_offset == Offset(written_));
    ++written_;
  }

  void read() {
    consumer_.send(fetch_of(kTopic, Offset(read_), 10), kFetchVersion, 1);
    Bytes kept;
    const auto answer =
        consumer_.receive<FetchResponse>(kFetchVersion, 1, kept).responses.at(0).partitions.at(0);
    REQUIRE(answer.error_code == ErrorCode::none);
    if (!answer.records) return;
    for (const OwnedRecord& record : read_records(answer.records->bytes)) {
      REQUIRE(record.offset == read_);
      REQUIRE(record.value->starts_with(std::to_string(read_) + "."));
      ++read_;
    }
  }

  RawClient producer_;
  RawClient consumer_;
  int written_ = 0;
  int read_ = 0;
};

TEST_CASE("moves: while a partition moves around, no record is lost, doubled or out of order") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create(kTopic) == ErrorCode::none);
  int written = 0;
  {
    NumberedRecords records(broker.port());
    for (int i = 0; i < 100; ++i) records.write_and_read();
    constexpr const char* kDirectories[] = {"b", "c", "a"};
    for (int i = 0; i < 7; ++i) {
      const std::string to = kDirectories[i % 3];
      REQUIRE(broker.move(kTopic, to) == ErrorCode::none);
      do {
        records.write_and_read();
      } while (broker.is_moving());
      REQUIRE(broker.has_folder(to, kTopic));
      for (int k = 0; k < 20; ++k) records.write_and_read();
    }
    records.read_all();
    written = records.written();
  }
  CHECK_FALSE(broker.has_folder("a", kTopic));
  CHECK_FALSE(broker.has_folder("c", kTopic));
  broker.stop();
  broker.start();
  CHECK(broker.end_of(kTopic) == std::pair(ErrorCode::none, std::int64_t{written}));
}

// A producer that the log does not know yet, and that sends several batches before it reads an answer.
class NewProducers {
 public:
  explicit NewProducers(std::uint16_t port) : client_(port) {}

  void write_batches() {
    constexpr int kBatches = 20;
    for (int number = 0; number < kBatches; ++number) {
      const Bytes bytes = batch().producer(1000 + count_, 0, number).record("k", "v");
      client_.send(produce_of(kTopic, bytes, -1), kProduceVersion, number);
    }
    ++count_;
    for (int number = 0; number < kBatches; ++number) {
      Bytes kept;
      const auto answer =
          client_.receive<ProduceResponse>(kProduceVersion, number, kept).responses.at(0).partitions.at(0);
      REQUIRE(answer.error_code == ErrorCode::none);
      REQUIRE(answer.base_offset == Offset(written_));
      ++written_;
    }
  }
  int written() const { return written_; }

 private:
  RawClient client_;
  int count_ = 0;
  int written_ = 0;
};

// One that is refused is sent again behind those that follow it. Where the log does not know their producer
// those are taken, and then the first one never is.
TEST_CASE("moves: a consumer that waits while its partition moves gets what comes then") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create(kTopic) == ErrorCode::none);
  RawClient consumer(broker.port());
  consumer.send(fetch_of(kTopic, Offset(0), 600'000), kFetchVersion, 1);
  REQUIRE(broker.move(kTopic, "b") == ErrorCode::none);
  while (broker.is_moving()) {
  }
  REQUIRE(broker.produce(kTopic) == ErrorCode::none);
  Bytes kept;
  const auto answer = consumer.receive<FetchResponse>(kFetchVersion, 1, kept);
  const auto& partition = answer.responses.at(0).partitions.at(0);
  CHECK(partition.error_code == ErrorCode::none);
  CHECK(partition.records.has_value());
}

TEST_CASE("moves: no batch is refused for a move, so that none overtakes another") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create(kTopic) == ErrorCode::none);
  NewProducers producers(broker.port());
  producers.write_batches();
  for (int i = 0; i < 30; ++i) {
    const std::string to = broker.has_folder("b", kTopic) ? "c" : "b";
    REQUIRE(broker.move(kTopic, to) == ErrorCode::none);
    do {
      producers.write_batches();
    } while (broker.is_moving());
  }
  CHECK(broker.end_of(kTopic).second == producers.written());
}

TEST_CASE("moves: they are as fast as the limit says, which may be changed meanwhile, and lasts") {
  SeveralDirectories broker;
  broker.start();
  constexpr const char* kLimit = "replica.alter.log.dirs.io.max.bytes.per.second";
  REQUIRE(broker.create(kTopic) == ErrorCode::none);
  REQUIRE(broker.produce(kTopic) == ErrorCode::none);
  REQUIRE(broker.alter(kLimit, "0") == ErrorCode::none);
  REQUIRE(broker.move(kTopic, "b") == ErrorCode::none);
  for (int i = 0; i < 50; ++i) REQUIRE(broker.is_moving());
  broker.stop();
  broker.start();
  while (!broker.is_moving()) {  // it begins anew a moment after the start
  }
  for (int i = 0; i < 50; ++i) REQUIRE(broker.is_moving());
  REQUIRE(broker.alter(kLimit, "100000000") == ErrorCode::none);
  while (broker.is_moving()) {
  }
  CHECK(broker.has_folder("b", kTopic));
  CHECK(broker.end_of(kTopic) == std::pair(ErrorCode::none, std::int64_t{1}));
}

TEST_CASE("moves: a topic can be deleted and made again while it moves") {
  SeveralDirectories broker;
  broker.start();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(broker.create(kTopic) == ErrorCode::none);
    REQUIRE(broker.produce(kTopic) == ErrorCode::none);
    const std::string to = broker.has_folder("b", kTopic) ? "c" : "b";
    REQUIRE(broker.move(kTopic, to) == ErrorCode::none);
    REQUIRE(broker.remove(kTopic) == ErrorCode::none);
    CHECK(broker.end_of(kTopic).first == ErrorCode::unknown_topic_or_partition);
    CHECK_FALSE(broker.is_moving());
  }
}

}  // namespace
}  // namespace sillok::tests
