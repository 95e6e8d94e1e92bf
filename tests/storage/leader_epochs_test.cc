#include "storage/leader_epochs.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/support/mem_file_system.h"
#include "tests/support/seed.h"

namespace sillok::storage {
namespace {

LeaderEpochs epochs(std::initializer_list<std::pair<std::int32_t, std::int64_t>> entries) {
  LeaderEpochs made;
  for (const auto& [epoch, start] : entries) REQUIRE(made.assign(LeaderEpoch(epoch), Offset(start)));
  made.check_invariants();
  return made;
}

std::string text(const LeaderEpochs& epochs) {
  epochs.check_invariants();
  std::string all;
  for (const auto& entry : epochs.entries()) {
    all += std::to_string(entry.epoch.value) + "@" + std::to_string(entry.start_offset.value) + " ";
  }
  return all;
}

LeaderEpochs::End end(std::int32_t epoch, std::int64_t offset) {
  return {LeaderEpoch(epoch), Offset(offset)};
}

std::string failure_of(std::string_view file) {
  const auto parsed = LeaderEpochs::parse(file);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().describe();
}

}  // namespace

TEST_CASE("leader epochs: a new epoch is noted once, from where it begins") {
  LeaderEpochs made;
  REQUIRE_FALSE(made.latest().has_value());
  REQUIRE(made.assign(LeaderEpoch(0), Offset(0)));
  REQUIRE_FALSE(made.assign(LeaderEpoch(0), Offset(10)));
  REQUIRE(made.assign(LeaderEpoch(2), Offset(10)));
  REQUIRE_FALSE(made.assign(LeaderEpoch(2), Offset(10)));
  REQUIRE(text(made) == "0@0 2@10 ");
  REQUIRE(made.latest()->epoch == LeaderEpoch(2));
}

TEST_CASE("leader epochs: entries that contradict a new one go") {
  auto same_start = epochs({{0, 0}, {1, 10}});
  REQUIRE(same_start.assign(LeaderEpoch(2), Offset(10)));
  REQUIRE(text(same_start) == "0@0 2@10 ");
  auto earlier_start = epochs({{0, 0}, {1, 10}, {2, 20}});
  REQUIRE(earlier_start.assign(LeaderEpoch(3), Offset(15)));
  REQUIRE(text(earlier_start) == "0@0 1@10 3@15 ");
  auto same_epoch = epochs({{0, 0}, {1, 10}});
  REQUIRE(same_epoch.assign(LeaderEpoch(1), Offset(5)));
  REQUIRE(text(same_epoch) == "0@0 1@5 ");
  auto lower_epoch = epochs({{0, 0}, {2, 10}, {3, 20}});
  REQUIRE(lower_epoch.assign(LeaderEpoch(1), Offset(30)));
  REQUIRE(text(lower_epoch) == "0@0 1@30 ");
}

TEST_CASE("leader epochs: an epoch ends where the next begins, and the latest at the log end") {
  const auto made = epochs({{2, 10}, {4, 20}, {7, 30}});
  const Offset log_end(35);
  REQUIRE(made.end_offset_for(LeaderEpoch(7), log_end) == end(7, 35));
  REQUIRE(made.end_offset_for(LeaderEpoch(4), log_end) == end(4, 30));
  REQUIRE(made.end_offset_for(LeaderEpoch(2), log_end) == end(2, 20));
}

TEST_CASE("leader epochs: an epoch without entries ends where the one before it does") {
  const auto made = epochs({{2, 10}, {4, 20}, {7, 30}});
  REQUIRE(made.end_offset_for(LeaderEpoch(3), Offset(35)) == end(2, 20));
  REQUIRE(made.end_offset_for(LeaderEpoch(6), Offset(35)) == end(4, 30));
}

TEST_CASE("leader epochs: one older than the log ends where it begins, and one past the latest is unknown") {
  const auto made = epochs({{2, 10}, {4, 20}});
  REQUIRE(made.end_offset_for(LeaderEpoch(0), Offset(35)) == end(0, 10));
  REQUIRE(made.end_offset_for(LeaderEpoch(5), Offset(35)) == end(-1, -1));
  REQUIRE(made.end_offset_for(LeaderEpoch(-1), Offset(35)) == end(-1, -1));
  REQUIRE(LeaderEpochs().end_offset_for(LeaderEpoch(0), Offset(35)) == end(-1, -1));
}

TEST_CASE("leader epochs: an offset is of the last epoch that begins at or before it") {
  const auto made = epochs({{2, 10}, {4, 20}});
  REQUIRE_FALSE(made.epoch_at(Offset(9)).has_value());
  REQUIRE(made.epoch_at(Offset(10)) == LeaderEpoch(2));
  REQUIRE(made.epoch_at(Offset(19)) == LeaderEpoch(2));
  REQUIRE(made.epoch_at(Offset(20)) == LeaderEpoch(4));
  REQUIRE(made.epoch_at(Offset(99)) == LeaderEpoch(4));
}

TEST_CASE("leader epochs: a truncated end takes the epochs that began in it") {
  auto made = epochs({{2, 10}, {4, 20}, {7, 30}});
  REQUIRE_FALSE(made.truncate_from_end(Offset(31)));
  REQUIRE(made.truncate_from_end(Offset(30)));
  REQUIRE(text(made) == "2@10 4@20 ");
  REQUIRE(made.truncate_from_end(Offset(0)));
  REQUIRE(made.entries().empty());
}

TEST_CASE("leader epochs: a later start of the log cuts the epoch that holds it") {
  auto made = epochs({{2, 10}, {4, 20}, {7, 30}});
  REQUIRE_FALSE(made.truncate_from_start(Offset(5)));
  REQUIRE_FALSE(made.truncate_from_start(Offset(10)));
  REQUIRE(made.truncate_from_start(Offset(15)));
  REQUIRE(text(made) == "2@15 4@20 7@30 ");
  REQUIRE(made.truncate_from_start(Offset(20)));
  REQUIRE(text(made) == "4@20 7@30 ");
  REQUIRE(made.truncate_from_start(Offset(99)));
  REQUIRE(text(made) == "7@99 ");
}

TEST_CASE("leader epochs: the file is Kafka's text") {
  const auto made = epochs({{0, 0}, {5, 1234}});
  REQUIRE(made.serialize() == "0\n2\n0 0\n5 1234\n");
  REQUIRE(text(LeaderEpochs::parse(made.serialize()).value()) == "0@0 5@1234 ");
  REQUIRE(failure_of("1\n0\n").starts_with("unsupported_version"));
  REQUIRE(failure_of("0\n1\n1 x\n") == "malformed: line 3: not \"<epoch> <start offset>\"");
  REQUIRE(failure_of("0\n1\n1\n") == "malformed: line 3: not \"<epoch> <start offset>\"");
  REQUIRE(failure_of("0\n1\n-1 0\n") == "malformed: line 3: not \"<epoch> <start offset>\"");
  REQUIRE(
      failure_of("0\n2\n1 5\n1 6\n").starts_with("malformed: line 4: epoch and start offset must be past"));
  REQUIRE(failure_of("0\n2\n1 5\n2 5\n").starts_with("malformed: line 4"));
}

TEST_CASE("leader epochs: a file without them is as good as one with none") {
  tests::MemFileSystem file_system;
  REQUIRE(LeaderEpochs::read(file_system, "/").value().entries().empty());
  const auto made = epochs({{0, 0}, {5, 1234}});
  REQUIRE(made.write(file_system, "/").ok());
  auto left = file_system.after_crash(1, tests::CrashMode::lose_all);
  REQUIRE(LeaderEpochs::read(*left, "/").value().entries() == made.entries());
}

TEST_CASE("leader epochs: past the limit the oldest go") {
  LeaderEpochs made;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(kLeaderEpochCountMax) + 2; ++i) {
    made.assign(LeaderEpoch(i), Offset(i * 10));
  }
  made.check_invariants();
  REQUIRE(made.entries().size() == kLeaderEpochCountMax);
  REQUIRE(made.entries().front() == LeaderEpochEntry{LeaderEpoch(2), Offset(20)});
}

TEST_CASE("leader epochs: any changes leave what the file can hold") {
  const std::uint64_t first = tests::seed();
  INFO("seed " << first);
  std::mt19937_64 random(first);
  LeaderEpochs made;
  for (int i = 0; i < 2000; ++i) {
    const auto number = static_cast<std::int32_t>(random() % 50);
    const Offset offset(static_cast<std::int64_t>(random() % 200));
    switch (random() % 4) {
      case 0:
        made.truncate_from_start(offset);
        break;
      case 1:
        made.truncate_from_end(offset);
        break;
      default:
        made.assign(LeaderEpoch(number), offset);
        REQUIRE(made.latest()->epoch == LeaderEpoch(number));
        REQUIRE(made.latest()->start_offset <= offset);
        break;
    }
    made.check_invariants();
    REQUIRE(LeaderEpochs::parse(made.serialize()).value().entries() == made.entries());
  }
}

}  // namespace sillok::storage
