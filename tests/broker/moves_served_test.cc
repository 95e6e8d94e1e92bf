// Partitions that move between directories of a real disk while clients write to them and read from them.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/several_directories.h"

namespace sillok::tests {
namespace {

constexpr const char* kTopic = "t";
constexpr int kRoundsMax = 1'000'000;

bool is_to_be_sent_again(ErrorCode error) {
  return error == ErrorCode::not_leader_or_follower || error == ErrorCode::request_timed_out;
}

// Writes numbered records, one a batch, as an idempotent producer, until it is stopped.
class NumberedProducer {
 public:
  explicit NumberedProducer(std::uint16_t port) : thread_([this, port] { run(port); }) {}
  ~NumberedProducer() { finish(); }
  int finish() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return count_;
  }
  int count() const { return count_; }
  ErrorCode error() const { return error_; }
  int sent_again() const { return sent_again_; }

 private:
  void run(std::uint16_t port) {
    RawClient client(port);
    while (!stopping_ && error_ == ErrorCode::none && count_ < kRoundsMax) {
      const int number = count_;
      const std::string value = std::to_string(number) + std::string(2000, '.');
      client.send(produce_of(kTopic, batch().producer(7, 0, number).record("k", value).bytes(), -1),
                  kProduceVersion, 5);
      Bytes kept;
      const auto answer =
          client.receive<ProduceResponse>(kProduceVersion, 5, kept).responses.at(0).partitions.at(0);
      if (is_to_be_sent_again(answer.error_code)) {
        ++sent_again_;
        continue;
      }
      error_ = answer.base_offset == Offset(number) ? answer.error_code : ErrorCode::unknown_server_error;
      ++count_;
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<int> count_{0};
  std::atomic<int> sent_again_{0};
  std::atomic<ErrorCode> error_{ErrorCode::none};
  std::thread thread_;
};

// Reads all records in order, until it has `count()` of them.
class NumberedConsumer {
 public:
  explicit NumberedConsumer(std::uint16_t port) : thread_([this, port] { run(port); }) {}
  ~NumberedConsumer() { wait_for(0); }
  // All, from the first to this.
  bool wait_for(int count) {
    wanted_ = count;
    if (thread_.joinable()) thread_.join();
    return !is_wrong_ && next_ >= count;
  }

 private:
  void run(std::uint16_t port) {
    RawClient client(port);
    for (int round = 0; !is_wrong_ && next_ < wanted_ && round < kRoundsMax; ++round) {
      client.send(fetch_of(kTopic, Offset(next_), 10), kFetchVersion, 1);
      Bytes kept;
      const auto answer =
          client.receive<FetchResponse>(kFetchVersion, 1, kept).responses.at(0).partitions.at(0);
      if (is_to_be_sent_again(answer.error_code)) continue;
      is_wrong_ = answer.error_code != ErrorCode::none;
      if (!answer.records) continue;
      for (const OwnedRecord& record : read_records(answer.records->bytes)) {
        const std::string expected = std::to_string(next_) + ".";
        is_wrong_ = is_wrong_ || record.offset != next_ || !record.value->starts_with(expected);
        ++next_;
      }
    }
  }

  std::atomic<int> wanted_{kRoundsMax};
  int next_ = 0;
  bool is_wrong_ = false;
  std::thread thread_;
};

// One after the other, around the directories.
void move_around(SeveralDirectories& broker, int count) {
  constexpr const char* kDirectories[] = {"b", "c", "a"};
  for (int i = 0; i < count; ++i) {
    const std::string to = kDirectories[i % 3];
    REQUIRE(broker.move(kTopic, to) == ErrorCode::none);
    broker.wait_for_moves();
    REQUIRE(broker.has_folder(to, kTopic));
  }
}

TEST_CASE("moves: while a partition moves around, no record is lost, doubled or out of order") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create(kTopic) == ErrorCode::none);
  NumberedProducer producer(broker.port());
  NumberedConsumer consumer(broker.port());
  while (producer.count() < 100 && producer.error() == ErrorCode::none) std::this_thread::yield();
  move_around(broker, 7);
  const int at_last_move = producer.count();
  while (producer.count() < at_last_move + 10 && producer.error() == ErrorCode::none)
    std::this_thread::yield();
  const int count = producer.finish();
  CHECK(producer.error() == ErrorCode::none);
  CHECK(consumer.wait_for(count));
  CHECK(broker.has_folder("b", kTopic));
  CHECK_FALSE(broker.has_folder("a", kTopic));
  CHECK_FALSE(broker.has_folder("c", kTopic));
  broker.stop();
  broker.start();
  CHECK(broker.end_of(kTopic) == std::pair(ErrorCode::none, std::int64_t{count}));
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
