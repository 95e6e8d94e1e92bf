#include "protocol/base/utf8.h"

#include <catch2/catch.hpp>
#include <string_view>

namespace sillok::tests {
namespace {

TEST_CASE("utf8: text of every length of sequence is text") {
  for (std::string_view text : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\xc3\xa9z"}) {
    CHECK(is_utf8(text));
  }
}

TEST_CASE("utf8: cut, overlong, surrogate and too high sequences are none") {
  for (std::string_view text : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                "\xf4\x90\x80\x80", "\xe2\x82", "a\x80", "\xf5\x80\x80\x80"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace sillok::tests
