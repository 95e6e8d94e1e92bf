#include "storage/checkpoint_file.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

const std::string kPath = "/recovery-point-offset-checkpoint";

PartitionOffset entry(std::string topic, std::int32_t partition, std::int64_t offset) {
  return {std::move(topic), PartitionIndex(partition), Offset(offset)};
}

std::string failure_of(std::string_view text) {
  const auto parsed = parse_offset_checkpoint(text);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().describe();
}

}  // namespace

TEST_CASE("checkpoint: is Kafka's text") {
  const std::vector<PartitionOffset> entries = {entry("orders", 0, 42),
                                                entry("a.b_c-d", 17, 9'223'372'036'854'775'807)};
  const std::string text = "0\n2\norders 0 42\na.b_c-d 17 9223372036854775807\n";
  REQUIRE(serialize_offset_checkpoint(entries) == text);
  REQUIRE(parse_offset_checkpoint(text).value() == entries);
  REQUIRE(serialize_offset_checkpoint({}) == "0\n0\n");
  REQUIRE(parse_offset_checkpoint("0\n0\n").value().empty());
}

TEST_CASE("checkpoint: an error names the line") {
  REQUIRE(failure_of("") == "malformed: line 1: version and count expected");
  REQUIRE(failure_of("0\n") == "malformed: line 2: version and count expected");
  REQUIRE(failure_of("zero\n0\n") == "malformed: line 1: not a version number");
  REQUIRE(failure_of("1\n0\n") == "unsupported_version: line 1: version 1, only 0 is known");
  REQUIRE(failure_of("0\n-1\n") == "malformed: line 2: not a count");
  REQUIRE(failure_of("0\n2\na 0 1\n") == "malformed: line 2: 2 entries announced, but 1 lines follow");
  REQUIRE(failure_of("0\n1\na 0 1\nb 0 1\n") == "malformed: line 2: 1 entries announced, but 2 lines follow");
  REQUIRE(failure_of("0\n1\na 0 1") == "malformed: line 3: does not end with a newline");
  REQUIRE(failure_of("0\n2\na 0 1\na 0 2\n") ==
          "malformed: line 4: a partition that an earlier line has as well");
}

TEST_CASE("checkpoint: a line is a topic, a partition and an offset, and nothing else") {
  for (const std::string line :
       {"", "a", "a 0", "a 0 ", "a 0 1 ", "a 0 1 2", " a 0 1", "a  0 1", " 0 1", "a -1 1", "a 0 -1", "a 0 +1",
        "a 0 01", "a x 1", "a 0 1x", "a 2147483648 1", "a 0 9223372036854775808", "a\t0\t1"}) {
    INFO("line \"" << line << '"');
    REQUIRE(failure_of("0\n1\n" + line + "\n") == "malformed: line 3: not \"<topic> <partition> <offset>\"");
  }
}

TEST_CASE("checkpoint: a count that lies costs no memory") {
  REQUIRE(failure_of("0\n9223372036854775807\n").starts_with("malformed: line 2"));
}

TEST_CASE("checkpoint file: a missing one is empty, and an error names the file") {
  tests::MemFileSystem file_system;
  REQUIRE(read_offset_checkpoint(file_system, kPath).value().empty());
  const std::vector<PartitionOffset> entries = {entry("orders", 3, 7)};
  REQUIRE(write_offset_checkpoint(file_system, kPath, entries).ok());
  REQUIRE(read_offset_checkpoint(file_system, kPath).value() == entries);
  REQUIRE(replace_file(file_system, kPath, "0\nx\n").ok());
  REQUIRE(read_offset_checkpoint(file_system, kPath).error().detail == kPath + ": line 2: not a count");
}

TEST_CASE("checkpoint file: is on disk when the write returns, and a write that fails leaves the old one") {
  tests::MemFileSystem disk;
  tests::FaultFileSystem file_system(disk);
  const std::vector<PartitionOffset> first = {entry("orders", 3, 7)};
  const std::vector<PartitionOffset> second = {entry("orders", 3, 8)};
  REQUIRE(write_offset_checkpoint(file_system, kPath, first).ok());
  REQUIRE(read_offset_checkpoint(*disk.after_crash(1, tests::CrashMode::lose_all), kPath).value() == first);
  using tests::FileCall;
  for (const FileCall call : {FileCall::open, FileCall::write, FileCall::sync, FileCall::rename}) {
    file_system.fail({call}, Errc::no_space);
    REQUIRE(write_offset_checkpoint(file_system, kPath, second).error().code == Errc::no_space);
    REQUIRE(read_offset_checkpoint(file_system, kPath).value() == first);
  }
  file_system.fail({FileCall::read}, Errc::io_error);
  REQUIRE(read_offset_checkpoint(file_system, kPath).error().code == Errc::io_error);
}

}  // namespace sillok::storage
