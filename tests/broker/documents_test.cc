// What the documents say of the program is what it says itself; `./dev doc` writes them anew.
#include "broker/documents.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

namespace sillok::tests {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(SILLOK_SOURCE_DIR "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("documents: PROTOCOL.md has every API that is served, with its versions") {
  const std::string document = content_of("protocol/PROTOCOL.md");
  const std::string begin = "<!-- api table -->\n";
  const std::size_t start = document.find(begin);
  const std::size_t end = document.find("<!-- end -->");
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  CHECK(document.substr(start + begin.size(), end - start - begin.size()) == broker::api_document());
}

TEST_CASE("documents: CONFIGURATION.md has every setting and config") {
  CHECK(content_of("broker/CONFIGURATION.md") == broker::configuration_document());
}

TEST_CASE("documents: there is none by another name") {
  CHECK(broker::document_named("protocol").has_value());
  CHECK_FALSE(broker::document_named("weather").has_value());
}

}  // namespace
}  // namespace sillok::tests
