// The table in protocol/PROTOCOL.md is what the messages say.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "protocol/messages/all.h"
#include "protocol/wire/describe.h"

namespace sillok::protocol {
namespace {

std::string api_table() {
  std::string table = "| Key | API | Versions | Flexible |\n|---|---|---|---|\n";
  for_each_api([&]<class Request, class Response>() {
    STATIC_REQUIRE(Request::kKey == Response::kKey);
    STATIC_REQUIRE(Request::kVersions == Response::kVersions);
    STATIC_REQUIRE(Request::kFlexible == Response::kFlexible);
    table += "| " + std::to_string(static_cast<int>(Request::kKey)) + " | " + to_string(Request::kKey) +
             " | " + to_string(Request::kVersions) + " | " + to_string(Request::kFlexible) + " |\n";
  });
  return table;
}

}  // namespace

TEST_CASE("document: the table of PROTOCOL.md has every API with its versions") {
  std::ifstream file(SILLOK_SOURCE_DIR "/protocol/PROTOCOL.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  const std::string begin = "<!-- api table -->\n";
  const std::size_t start = document.find(begin);
  const std::size_t end = document.find("<!-- end -->");
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  CHECK(document.substr(start + begin.size(), end - start - begin.size()) == api_table());
}

}  // namespace sillok::protocol
