// Partitions that move to another log directory while they are served.
#include "broker/partition_moves.h"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "broker/fetch_part.h"
#include "tests/support/moves_fixture.h"

namespace sillok::tests {
namespace {

using broker::Acks;
using protocol::ErrorCode;
using Calls = std::vector<std::string>;

TEST_CASE("moves: the copy is served in the place of the partition, and nothing else has changed") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(3);
  const auto source = fixture.partition();
  REQUIRE(source->lead(LeaderEpoch(6)).ok());  // without a batch
  const auto before = fixture.records();
  REQUIRE(fixture.path() == "/a");
  CHECK(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  const auto moved = fixture.partition();
  CHECK(moved != source);
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records() == before);
  CHECK(moved->topic_id() == kOrdersId);
  CHECK(moved->leader_epoch() == LeaderEpoch(6));
  CHECK(moved->log().latest_leader_epoch() == LeaderEpoch(6));
  CHECK(moved->log().leader_epoch_at(Offset(0)) == LeaderEpoch(0));
  CHECK_FALSE(moved->is_catching_up());
  CHECK_FALSE(fixture.directories[0]->log_dir->has_folder({kTopic, PartitionIndex(0)}));
  CHECK_FALSE(fixture.has_future(1));
  CHECK(fixture.moves->views().empty());
  CHECK(fixture.recorder.calls == Calls{"record orders-0", "end orders-0"});
  fixture.append_large();
  CHECK(fixture.records().size() == before.size() + 1);
}

TEST_CASE("moves: records that come meanwhile move too, and those that wait for the disk are answered") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(4);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  while (fixture.background.run_one()) fixture.append(batch().records(2));
  // Behind what consumers see: it is not on disk yet.
  const auto waits = fixture.append(batch().record("k", "v"), Acks::all);
  fixture.control.run_all();
  fixture.finish();
  waits->wait_for(1);
  CHECK(waits->told().at(0).result.error == ErrorCode::none);
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records().back().value == "v");
  CHECK(fixture.records().back().offset == waits->told().at(0).result.base_offset.value);
}

TEST_CASE("moves: whoever still holds the partition appends to the new one, and looks for it anew to read") {
  MovesFixture fixture;
  fixture.create();
  fixture.append(batch().record("k", "v"));
  const auto source = fixture.partition();
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  REQUIRE(source->is_stopped());
  const auto late = MovesFixture::append_to(*source, batch().record("k", "late"));
  CHECK(late->told().at(0).result.base_offset == Offset(1));
  broker::FetchPart part;
  part.partition = source;
  part.target.max_bytes = 1000;
  REQUIRE(part.look(1000, storage::Log::FirstBatch::whole, storage::IoMode::may_block).ok());
  CHECK(part.error == ErrorCode::not_leader_or_follower);
  CHECK(fixture.records().size() == 2);
}

TEST_CASE("moves: appends to a paused partition wait, and it is read and goes on where it was") {
  MovesFixture fixture;
  fixture.create();
  const auto waits = fixture.append(batch().record("k", "v"), Acks::all);
  const auto partition = fixture.partition();
  REQUIRE(partition->pause().ok());
  CHECK(waits->told().at(0).result.error == ErrorCode::none);
  const auto waiting = fixture.append(batch().record("k", "waits"));
  CHECK(waiting->told().empty());
  CHECK(fixture.records().size() == 1);
  CHECK(partition->is_online());
  partition->resume();
  fixture.run_writers();
  CHECK(waiting->told().at(0).result.base_offset == Offset(1));
  CHECK(fixture.append(batch().record("k", "w"))->told().at(0).result.base_offset == Offset(2));
}

// Refused, the first would be sent again behind the second, which is taken of a producer that is not known.
TEST_CASE("moves: what comes while a partition is swapped is written in its order, of new producers too") {
  MovesFixture fixture;
  fixture.create();
  const auto source = fixture.partition();
  REQUIRE(source->pause().ok());
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 3; ++i) sinks.push_back(fixture.append(batch().producer(9, 0, i).record("k", "v")));
  SECTION("by the next one") {
    const auto next = fixture.empty_copy_in(1);
    source->hand_over_to(next);
    sinks.push_back(MovesFixture::append_to(*source, batch().producer(9, 0, 3).record("k", "v")));
    sinks.push_back(MovesFixture::append_to(*next, batch().producer(9, 0, 4).record("k", "v")));
    fixture.run_writers();
    CHECK(next->log().log_end().offset == Offset(5));
    CHECK(source->log().log_end().offset == Offset(0));
  }
  SECTION("or by itself") {
    source->resume();
    sinks.push_back(fixture.append(batch().producer(9, 0, 3).record("k", "v")));
    fixture.run_writers();
  }
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    REQUIRE(sinks[i]->told().size() == 1);
    CHECK(sinks[i]->told()[0].result.error == ErrorCode::none);
    CHECK(sinks[i]->told()[0].result.base_offset == Offset(static_cast<std::int64_t>(i)));
  }
}

