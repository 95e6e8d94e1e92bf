#include "storage/clean_shutdown.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::MemFileSystem;

const std::string kMark = "/.kafka_cleanshutdown";
const std::string kNumber = "/sillok-incarnation";
const std::string kKafkaMark = R"({"version":0,"brokerEpoch":12})";

StartedIncarnation start(MemFileSystem& file_system) { return start_incarnation(file_system, "/").value(); }

// A clean run.
std::int64_t run(MemFileSystem& file_system) {
  const std::int64_t incarnation = start(file_system).incarnation;
  REQUIRE(write_clean_shutdown_mark(file_system, "/", incarnation).ok());
  return incarnation;
}

std::string failure_of(std::string_view text) {
  const auto parsed = parse_clean_shutdown_mark(text);
  REQUIRE_FALSE(parsed.ok());
  return to_string(parsed.error().code);
}

}  // namespace

TEST_CASE("clean shutdown: the mark is Kafka's, with the number of the run that it ended") {
  const std::string text = R"({"version":0,"brokerEpoch":-1,"sillok.incarnation":3})";
  CleanShutdownMark mark;
  mark.incarnation = 3;
  REQUIRE(serialize_clean_shutdown_mark(mark) == text);
  REQUIRE(parse_clean_shutdown_mark(text).value() == mark);
  REQUIRE(parse_clean_shutdown_mark(kKafkaMark).value() == CleanShutdownMark{12, std::nullopt});
  REQUIRE(parse_clean_shutdown_mark(R"({"version":0,"new":[{}]})").value() ==
          CleanShutdownMark{-1, std::nullopt});
}

TEST_CASE("clean shutdown: what is no mark is refused") {
  for (const std::string text :
       {"", "{", "[]", "{}", R"({"version":1})", R"({"version":"0"})", R"({"version":0,"brokerEpoch":"x"})",
        R"({"version":0,"sillok.incarnation":1.5})", R"({"version":0,"sillok.incarnation":0})",
        R"({"version":0,"sillok.incarnation":9223372036854775807})", R"({"version":0} x)"}) {
    INFO(text);
    REQUIRE(failure_of(text) == "malformed");
  }
  REQUIRE(failure_of(std::string(100'000, '[')) == "malformed");
}

TEST_CASE("clean shutdown: a first start is not clean, and numbers rise") {
  MemFileSystem file_system;
  const auto first = start(file_system);
  REQUIRE(first.incarnation == 1);
  REQUIRE_FALSE(first.was_clean);
  REQUIRE(first.warnings.empty());
  REQUIRE(start(file_system).incarnation == 2);
  REQUIRE(storage::read_file(file_system, kNumber, 100).value() == "0\n1\n2\n");
}

TEST_CASE("clean shutdown: the start after a mark is clean, and only that one") {
  MemFileSystem file_system;
  REQUIRE(run(file_system) == 1);
  file_system.crash(1, CrashMode::lose_all);
  const auto second = start(file_system);
  REQUIRE(second.was_clean);
  REQUIRE(second.incarnation == 2);
  REQUIRE_FALSE(file_system.exists(kMark).value());
  REQUIRE_FALSE(start(file_system).was_clean);
}

TEST_CASE("clean shutdown: on a full disk a start still has its number, durably") {
  MemFileSystem disk;
  const std::int64_t before = run(disk);
  tests::FaultFileSystem full(disk);
  full.fail({tests::FileCall::write, ".tmp", 1, tests::kEveryCall}, Errc::no_space);
  const auto started = start_incarnation(full, "/");
  REQUIRE(started.ok());
  CHECK(started->incarnation == before + 1);
  CHECK(started->was_clean);
  const auto survivor = disk.after_crash(1, CrashMode::lose_all);
  const StartedIncarnation next = start(*survivor);
  CHECK(next.incarnation == before + 2);
  CHECK_FALSE(next.was_clean);
}

TEST_CASE("clean shutdown: a mark that comes back after its run began is ignored") {
  MemFileSystem file_system;
  run(file_system);
  const std::string mark = read_file(file_system, kMark, 100).value();
  REQUIRE(start(file_system).was_clean);
  REQUIRE(replace_file(file_system, kMark, mark).ok());
  REQUIRE_FALSE(start(file_system).was_clean);
}

TEST_CASE("clean shutdown: a power cut at the start never makes a later start clean") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    MemFileSystem file_system;
    run(file_system);
    const std::int64_t second = start(file_system).incarnation;
    file_system.crash(seed, CrashMode::random_names);
    const auto third = start(file_system);
    REQUIRE_FALSE(third.was_clean);
    REQUIRE(third.incarnation > second);
  }
}

TEST_CASE("clean shutdown: Kafka's mark counts in a directory that we never wrote to, and only there") {
  MemFileSystem file_system;
  REQUIRE(replace_file(file_system, kMark, kKafkaMark).ok());
  REQUIRE(start(file_system).was_clean);
  REQUIRE(replace_file(file_system, kMark, kKafkaMark).ok());
  REQUIRE_FALSE(start(file_system).was_clean);
}

TEST_CASE("clean shutdown: unreadable files count as absent, with a warning") {
  MemFileSystem file_system;
  run(file_system);
  REQUIRE(replace_file(file_system, kMark, "{").ok());
  const auto after_bad_mark = start(file_system);
  REQUIRE_FALSE(after_bad_mark.was_clean);
  REQUIRE(after_bad_mark.incarnation == 2);
  REQUIRE(after_bad_mark.warnings.size() == 1);
  REQUIRE(after_bad_mark.warnings[0].find(kMark) != std::string::npos);

  REQUIRE(write_clean_shutdown_mark(file_system, "/", 2).ok());
  for (const std::string text : {"", "0\n1\nx\n", "0\n1\n0\n", "0\n1\n9223372036854775807\n", "0\n0\n"}) {
    INFO(text);
    REQUIRE(replace_file(file_system, kNumber, text).ok());
    REQUIRE(write_clean_shutdown_mark(file_system, "/", 5).ok());
    const auto after_bad_number = start(file_system);
    REQUIRE_FALSE(after_bad_number.was_clean);
    REQUIRE(after_bad_number.incarnation == 6);
    REQUIRE(after_bad_number.warnings.size() == 1);
  }
  // Kafka's mark beside a number of ours that cannot be read: ours may have run after it.
  REQUIRE(replace_file(file_system, kNumber, "x").ok());
  REQUIRE(replace_file(file_system, kMark, kKafkaMark).ok());
  REQUIRE_FALSE(start(file_system).was_clean);
}

}  // namespace sillok::storage
