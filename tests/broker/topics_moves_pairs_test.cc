// Moves between any two log directories: where the source's folder is still there at the start, it is the one
// that goes, at whatever start, and in whichever order the directories are.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "tests/support/moving_topics.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;

struct Pair {
  const char* from;
  const char* to;
};

void make_topic_in(MovingTopics& b, const char* directory) {
  b.create_topic();
  b.write(3);
  if (b.path() != directory) b.move(directory);
}

// The partition is served from the directory on record, which has its folder, with these records.
void check_served(const MovingTopics& b, const std::vector<OwnedRecord>& records) {
  b.settle();
  const std::size_t place = b.partitions->place_of(*b.partition());
  CHECK(b.has_folder(place));
  CHECK(b.placement().in.at(0) == b.id_of(place));
  CHECK(b.records() == records);
}

TEST_CASE("topics' moves: a source that stayed in any directory goes, and never the copy") {
  const Pair pair = GENERATE(Pair{"/a", "/b"}, Pair{"/a", "/c"}, Pair{"/b", "/a"}, Pair{"/b", "/c"},
                             Pair{"/c", "/a"}, Pair{"/c", "/b"});
  CAPTURE(pair.from, pair.to);
  MovingTopics b;
  make_topic_in(b, pair.from);
  b.move_and_leave_source(pair.from, pair.to);
  b.write(2);
  const auto records = b.records();
  for (int start = 0; start < 3; ++start) {
    b.crash_and_start(1, CrashMode::lose_all);
    check_served(b, records);
    CHECK(b.path() == pair.to);
    CHECK(b.folder_count() == 1);
  }
}

// Whether the process ended before the move did.
bool move_and_end_at(const Pair& pair, std::int64_t nth) {
  MovingTopics b;
  make_topic_in(b, pair.from);
  const auto records = b.records();
  b.files.stop_at(nth, 0);
  (void)b.move_to(pair.to);
  b.finish();
  const bool has_failed = b.files.failure_count() > 0;
  for (int start = 0; start < 3; ++start) {
    b.crash_and_start(static_cast<std::uint64_t>(nth), CrashMode::lose_all);
    check_served(b, records);
  }
  return has_failed;
}

TEST_CASE(
    "topics' moves: wherever the process ends in a move between any two, each later start has all of it") {
  const Pair pair =
      GENERATE(Pair{"/a", "/c"}, Pair{"/b", "/a"}, Pair{"/b", "/c"}, Pair{"/c", "/a"}, Pair{"/c", "/b"});
  CAPTURE(pair.from, pair.to);
  for_each_call([&](std::int64_t nth) { return move_and_end_at(pair, nth); });
}

// Else the next record of it would forget the first source, which then could stand for the partition.
TEST_CASE("topics' moves: a partition whose source stayed moves on when that is gone") {
  MovingTopics b;
  make_topic_in(b, "/a");
  b.move_and_leave_source("/a", "/b");
  b.write(2);
  for (const char* to : {"/a", "/c"}) CHECK(b.move_to(to) == ErrorCode::kafka_storage_error);
  b.finish();
  CHECK(b.path() == "/b");
  CHECK(b.placement().out.at(0) == b.id_of(0));
  const auto records = b.records();
  b.crash_and_start(1, CrashMode::lose_all);
  check_served(b, records);
  b.move("/c");
  CHECK(b.records() == records);
  CHECK(b.folder_count() == 1);
}

TEST_CASE("topics' moves: a record that names one directory for both ends loses nothing") {
  MovingTopics b;
  make_topic_in(b, "/b");
  const auto records = b.records();
  const auto topic_id = b.partition()->topic_id();
  const broker::PlacementRecord wrong{{{0, b.id_of(1)}}, {{0, b.id_of(1)}}};
  REQUIRE(b.store->txn({{}, {{broker::placement_key(topic_id), broker::encode(wrong)}}, {}}).ok());
  b.crash_and_start(1, CrashMode::keep_all);
  check_served(b, records);
  CHECK(b.path() == "/b");
  CHECK(b.placement().out.empty());
}

TEST_CASE("topics' moves: a move does not begin anew while a directory is missing") {
  MovingTopics b;
  make_topic_in(b, "/a");
  const auto records = b.records();
  REQUIRE(b.move_to("/b") == ErrorCode::none);
  b.crash(1, CrashMode::keep_all);
  b.start_again("/c");
  b.finish();
  check_served(b, records);
  CHECK(b.path() == "/a");
  CHECK(b.has_future(1));
  b.crash_and_start(1, CrashMode::keep_all);
  b.settle();
  b.finish();
  CHECK(b.path() == "/b");
  CHECK(b.records() == records);
}

}  // namespace
}  // namespace sillok::tests
