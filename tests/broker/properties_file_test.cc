#include "broker/properties_file.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.h"

namespace sillok::tests {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parse(std::string_view content) {
  const auto properties = broker::parse_properties(content);
  REQUIRE(properties.ok());
  Pairs pairs;
  for (const broker::Property& property : *properties) pairs.emplace_back(property.name, property.value);
  return pairs;
}

TEST_CASE("properties file: '=', ':' and space end a name, with space around them left out") {
  CHECK(parse("a=1\nb:2\nc 3\n  d \t = \f 4\ne\nf=\n") ==
        Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", ""}, {"f", ""}});
  CHECK(parse("a==1\nb=:2\nc : = 3") == Pairs{{"a", "=1"}, {"b", ":2"}, {"c", "= 3"}});
  CHECK(parse("listeners=PLAINTEXT://127.0.0.1:9092") == Pairs{{"listeners", "PLAINTEXT://127.0.0.1:9092"}});
}

TEST_CASE("properties file: space at the end of a value belongs to it") {
  CHECK(parse("a=1 \n") == Pairs{{"a", "1 "}});
}

TEST_CASE("properties file: comments and empty lines are left out") {
  CHECK(parse("# a=1\n! b=2\n\n   \n   # c=3\nd=4 # five\n") == Pairs{{"d", "4 # five"}});
}

TEST_CASE("properties file: a backslash at the end continues the line, without the next one's indentation") {
  CHECK(parse("a=1,\\\n    2,\\\r\n\t3\nb=4") == Pairs{{"a", "1,2,3"}, {"b", "4"}});
  CHECK(parse("a=1\\\\\nb=2") == Pairs{{"a", "1\\"}, {"b", "2"}});
  CHECK(parse("# not \\\na=1") == Pairs{{"a", "1"}});
  CHECK(parse("a=1\\") == Pairs{{"a", "1"}});
}

TEST_CASE("properties file: escapes") {
  CHECK(parse(R"(a=\t\n\r\f\\\q)") == Pairs{{"a", "\t\n\r\f\\q"}});
  CHECK(parse(R"(a\=b\:c\ d=1)") == Pairs{{"a=b:c d", "1"}});
  CHECK(parse("a=\\u0041\\u00e9\\uC2E4") == Pairs{{"a", "A\xc3\xa9\xec\x8b\xa4"}});
  CHECK(parse("a=\\ud83d\\ude00") == Pairs{{"a", "\xf0\x9f\x98\x80"}});
}

TEST_CASE("properties file: \\u without four digits is refused, with the line") {
  for (const char* text : {"x=1\n\na=\\u12", "x=1\n\na=\\u12g4", "x=1\n\na\\u=1"}) {
    const auto properties = broker::parse_properties(text);
    REQUIRE_FALSE(properties.ok());
    CHECK(properties.error().detail.find("line 3") != std::string::npos);
  }
}

TEST_CASE("properties file: every ending of lines counts") {
  CHECK(parse("a=1\rb=2\r\nc=3\nd=4") == Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
}

TEST_CASE("properties file: a property's line is where it begins") {
  const auto properties = broker::parse_properties("# one\na=1,\\\n2\nb=2\n");
  REQUIRE(properties.ok());
  CHECK((*properties)[0].line == 2);
  CHECK((*properties)[1].line == 4);
}

TEST_CASE("properties file: a file that is not there, too large or a directory is told by its name") {
  TempDir directory;
  const std::string large = directory.path("large");
  std::ofstream(large) << std::string((1 << 20) + 1, 'x');
  for (const std::string& path : {directory.path("absent"), large, directory.path()}) {
    INFO(path);
    const auto properties = broker::read_properties(path);
    REQUIRE_FALSE(properties.ok());
    CHECK(properties.error().code == Errc::invalid_config);
    CHECK(properties.error().detail.find(path) != std::string::npos);
  }
}

}  // namespace
}  // namespace sillok::tests
