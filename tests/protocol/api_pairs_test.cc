// Requests and responses of an API belong together.
#include <catch2/catch.hpp>

#include "protocol/messages/all.h"

namespace sillok::protocol {

TEST_CASE("messages: a request and its response have one key and the same versions") {
  for_each_api([&]<class Request, class Response>() {
    STATIC_REQUIRE(Request::kKey == Response::kKey);
    STATIC_REQUIRE(Request::kVersions == Response::kVersions);
    STATIC_REQUIRE(Request::kFlexible == Response::kFlexible);
  });
}

}  // namespace sillok::protocol
