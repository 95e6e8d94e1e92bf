#include "protocol/base/result.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

namespace sillok {
namespace {

Result<int> number_or(bool fails) {
  if (fails) return Error{Errc::not_found, "number"};
  return 7;
}

Result<std::string> text_of_number(bool fails) {
  const int number = TRY(number_or(fails));
  return std::to_string(number);
}

Result<std::unique_ptr<int>> pointer() { return std::make_unique<int>(3); }

Result<int> through_pointer() {
  const std::unique_ptr<int> owned = TRY(pointer());
  return *owned;
}

}  // namespace

TEST_CASE("result: TRY gives the value, or leaves the function with the error") {
  CHECK(text_of_number(false).value() == "7");
  const auto failed = text_of_number(true);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == Errc::not_found);
  CHECK(failed.error().detail == "number");
}

TEST_CASE("result: TRY moves values that cannot be copied") { CHECK(through_pointer().value() == 3); }

TEST_CASE("result: an error describes itself by the name of its code and its detail") {
  CHECK(Error{Errc::offset_out_of_range, "offset 5"}.describe() == "offset_out_of_range: offset 5");
  CHECK(Error{Errc::no_space, ""}.describe() == "no_space");
}

TEST_CASE("result: every code has a name of its own") {
  std::vector<std::string> names;
  for (int code = 0; code <= static_cast<int>(Errc::broker_error); ++code) {
    names.emplace_back(to_string(static_cast<Errc>(code)));
    CHECK(names.back() != "unknown");
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("result: without a value it is ok until it has an error") {
  Result<void> result;
  CHECK(result.ok());
  result = Error{Errc::closed, "log"};
  CHECK_FALSE(result.ok());
  CHECK(result.error().code == Errc::closed);
}

}  // namespace sillok
