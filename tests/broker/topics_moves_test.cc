// Moves between log directories as the metadata store knows them: wherever the process ends, the start finds
// each partition in one directory, whole.
#include <catch2/catch.hpp>
#include <cstdint>

#include "tests/support/moving_topics.h"

namespace sillok::tests {
namespace {

using broker::Acks;
using broker::PlacementRecord;
using protocol::ErrorCode;

TEST_CASE("topics' moves: the store knows where a partition was made, and where it moves to") {
  MovingTopics b;
  b.create_topic();
  CHECK(b.placement() == PlacementRecord{{{0, b.id_of(0)}}});
  b.write(3);
  REQUIRE(b.move_to("/b") == ErrorCode::none);
  b.finish();
  CHECK(b.placement() == PlacementRecord{{{0, b.id_of(1)}}});
  const auto before = b.records();
  b.crash_and_start(1, CrashMode::lose_all);
  b.settle();
  CHECK(b.path() == "/b");
  CHECK(b.records() == before);
  CHECK(b.folder_count() == 1);
  REQUIRE(b.topics->remove(kTopic).error == ErrorCode::none);
  CHECK(b.store->range(broker::kPlacementKeyPrefix)->empty());
}

TEST_CASE("topics' moves: a move that a crash interrupted begins anew, and comes to its end") {
  MovingTopics b;
  b.create_topic();
  b.write(3);
  const auto before = b.records();
  REQUIRE(b.move_to("/b") == ErrorCode::none);
  b.crash_and_start(1, CrashMode::keep_all);
  CHECK(b.path() == "/a");
  CHECK(b.has_future(1));
  b.settle();
  b.finish();
  CHECK(b.path() == "/b");
  CHECK(b.records() == before);
  CHECK(b.folder_count() == 1);
}

// Served from /b, and its folder in /a could not be removed.
void move_and_leave_source(MovingTopics& b) {
  b.create_topic();
  b.write(3);
  b.move_and_leave_source("/a", "/b");
  REQUIRE(b.has_folder(0));
  REQUIRE(b.placement().out.at(0) == b.id_of(0));
  b.write(1);
}

TEST_CASE("topics' moves: a source that stayed goes at the next start, when the copy is served") {
  MovingTopics b;
  move_and_leave_source(b);
  const auto before = b.records();
  SECTION("as it should be") {
    b.crash_and_start(1, CrashMode::lose_all);
    b.settle();
    CHECK(b.folder_count() == 1);
    CHECK(b.placement().out.empty());
  }
  SECTION("or the one after, where it does not go") {
    b.crash(1, CrashMode::lose_all);
    b.files.fail({FileCall::rename, "/a/orders"}, Errc::io_error);
    b.start_again();
    b.settle();
    CHECK(b.has_folder(0));
    CHECK(b.placement().out.at(0) == b.id_of(0));
  }
  CHECK(b.path() == "/b");
  CHECK(b.records() == before);
}

// From /b to /c, and its folder in /b could not be removed.
void move_on_and_leave_source(MovingTopics& b) {
  b.create_topic();
  b.write(3);
  b.move("/b");
  b.move_and_leave_source("/b", "/c");
  REQUIRE(b.has_folder(1));
}

TEST_CASE("topics' moves: a topic that is deleted while a source of it is away does not come back with it") {
  MovingTopics b;
  move_on_and_leave_source(b);
  b.crash(1, CrashMode::lose_all);
  b.start_again("/b");
  b.settle();
  REQUIRE(b.topics->remove(kTopic).error == ErrorCode::none);
  for (int start = 0; start < 2; ++start) {
    b.crash(1, CrashMode::lose_all);
    b.start_again("/b");
  }
  b.crash(1, CrashMode::lose_all);
  b.start_again();
  CHECK(b.topics->image()->find(kTopic) == nullptr);
  CHECK_FALSE(b.has_folder(1));
}

TEST_CASE("topics' moves: where the copy is lost for good, its source is not taken for it") {
  MovingTopics b;
  move_on_and_leave_source(b);
  for (int start = 0; start < 3; ++start) {
    b.crash(1, CrashMode::lose_all);
    b.start_again("/c", MovesFixture::Away::lost);
    CHECK(b.path_if_served().empty());
    CHECK(b.has_folder(1));
  }
}

TEST_CASE("topics' moves: a source stays while the copy is damaged") {
  MovingTopics b;
  move_and_leave_source(b);
  REQUIRE(b.partition()->pause().ok());
  b.partition()->resume();
  REQUIRE(b.partitions->write_checkpoints().ok());
  b.crash(1, CrashMode::lose_all);
  const auto segment = b.memory.open("/b/orders-0/00000000000000000000.log", storage::OpenMode::read_write);
  REQUIRE(segment.ok());
  REQUIRE((*segment)->truncate(FilePosition(100)).ok());
  REQUIRE((*segment)->sync_data().ok());
  b.start_again();
  CHECK(b.path_if_served() == "/b");
  CHECK(b.has_folder(0));
  CHECK(b.placement().out.at(0) == b.id_of(0));
}

void move_by_hand(MemFileSystem& files, const std::string& from, const std::string& to) {
  REQUIRE(files.make_directory(to).ok());
  const auto entries = files.list_directory(from);
  REQUIRE(entries.ok());
  for (const auto& entry : *entries) {
    const auto content = storage::read_file(files, storage::join_path(from, entry.name), 1 << 20);
    REQUIRE(content.ok());
    REQUIRE(storage::replace_file(files, storage::join_path(to, entry.name), *content).ok());
  }
  REQUIRE(files.remove_directory_tree(from).ok());
}

TEST_CASE("topics' moves: a source that stayed never stands for the partition again") {
  MovingTopics b;
  move_and_leave_source(b);
  const auto before = b.records();
  b.crash(1, CrashMode::lose_all);
  SECTION("whose folder was moved by hand") {
    move_by_hand(b.memory, "/b/orders-0", "/c/orders-0");
    b.start_again();
    b.settle();
    CHECK(b.path() == "/c");
    CHECK(b.records() == before);
  }
  SECTION("whose folder does not say whose it is any more") {
    REQUIRE(b.memory.remove("/b/orders-0/partition.metadata").ok());
    b.start_again();
    CHECK(b.path_if_served() != "/a");
    CHECK(b.has_folder(0));
  }
}

// Whether the process ended before the move did.
bool move_and_end_at(std::int64_t nth, CrashMode mode) {
  MovingTopics b;
  b.create_topic();
  b.write(3);
  const auto before = b.records();
  const LeaderEpoch epoch = b.partition()->leader_epoch();
  b.files.stop_at(nth, 0);
  (void)b.move_to("/b");
  b.finish();
  const bool has_failed = b.files.failure_count() > 0;
  b.crash_and_start(static_cast<std::uint64_t>(nth), mode);
  b.settle();
  CHECK(b.records() == before);
  // What was begun goes on, if anything of it was on disk.
  b.finish();
  CHECK(b.records() == before);
  CHECK((has_failed || b.path() == "/b"));
  CHECK(b.folder_count() == 1);
  CHECK(b.placement().out.empty());
  CHECK(b.placement().in.at(0) == b.id_of(b.path() == "/a" ? 0 : 1));
  CHECK(b.partition()->leader_epoch() >= epoch);
  const auto again = b.append(batch().producer(7, 0, 4).records(2));
  CHECK(again->told().at(0).result.base_offset == Offset(4));
  // And moves on.
  REQUIRE(b.move_to("/c") == ErrorCode::none);
  b.finish();
  CHECK(b.path() == "/c");
  CHECK(b.records() == before);
  return has_failed;
}

TEST_CASE("topics' moves: wherever the process ends, the start finds the partition once, with all of it") {
  const auto mode =
      GENERATE(CrashMode::lose_all, CrashMode::keep_all, CrashMode::random, CrashMode::random_names);
  for_each_call([&](std::int64_t nth) { return move_and_end_at(nth, mode); });
}

}  // namespace
}  // namespace sillok::tests
