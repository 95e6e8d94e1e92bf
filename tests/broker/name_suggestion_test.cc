#include "broker/name_suggestion.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sillok::tests {
namespace {

const std::vector<std::string_view> kKnown = {"log.dirs", "log.roll.ms", "num.partitions", "node.id"};

TEST_CASE("name suggestion: the nearest name by edits and swaps") {
  CHECK(broker::nearest_name("num.partitons", kKnown) == "num.partitions");
  CHECK(broker::nearest_name("nmu.partitions", kKnown) == "num.partitions");
  CHECK(broker::nearest_name("log.dir", kKnown) == "log.dirs");
  CHECK(broker::nearest_name("nodeid", kKnown) == "node.id");
  CHECK(broker::did_you_mean("log.dir", kKnown) == "; did you mean log.dirs?");
}

TEST_CASE("name suggestion: as far as a third of the name, and no farther") {
  const std::vector<std::string_view> known = {"abcdefghijkl"};
  CHECK(broker::nearest_name("abcdefghXYZ!", known) == "abcdefghijkl");
  CHECK(broker::nearest_name("XYZ!efghijkl", known) == "abcdefghijkl");
  CHECK(broker::nearest_name("badcfehgijkl", known) == "abcdefghijkl");
  CHECK(broker::nearest_name("abcdefgh", known).has_value() == false);
  CHECK(broker::nearest_name("abcdefghijklmnop", known) == "abcdefghijkl");
  CHECK_FALSE(broker::nearest_name("abcdefgXYZ!?", known).has_value());
  CHECK_FALSE(broker::nearest_name("XYZ!?fghijkl", known).has_value());
}

TEST_CASE("name suggestion: nothing for a name that is like none") {
  CHECK_FALSE(broker::nearest_name("retention", kKnown).has_value());
  CHECK_FALSE(broker::nearest_name("", kKnown).has_value());
  CHECK_FALSE(broker::nearest_name(std::string(10'000, 'x'), kKnown).has_value());
  CHECK(broker::did_you_mean("retention", kKnown).empty());
}

}  // namespace
}  // namespace sillok::tests
