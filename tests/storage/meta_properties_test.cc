#include "storage/meta_properties.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/mem_file_system.h"

namespace sillok::storage {
namespace {

const std::string kClusterId = "MkU3OEVBNTcwNTJENDM2Qg";
const std::string kDirectoryId = "8hNoWBmqSzO2uQ4B8kXoGg";

std::string failure_of(std::string_view text) {
  const auto parsed = parse_meta_properties(text);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().describe();
}

}  // namespace

TEST_CASE("meta.properties: are Java properties as Kafka writes them") {
  const MetaProperties properties{kClusterId, BrokerId(7), Uuid::parse(kDirectoryId)};
  REQUIRE(serialize_meta_properties(properties) ==
          "version=1\ncluster.id=" + kClusterId + "\nnode.id=7\ndirectory.id=" + kDirectoryId + "\n");
  const std::string kafka = "#\n#Tue Nov 24 11:00:00 UTC 2026\ncluster.id=" + kClusterId +
                            "\ndirectory.id=" + kDirectoryId + "\nnode.id=7\nversion=1\n";
  REQUIRE(parse_meta_properties(kafka).value() == properties);
}

TEST_CASE("meta.properties: spaces, comments, line ends and unknown names do not matter") {
  const MetaProperties properties{kClusterId, BrokerId(0), std::nullopt};
  const auto parsed =
      parse_meta_properties("! note\r\n\r\n  version = 1 \r\nnode.id:0\nother=x\ncluster.id " + kClusterId);
  // Java keeps spaces at the end of a value, and so the version is not 1.
  REQUIRE_FALSE(parsed.ok());
  REQUIRE(parse_meta_properties("! note\r\n\r\n  version = 1\r\nnode.id:0\nother=x\ncluster.id " + kClusterId)
              .value() == properties);
}

TEST_CASE("meta.properties: every cluster id survives") {
  for (const std::string id : {"plain", "with=equals", "a:b#c!d\\e", "=", "\\"}) {
    const MetaProperties properties{id, BrokerId(1), std::nullopt};
    REQUIRE(parse_meta_properties(serialize_meta_properties(properties)).value() == properties);
  }
}

TEST_CASE("meta.properties: what does not say whose directory it is is refused") {
  REQUIRE(failure_of("") == "malformed: no version");
  REQUIRE(failure_of("version=0\nbroker.id=1\n") == "unsupported_version: version 0, only 1 is known");
  REQUIRE(failure_of("version=1\nnode.id=1\n") == "malformed: no cluster.id");
  REQUIRE(failure_of("version=1\ncluster.id=x\n") == "malformed: node.id is no number from 0 on");
  REQUIRE(failure_of("version=1\ncluster.id=x\nnode.id=-1\n") == "malformed: node.id is no number from 0 on");
  REQUIRE(failure_of("version=1\ncluster.id=x\nnode.id=1\ndirectory.id=x\n") ==
          "malformed: directory.id is no id");
}

TEST_CASE("meta.properties: are durable when written, and may be missing") {
  tests::MemFileSystem file_system;
  REQUIRE_FALSE(read_meta_properties(file_system, "/").value().has_value());
  const MetaProperties properties{kClusterId, BrokerId(7), Uuid::parse(kDirectoryId)};
  REQUIRE(write_meta_properties(file_system, "/", properties).ok());
  auto left = file_system.after_crash(1, tests::CrashMode::lose_all);
  REQUIRE(read_meta_properties(*left, "/").value() == properties);
}

}  // namespace sillok::storage