// A connection that still has the partition of before leaves a batch to be prepared there, and then one that
// needs no preparation.
TEST_CASE("moves: a batch that is prepared after a swap is not overtaken by the next one") {
  MovesFixture fixture;
  fixture.create();
  const auto source = fixture.partition();
  REQUIRE(source->pause().ok());
  const auto next = fixture.empty_copy_in(1);
  source->hand_over_to(next);
  CHECK_FALSE(source->has_preparations());
  HeldExecutor pool;
  const Bytes bytes = batch().producer(9, 0, 0).record("k", "v");
  REQUIRE(source->prepare(pool, bytes, [](MutableByteView) {}));
  CHECK(source->has_preparations());
  CHECK(next->has_preparations());
  pool.run_all();
  CHECK_FALSE(source->has_preparations());
}

TEST_CASE("moves: an append that its round has not written when the partition is paused is written first") {
  MovesFixture fixture;
  fixture.create();
  const auto partition = fixture.partition();
  std::future<bool> paused;
  std::shared_ptr<RecordingSink> gathered;
  Bytes bytes = batch().record("k", "v");
  {
    const broker::AppendRound round;
    gathered = std::make_shared<RecordingSink>();
    partition->append({bytes, header_of(bytes), Acks::leader, gathered, 0});
    paused = std::async(std::launch::async, [&] { return partition->pause().ok(); });
    while (!partition->is_paused()) std::this_thread::yield();
  }
  CHECK(paused.get());
  CHECK(gathered->told().at(0).result.error == ErrorCode::none);
  CHECK(partition->log().log_end().offset == Offset(1));
}

TEST_CASE("moves: a batch that an idempotent producer sends again after the move is stored once") {
  MovesFixture fixture;
  fixture.create();
  for (int i = 0; i < 3; ++i) fixture.append(batch().producer(7, 0, i).record("k", std::to_string(i)));
  // Of this one nothing is left in the log but what is remembered.
  const bool is_deleted = GENERATE(false, true);
  if (is_deleted) REQUIRE(fixture.partition()->set_log_start(Offset(3)).ok());
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  REQUIRE(fixture.path() == "/b");
  const auto again = fixture.append(batch().producer(7, 0, 2).record("k", "2"));
  CHECK(again->told().at(0).result.error == ErrorCode::none);
  CHECK(again->told().at(0).result.base_offset == Offset(2));
  CHECK(fixture.append(batch().producer(7, 0, 3).record("k", "3"))->told().at(0).result.base_offset ==
        Offset(3));
  CHECK(fixture.append(batch().producer(7, 0, 9).record("k", "9"))->told().at(0).result.error ==
        ErrorCode::out_of_order_sequence_number);
}

TEST_CASE("moves: a log start that moves meanwhile is that of the copy") {
  MovesFixture fixture;
  fixture.create();
  for (int i = 0; i < 3; ++i) fixture.append(batch().sized(700'000));
  fixture.append(batch().records(4));
  SECTION("behind what is copied") {
    REQUIRE(fixture.move_to("/b") == ErrorCode::none);
    REQUIRE(fixture.background.run_one());
    REQUIRE(fixture.partition()->set_log_start(Offset(2)).ok());
    fixture.finish();
    CHECK(fixture.partition()->log().log_start() == Offset(2));
    CHECK(fixture.records().size() == 5);
  }
  SECTION("before anything is copied, into the middle of a batch") {
    REQUIRE(fixture.move_to("/b") == ErrorCode::none);
    REQUIRE(fixture.partition()->set_log_start(Offset(5)).ok());
    fixture.finish();
    CHECK(fixture.partition()->log().log_start() == Offset(5));
    CHECK(fixture.records().size() == 2);
  }
  SECTION("before the move, into the middle of a batch") {
    REQUIRE(fixture.partition()->set_log_start(Offset(5)).ok());
    REQUIRE(fixture.move_to("/b") == ErrorCode::none);
    fixture.finish();
    CHECK(fixture.partition()->log().log_start() == Offset(5));
    CHECK(fixture.records().size() == 2);
  }
  SECTION("to the end") {
    REQUIRE(fixture.partition()->set_log_start(Offset(7)).ok());
    REQUIRE(fixture.move_to("/b") == ErrorCode::none);
    fixture.finish();
    CHECK(fixture.partition()->log().log_start() == Offset(7));
    CHECK(fixture.partition()->log().log_end().offset == Offset(7));
  }
  CHECK(fixture.path() == "/b");
  const Offset start = fixture.partition()->log().log_start();
  CHECK(fixture.append(batch().record("k", "v"))->told().at(0).result.base_offset == Offset(7));
  fixture.crash(1, CrashMode::lose_all);
  fixture.start();
  fixture.open();
  CHECK(fixture.partition()->log().log_start() == start);
}

TEST_CASE("moves: retention that overtakes the copy leaves out what went") {
  MovesFixture fixture;
  fixture.config.segment_bytes = 1 << 20;
  fixture.config.retention_bytes = 1 << 20;
  fixture.create();
  fixture.append_large(6);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  REQUIRE(fixture.background.run_one());
  REQUIRE(fixture.partition()->clean_up(fixture.clock.wall_ms()).value() > 1);
  const Offset start = fixture.partition()->log().log_start();
  const auto before = fixture.records();
  fixture.finish();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.partition()->log().log_start() == start);
  CHECK(fixture.records() == before);
}

TEST_CASE("moves: settings that change meanwhile are those of the copy, and larger batches stay") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(2);
  fixture.append(batch().records(2));
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  fixture.config.segment_bytes = 1000;
  fixture.partitions->set_config(kTopic, PartitionIndex(0), fixture.config);
  const auto before = fixture.records();
  fixture.finish();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records() == before);
  CHECK(fixture.partition()->log().segment_count() == 3);
  CHECK(fixture.partition()->config()->segment_bytes == 1000);
}

