#include "storage/producer_state.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

using protocol::RecordBatchHeader;

constexpr TimestampMs kNow = 1'767'225'600'000;
constexpr std::int32_t kSequenceMax = std::numeric_limits<std::int32_t>::max();

// A batch of `count` records as a producer sends it: without an offset.
RecordBatchHeader batch(std::int64_t id, std::int16_t epoch, std::int32_t sequence, std::int32_t count = 1) {
  RecordBatchHeader header;
  header.producer_id = ProducerId(id);
  header.producer_epoch = ProducerEpoch(epoch);
  header.base_sequence = sequence;
  header.last_offset_delta = count - 1;
  header.record_count = count;
  header.max_timestamp = kNow;
  return header;
}

RecordBatchHeader at(std::int64_t offset, RecordBatchHeader header) {
  header.base_offset = Offset(offset);
  return header;
}

RecordBatchHeader marker(std::int64_t id, std::int16_t epoch) {
  RecordBatchHeader header = batch(id, epoch, -1);
  header.attributes = 0x30;  // transactional, control
  return header;
}

// A log as far as producers are concerned.
struct Producers {
  ProducerState state;
  std::int64_t log_end = 0;

  // "append", "duplicate of 3", "gap" or "fenced"; what is to be appended is.
  std::string send(const RecordBatchHeader& header, TimestampMs now = kNow) {
    const auto check = state.check(header);
    switch (check.verdict) {
      case SequenceVerdict::append:
        state.append(at(log_end, header), now);
        state.check_invariants();
        log_end += header.last_offset_delta + 1;
        return "append";
      case SequenceVerdict::duplicate:
        return "duplicate of " + std::to_string(check.original.base_offset.value);
      case SequenceVerdict::out_of_order_sequence:
        return "gap";
      case SequenceVerdict::producer_fenced:
        return "fenced";
    }
    return "";
  }
};

}  // namespace

TEST_CASE("producer state: a producer goes on where it stopped, and a gap is refused") {
  Producers producers;
  REQUIRE(producers.send(batch(1, 0, 0, 3)) == "append");
  REQUIRE(producers.send(batch(1, 0, 4)) == "gap");
  REQUIRE(producers.send(batch(1, 0, 2)) == "gap");
  REQUIRE(producers.send(batch(1, 0, 3)) == "append");
  REQUIRE(producers.send(batch(2, 0, 0)) == "append");
  REQUIRE(producers.send(batch(1, 0, 4)) == "append");
}

TEST_CASE("producer state: one that is not known may begin with any sequence") {
  Producers producers;
  REQUIRE(producers.send(batch(1, 7, 1234)) == "append");
  REQUIRE(producers.send(batch(1, 7, 1235)) == "append");
}

TEST_CASE(
    "producer state: each of the last five batches is known again, with its offsets, and no earlier one") {
  Producers producers;
  for (std::int32_t i = 0; i < 6; ++i) REQUIRE(producers.send(batch(1, 0, i * 2, 2)) == "append");
  REQUIRE(producers.send(batch(1, 0, 0, 2)) == "gap");
  for (std::int32_t i = 1; i < 6; ++i) {
    REQUIRE(producers.send(batch(1, 0, i * 2, 2)) == "duplicate of " + std::to_string(i * 2));
    const auto original = producers.state.check(batch(1, 0, i * 2, 2)).original;
    REQUIRE(original.last_offset == Offset(i * 2 + 1));
    REQUIRE(original.timestamp == kNow);
  }
  REQUIRE(producers.log_end == 12);
}

TEST_CASE("producer state: a batch that is not exactly one of them is no duplicate") {
  Producers producers;
  producers.send(batch(1, 0, 0, 3));
  producers.send(batch(1, 0, 3, 3));
  REQUIRE(producers.send(batch(1, 0, 3, 2)) == "gap");
  REQUIRE(producers.send(batch(1, 0, 3, 4)) == "gap");
  REQUIRE(producers.send(batch(1, 0, 4, 2)) == "gap");
  REQUIRE(producers.send(batch(2, 0, 3, 3)) == "append");
}

TEST_CASE("producer state: sequences go on at 0 after 2^31 - 1") {
  Producers producers;
  REQUIRE(producers.send(batch(1, 0, kSequenceMax - 1)) == "append");
  REQUIRE(producers.send(batch(1, 0, kSequenceMax, 3)) == "append");  // kSequenceMax, 0, 1
  REQUIRE(producers.send(batch(1, 0, kSequenceMax, 3)) == "duplicate of 1");
  REQUIRE(producers.send(batch(1, 0, 1)) == "gap");
  REQUIRE(producers.send(batch(1, 0, 2)) == "append");
  Producers at_the_end;
  at_the_end.send(batch(1, 0, kSequenceMax));
  REQUIRE(at_the_end.send(batch(1, 0, 1)) == "gap");
  REQUIRE(at_the_end.send(batch(1, 0, 0)) == "append");
}

