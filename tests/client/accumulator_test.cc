#include "client/accumulator.h"

#include <catch2/catch.hpp>

namespace sillok {
namespace {

using client::Accumulator;
using client::BatchPointer;
using client::Milliseconds;
using client::SteadyTime;
using Flush = client::Accumulator::Flush;

const client::TopicPartition kWhere{"t", PartitionIndex(0)};

struct Fixture {
  explicit Fixture(client::ProducerOptions wanted = {}) : options(wanted), accumulator(wanted) {
    accumulator.set_identity({ProducerId(7), ProducerEpoch(0)});
  }
  void append(std::size_t size = 10) {
    client::ProducerRecord record;
    record.value = std::string(size, 'x');
    accumulator.append(kWhere, record, nullptr, now);
  }
  BatchPointer take(Flush flush = Flush::yes) { return accumulator.take(kWhere, now, flush); }

  client::ProducerOptions options;
  Accumulator accumulator;
  SteadyTime now{std::chrono::hours(1)};
};

protocol::RecordBatchHeader header_of(const BatchPointer& batch) {
  const auto header = protocol::parse_record_batch_header(batch->encoded);
  REQUIRE(header.ok());
  REQUIRE(protocol::check_crc(*header, batch->encoded).ok());
  return *header;
}

TEST_CASE("accumulator: a batch waits for more records until it has lingered, is full, or is flushed") {
  client::ProducerOptions options;
  options.linger = Milliseconds(20);
  options.batch_bytes = 100;
  Fixture fixture(options);
  fixture.append();
  CHECK(fixture.take(Flush::no) == nullptr);
  CHECK(fixture.accumulator.next_event(fixture.now) == fixture.now + Milliseconds(20));
  SECTION("lingered") {
    fixture.now += Milliseconds(20);
    CHECK(fixture.take(Flush::no)->record_count() == 1);
  }
  SECTION("full") {
    fixture.append(95);
    CHECK(fixture.take(Flush::no)->record_count() == 1);
    CHECK(fixture.take(Flush::no) == nullptr);
  }
  SECTION("flushed") { CHECK(fixture.take(Flush::yes)->record_count() == 1); }
}

TEST_CASE("accumulator: sequences follow each other, and begin again with a new identity") {
  Fixture fixture;
  fixture.append();
  fixture.append();
  const auto first = header_of(fixture.take());
  fixture.append();
  const auto second = header_of(fixture.take());
  CHECK(first.producer_id == ProducerId(7));
  CHECK(first.base_sequence == 0);
  CHECK(second.base_sequence == 2);
  fixture.accumulator.set_identity({ProducerId(8), ProducerEpoch(0)});
  fixture.append();
  const auto third = header_of(fixture.take());
  CHECK(third.producer_id == ProducerId(8));
  CHECK(third.base_sequence == 0);
}

TEST_CASE("accumulator: five batches of a partition may be under way, and one where retries could reorder") {
  client::ProducerOptions options;
  options.idempotence = GENERATE(client::Idempotence::on, client::Idempotence::off);
  Fixture fixture(options);
  int taken = 0;
  for (int i = 0; i < 10; ++i) {
    fixture.append();
    if (fixture.take() != nullptr) ++taken;
  }
  CHECK(taken == (options.idempotence == client::Idempotence::on ? 5 : 1));
}

TEST_CASE("accumulator: after a retry nothing is taken until all are back, and then the oldest goes first") {
  Fixture fixture;
  std::vector<BatchPointer> under_way;
  for (int i = 0; i < 3; ++i) {
    fixture.append();
    under_way.push_back(fixture.take());
  }
  fixture.append();
  fixture.accumulator.retry(std::move(under_way[1]), fixture.now + Milliseconds(100));
  CHECK(fixture.accumulator.is_behind_a_retry(*under_way[2]));
  CHECK_FALSE(fixture.accumulator.is_behind_a_retry(*under_way[0]));
  fixture.now += Milliseconds(100);
  CHECK(fixture.take() == nullptr);
  fixture.accumulator.retry(std::move(under_way[0]), fixture.now);
  CHECK(fixture.take() == nullptr);
  fixture.accumulator.retry(std::move(under_way[2]), fixture.now);
  for (const int expected : {0, 1, 2, 3}) CHECK(header_of(fixture.take()).base_sequence == expected);
}

TEST_CASE("accumulator: a retry waits for its pause") {
  Fixture fixture;
  fixture.append();
  fixture.accumulator.retry(fixture.take(), fixture.now + Milliseconds(100));
  CHECK(fixture.take() == nullptr);
  fixture.now += Milliseconds(100);
  CHECK(fixture.take() != nullptr);
}

TEST_CASE(
    "accumulator: with a new identity, what may be stored keeps its numbers and what is not gets new ones") {
  Fixture fixture;
  fixture.append();
  auto doubtful = fixture.take();
  fixture.append();
  auto refused = fixture.take();
  doubtful->maybe_stored = true;
  fixture.accumulator.retry(std::move(doubtful), fixture.now);
  fixture.accumulator.retry(std::move(refused), fixture.now);
  fixture.accumulator.set_identity({ProducerId(8), ProducerEpoch(0)});
  auto first = fixture.take();
  CHECK(header_of(first).producer_id == ProducerId(7));
  CHECK(fixture.take() != nullptr);
}

TEST_CASE("accumulator: what waits too long expires, what is under way does not") {
  client::ProducerOptions options;
  options.delivery_timeout = Milliseconds(1000);
  Fixture fixture(options);
  fixture.append();
  const auto under_way = fixture.take();
  fixture.append();
  fixture.now += Milliseconds(1000);
  CHECK(fixture.accumulator.take_expired(fixture.now).size() == 1);
  CHECK_FALSE(fixture.accumulator.empty());
  fixture.accumulator.finish(kWhere);
  CHECK(fixture.accumulator.empty());
}

}  // namespace
}  // namespace sillok
