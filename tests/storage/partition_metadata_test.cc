#include "storage/partition_metadata.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

const std::string kId = "8hNoWBmqSzO2uQ4B8kXoGg";

std::string failure_of(std::string_view text) {
  const auto parsed = parse_partition_metadata(text);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().describe();
}

}  // namespace

TEST_CASE("partition.metadata: is Kafka's text") {
  const TopicId id = Uuid::parse(kId).value();
  REQUIRE(serialize_partition_metadata(id) == "version: 0\ntopic_id: " + kId);
  REQUIRE(parse_partition_metadata("version: 0\ntopic_id: " + kId).value() == id);
  REQUIRE(parse_partition_metadata("version: 0\ntopic_id: " + kId + "\n").value() == id);
}

TEST_CASE("partition.metadata: what is no topic id is refused") {
  REQUIRE(failure_of("") == "malformed: line 1: not \"version: <number>\"");
  REQUIRE(failure_of("version: 1\ntopic_id: " + kId) == "unsupported_version: version 1, only 0 is known");
  REQUIRE(failure_of("version: 0") == "malformed: line 2: not \"topic_id: <id>\"");
  REQUIRE(failure_of("version: 0\ntopic_id: x") == "malformed: line 2: no topic id");
  REQUIRE(failure_of("version: 0\ntopic_id: " + kId + "A") == "malformed: line 2: no topic id");
  REQUIRE(failure_of("version: 0\ntopic_id: " + kId + "\nmore") == "malformed: more than two lines");
  // All zero is Kafka's "none".
  REQUIRE(failure_of("version: 0\ntopic_id: " + Uuid{}.to_string()) == "malformed: line 2: no topic id");
}

TEST_CASE("partition.metadata: is durable when written, and may be missing") {
  tests::MemFileSystem file_system;
  REQUIRE_FALSE(read_partition_metadata(file_system, "/").value().has_value());
  const TopicId id = Uuid::parse(kId).value();
  REQUIRE(write_partition_metadata(file_system, "/", id).ok());
  auto left = file_system.after_crash(1, tests::CrashMode::lose_all);
  REQUIRE(read_partition_metadata(*left, "/").value() == id);
  REQUIRE(replace_file(*left, "/partition.metadata", std::string(5000, 'x')).ok());
  REQUIRE(read_partition_metadata(*left, "/").error().code == Errc::malformed);
}

}  // namespace sillok::storage