TEST_CASE("producer state: a new epoch begins at 0, and the old one is fenced") {
  Producers producers;
  producers.send(batch(1, 3, 0));
  REQUIRE(producers.send(batch(1, 4, 1)) == "gap");
  REQUIRE(producers.send(batch(1, 3, 1)) == "append");
  REQUIRE(producers.send(batch(1, 4, 0)) == "append");
  REQUIRE(producers.send(batch(1, 3, 1)) == "fenced");
  REQUIRE(producers.send(batch(1, 3, 0)) == "fenced");
  REQUIRE(producers.send(batch(1, 4, 0)) == "duplicate of 2");
  REQUIRE(producers.send(batch(1, 4, 1)) == "append");
}

TEST_CASE("producer state: a producer is forgotten when it was silent for the expiry") {
  Producers producers;
  producers.send(batch(1, 0, 0), kNow);
  producers.send(batch(2, 0, 0), kNow + 50);
  REQUIRE(producers.state.expire(kNow + 99, 100) == 0);
  producers.send(batch(1, 0, 1), kNow + 100);
  REQUIRE(producers.state.expire(kNow + 150, 100) == 1);
  REQUIRE_FALSE(producers.state.find(ProducerId(2)).has_value());
  REQUIRE(producers.send(batch(2, 0, 7), kNow + 150) == "append");
  REQUIRE(producers.send(batch(1, 0, 7), kNow + 150) == "gap");
  producers.state.check_invariants();
}

TEST_CASE("producer state: old timestamps of records do not make a producer expire") {
  Producers producers;
  auto old = batch(1, 0, 0);
  old.max_timestamp = 1000;
  producers.send(old, kNow);
  REQUIRE(producers.state.expire(kNow + 99, 100) == 0);
  REQUIRE(producers.send(old, kNow + 99) == "duplicate of 0");
}

TEST_CASE("producer state: a producer with an open transaction does not expire, until its marker came") {
  ProducerState state;
  auto in_transaction = at(10, batch(1, 0, 0));
  in_transaction.attributes = 0x10;
  state.replay(in_transaction, kNow);
  state.replay(at(11, batch(2, 0, 0)), kNow);
  REQUIRE(state.find(ProducerId(1))->open_transaction_offset == Offset(10));
  REQUIRE(state.expire(kNow + 1000, 100) == 1);
  state.replay(at(12, marker(1, 0)), kNow);
  REQUIRE(state.find(ProducerId(1))->open_transaction_offset == Offset(-1));
  REQUIRE(state.check(batch(1, 0, 1)).verdict == SequenceVerdict::append);
  REQUIRE(state.expire(kNow + 1000, 100) == 1);
  REQUIRE(state.empty());
}

TEST_CASE("producer state: a marker of a new epoch fences the old one") {
  ProducerState state;
  state.replay(at(0, batch(1, 0, 0)), kNow);
  state.replay(at(1, marker(1, 1)), kNow);
  REQUIRE(state.check(batch(1, 0, 1)).verdict == SequenceVerdict::producer_fenced);
  REQUIRE(state.check(batch(1, 1, 1)).verdict == SequenceVerdict::out_of_order_sequence);
  REQUIRE(state.check(batch(1, 1, 0)).verdict == SequenceVerdict::append);
}

TEST_CASE("producer state: past the limit the producer unheard of for longest goes") {
  ProducerState state(3);
  for (std::int64_t id = 1; id <= 3; ++id) state.append(at(id, batch(id, 0, 0)), kNow);
  state.append(at(4, batch(1, 0, 1)), kNow);
  state.append(at(5, batch(4, 0, 0)), kNow);
  state.check_invariants();
  REQUIRE(state.size() == 3);
  REQUIRE_FALSE(state.find(ProducerId(2)).has_value());
  REQUIRE(state.find(ProducerId(1)).has_value());
}

TEST_CASE("producer state: an append can be undone") {
  Producers producers;
  producers.send(batch(1, 0, 0));
  const auto before = producers.state.find(ProducerId(1));
  const auto unknown = producers.state.find(ProducerId(2));
  producers.state.append(at(1, batch(1, 0, 1)), kNow);
  producers.state.append(at(2, batch(2, 0, 0)), kNow);
  producers.state.restore(ProducerId(1), before);
  producers.state.restore(ProducerId(2), unknown);
  producers.state.check_invariants();
  REQUIRE(producers.state.find(ProducerId(1)) == before);
  REQUIRE(producers.state.size() == 1);
  REQUIRE(producers.send(batch(1, 0, 1)) == "append");
}

TEST_CASE("producer state: a snapshot knows the last batch, and replay the five before the end") {
  Producers producers;
  std::vector<RecordBatchHeader> log;
  for (std::int32_t i = 0; i < 8; ++i) {
    log.push_back(at(producers.log_end, batch(1, 2, i * 3, 3)));
    REQUIRE(producers.send(batch(1, 2, i * 3, 3)) == "append");
  }
  ProducerState loaded;
  loaded.append(at(0, batch(99, 0, 0)), kNow);
  loaded.load(producers.state.snapshot(), kNow);
  loaded.check_invariants();
  REQUIRE(loaded.size() == 1);
  REQUIRE(loaded.check(batch(1, 2, 21, 3)).original.base_offset == Offset(21));
  REQUIRE(loaded.check(batch(1, 2, 18, 3)).verdict == SequenceVerdict::out_of_order_sequence);
  REQUIRE(loaded.check(batch(1, 2, 24, 3)).verdict == SequenceVerdict::append);
  // In any order, and more than once.
  for (const std::size_t i : {7U, 2U, 5U, 6U, 3U, 0U, 4U, 1U, 5U}) loaded.replay(log[i], kNow);
  REQUIRE(loaded.find(ProducerId(1)) == producers.state.find(ProducerId(1)));
}