TEST_CASE("moves: one is given up for another directory, or for the one where the partition is") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(4);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  REQUIRE(fixture.background.run_one());
  CHECK(fixture.has_future(1));
  CHECK(fixture.moves->views().at(0).size > 0);
  CHECK(fixture.move_to("/b") == ErrorCode::none);  // goes on
  CHECK(fixture.moves->views().at(0).size > 0);
  const bool goes_elsewhere = GENERATE(true, false);
  CHECK(fixture.move_to(goes_elsewhere ? "/c" : "/a") == ErrorCode::none);
  CHECK_FALSE(fixture.has_future(1));
  CHECK(fixture.has_future(2) == goes_elsewhere);
  fixture.finish();
  CHECK(fixture.path() == (goes_elsewhere ? "/c" : "/a"));
  CHECK(fixture.records().size() == 4);
  fixture.append_large();
}

TEST_CASE("moves: a topic that is deleted moves no further") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(2);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  const bool has_caught_up = GENERATE(false, true);
  if (has_caught_up) fixture.background.run_all();
  REQUIRE(fixture.partitions->remove(kTopic, PartitionIndex(0)).ok());
  CHECK_FALSE(fixture.has_future(1));
  fixture.finish();
  CHECK(fixture.partitions->find(kTopic, PartitionIndex(0)).is_unknown());
  CHECK_FALSE(fixture.directories[1]->log_dir->has_folder({kTopic, PartitionIndex(0)}));
  CHECK(fixture.recorder.calls.empty());
}

TEST_CASE("moves: a copy that cannot be read or written ends the move, and the partition goes on") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(3);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  SECTION("a write") { fixture.files.fail({FileCall::write, "/b/orders"}, Errc::io_error); }
  SECTION("the last sync") { fixture.files.fail({FileCall::sync, "/b/orders"}, Errc::io_error); }
  SECTION("a read") { fixture.files.fail({FileCall::read, "/a/orders", 1, kEveryCall}, Errc::io_error); }
  SECTION("what is noted of the copy") {
    fixture.files.fail({FileCall::rename, "/b/sillok-recovery-points"}, Errc::io_error);
  }
  fixture.finish();
  fixture.files.clear();
  CHECK(fixture.path() == "/a");
  CHECK_FALSE(fixture.has_future(1));
  CHECK(fixture.moves->views().empty());
  fixture.append_large();
  CHECK(fixture.records().size() == 4);
  CHECK(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records().size() == 4);
}

TEST_CASE(
    "moves: where it is not known whether a move was recorded, the partition stays until the next start") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(3);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  const bool is_there = GENERATE(true, false);
  fixture.recorder.fails = true;
  fixture.recorder.is_there_all_the_same = is_there;
  fixture.finish();
  CHECK(fixture.recorder.recorded().has_value() == is_there);
  CHECK(fixture.path() == "/a");
  CHECK_FALSE(fixture.has_future(1));
  fixture.append_large();
  REQUIRE(fixture.partition()->pause().ok());  // all of it is on disk
  fixture.partition()->resume();
  CHECK(fixture.move_to("/b") == ErrorCode::kafka_storage_error);
  CHECK_FALSE(fixture.has_future(1));
  fixture.recorder.fails = false;
  fixture.crash(1, CrashMode::lose_all);
  fixture.start();
  fixture.open();
  CHECK(fixture.path() == "/a");
  CHECK(fixture.records().size() == 4);
  CHECK(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records().size() == 4);
}