TEST_CASE("producer state: a snapshot of a wrapped batch knows its first sequence") {
  Producers producers;
  producers.send(batch(1, 0, kSequenceMax - 1, 5));  // to 2
  ProducerState loaded;
  loaded.load(producers.state.snapshot(), kNow);
  REQUIRE(loaded.check(batch(1, 0, kSequenceMax - 1, 5)).verdict == SequenceVerdict::duplicate);
  REQUIRE(loaded.check(batch(1, 0, 3)).verdict == SequenceVerdict::append);
}

TEST_CASE("producer state: a load counts as hearing of a producer") {
  Producers producers;
  producers.send(batch(1, 0, 0), kNow);
  ProducerState loaded;
  loaded.load(producers.state.snapshot(), kNow + 1000);
  REQUIRE(loaded.expire(kNow + 1099, 100) == 0);
  REQUIRE(loaded.expire(kNow + 1100, 100) == 1);
}

TEST_CASE("producer state: replay ignores older epochs, and batches that no producer made") {
  ProducerState state;
  state.replay(at(5, batch(1, 1, 0)), kNow);
  const auto known = state.find(ProducerId(1));
  state.replay(at(3, batch(1, 0, 9)), kNow);
  REQUIRE(state.find(ProducerId(1)) == known);
  state.replay(at(6, batch(-1, -1, -1)), kNow);
  auto unsound = batch(1, 1, 1);
  unsound.last_offset_delta = -5;
  state.replay(at(7, unsound), kNow);
  state.replay(at(std::numeric_limits<std::int64_t>::max(), batch(1, 1, 1, 5)), kNow);
  state.replay(at(8, batch(1, 1, -1)), kNow);
  state.check_invariants();
  REQUIRE(state.size() == 1);
  REQUIRE(state.check(batch(1, 1, 1)).verdict == SequenceVerdict::append);
  REQUIRE(parse_producer_snapshot(serialize_producer_snapshot(state.snapshot())).ok());
}

TEST_CASE("producer state: restarted anywhere, it answers as if it had not been") {
  const std::uint64_t first = tests::seed();
  INFO("seed " << first);
  std::mt19937_64 random(first);
  Producers producers;
  std::vector<RecordBatchHeader> log;
  std::map<std::int64_t, std::vector<RecordBatchHeader>> sent;  // of each producer's present epoch
  for (int turn = 0; turn < 5000; ++turn) {
    const auto id = static_cast<std::int64_t>(random() % 4);
    auto& batches = sent[id];
    RecordBatchHeader next = batch(id, 0, 0, static_cast<std::int32_t>(random() % 4 + 1));
    if (!batches.empty()) {
      next.producer_epoch = batches.back().producer_epoch;
      next.base_sequence =
          batches.back().last_sequence() == kSequenceMax ? 0 : batches.back().last_sequence() + 1;
    }
    switch (random() % 12) {
      case 0: {  // sends one of the last five again
        if (batches.empty()) break;
        const std::size_t back = random() % std::min<std::size_t>(batches.size(), 5);
        const RecordBatchHeader& again = batches[batches.size() - 1 - back];
        REQUIRE(producers.send(again) == "duplicate of " + std::to_string(again.base_offset.value));
        break;
      }
      case 1:  // a restart with the snapshot of an earlier end, from a bit before it
      {
        const std::size_t snapshot_at = log.size() - std::min<std::size_t>(log.size(), random() % 20);
        const std::size_t replay_from = snapshot_at - std::min<std::size_t>(snapshot_at, 200);
        ProducerState earlier;
        for (std::size_t i = 0; i < snapshot_at; ++i) earlier.replay(log[i], kNow);
        producers.state.load(earlier.snapshot(), kNow);
        for (std::size_t i = replay_from; i < log.size(); ++i) producers.state.replay(log[i], kNow);
        producers.state.check_invariants();
        break;
      }
      case 2:  // leaves a gap
        if (batches.empty()) break;
        next.base_sequence += 1;
        REQUIRE(producers.send(next) == "gap");
        break;
      case 3:  // a new epoch
        if (batches.empty() || next.producer_epoch.value == 30'000) break;
        next.producer_epoch = ProducerEpoch(static_cast<std::int16_t>(next.producer_epoch.value + 1));
        next.base_sequence = 0;
        batches.clear();
        [[fallthrough]];
      default:
        next = at(producers.log_end, next);
        REQUIRE(producers.send(next) == "append");
        log.push_back(next);
        batches.push_back(next);
    }
  }
}

}  // namespace sillok::storage