TEST_CASE("moves: a copy that cannot be served is taken back, and the source goes on") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(2);
  const auto before = fixture.records();
  const auto source = fixture.partition();
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  REQUIRE(fixture.memory.make_directory("/b/orders-0").ok());  // in the way
  fixture.finish();
  CHECK(fixture.partition() == source);
  CHECK(fixture.records() == before);
  CHECK(fixture.append(batch().records(1))->told().at(0).result.error == ErrorCode::none);
  CHECK_FALSE(fixture.has_future(1));
  CHECK(fixture.recorder.calls == Calls{"record orders-0", "take back orders-0"});
  // And can move there once nothing is in the way.
  REQUIRE(fixture.memory.remove_directory_tree("/b/orders-0").ok());
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  fixture.finish();
  CHECK(fixture.path() == "/b");
}

TEST_CASE("moves: where a move cannot be taken back the partition is offline until the next start") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(2);
  const auto before = fixture.records();
  const auto source = fixture.partition();
  fixture.recorder.take_back_error = Error{Errc::io_error, "no"};
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  REQUIRE(fixture.memory.make_directory("/b/orders-0").ok());  // in the way
  fixture.finish();
  CHECK(fixture.partitions->find(kTopic, PartitionIndex(0)).state ==
        broker::Partitions::Lookup::State::offline);
  CHECK(MovesFixture::append_to(*source, batch().records(1))->told().at(0).result.error ==
        ErrorCode::kafka_storage_error);
  CHECK(fixture.has_future(1));
  if (GENERATE(false, true)) {
    REQUIRE(fixture.partitions->remove(kTopic, PartitionIndex(0)).ok());
    CHECK_FALSE(fixture.has_future(1));
    CHECK_FALSE(fixture.directories[0]->log_dir->has_folder({kTopic, PartitionIndex(0)}));
    return;
  }
  fixture.crash(1, CrashMode::lose_all);
  REQUIRE(fixture.memory.remove_directory_tree("/b/orders-0").ok());
  fixture.start();
  fixture.open();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.records() == before);
}

TEST_CASE("moves: a source that cannot be removed does not keep the copy from being served") {
  MovesFixture fixture;
  fixture.create();
  fixture.append_large(2);
  REQUIRE(fixture.move_to("/b") == ErrorCode::none);
  fixture.files.fail({FileCall::rename, "/a/orders"}, Errc::io_error);
  fixture.finish();
  CHECK(fixture.path() == "/b");
  CHECK(fixture.recorder.recorded().has_value());  // for the next start
  CHECK(fixture.recorder.calls == Calls{"record orders-0"});
}

TEST_CASE("moves: a partition that moved back is not given what the journal had of it before") {
  MovesFixture fixture;
  fixture.create();
  for (const char* to : {"/b", "/a", "/b", "/a"}) {
    fixture.append(batch().records(2));
    const auto before = fixture.records();
    REQUIRE(fixture.move_to(to) == ErrorCode::none);
    fixture.finish();
    CHECK(fixture.path() == to);
    CHECK(fixture.records() == before);
    fixture.crash(1, CrashMode::lose_all);
    fixture.start();
    fixture.open();
    CHECK(fixture.path() == to);
    CHECK(fixture.records() == before);
  }
}

TEST_CASE("moves: who may move where is answered as Kafka does") {
  MovesFixture fixture;
  fixture.create();
  const auto error_of = [&](const std::string& topic, std::int32_t partition, std::string_view path) {
    return fixture.partitions->move(topic, PartitionIndex(partition), path);
  };
  CHECK(error_of(kTopic, 0, "/a") == ErrorCode::none);
  CHECK(error_of(kTopic, 0, "/d") == ErrorCode::log_dir_not_found);
  CHECK(error_of(kTopic, 1, "/b") == ErrorCode::unknown_topic_or_partition);
  CHECK(error_of("absent", 0, "/b") == ErrorCode::unknown_topic_or_partition);
  CHECK(error_of(std::string(240, 'x'), 0, "/d") == ErrorCode::invalid_topic_exception);
  fixture.partitions->cordon({"/b"});
  CHECK(error_of(kTopic, 0, "/b") == ErrorCode::invalid_replica_assignment);
  CHECK(error_of("absent", 0, "/b") == ErrorCode::invalid_replica_assignment);
  fixture.files.fail({FileCall::make_directory, "/c"}, Errc::io_error);
  CHECK(error_of(kTopic, 0, "/c") == ErrorCode::kafka_storage_error);
  CHECK(fixture.moves->views().empty());
  fixture.partitions->keep_offline({fixture.opening()});
  CHECK(error_of(kTopic, 0, "/c") == ErrorCode::kafka_storage_error);
}

}  // namespace
}  // namespace sillok::tests
