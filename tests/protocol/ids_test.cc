#include "protocol/base/ids.h"

#include <catch2/catch.hpp>
#include <string>
#include <type_traits>
#include <unordered_set>

#include "protocol/api.h"
#include "protocol/error_code.h"

namespace sillok {

TEST_CASE("ids: one kind of id is not another, and none is a number") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<PartitionIndex, BrokerId>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::int32_t, PartitionIndex>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Offset, FilePosition>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Offset, std::int64_t>);
  STATIC_REQUIRE(sizeof(ProducerEpoch) == 2);
}

TEST_CASE("ids: places differ by a count, and a count moves a place") {
  const Offset offset(10);
  CHECK(offset + 5 == Offset(15));
  CHECK(offset - 5 == Offset(5));
  CHECK(Offset(15) - offset == 5);
  CHECK(offset < Offset(11));
  Offset moved = offset;
  moved += 2;
  CHECK(moved == Offset(12));
}

TEST_CASE("ids: ids can be keys of hash tables") {
  const std::unordered_set<BrokerId> brokers{BrokerId(1), BrokerId(2), BrokerId(1)};
  CHECK(brokers.size() == 2);
}

namespace protocol {

TEST_CASE("error codes: names are Kafka's, and a code without one is said to be unknown") {
  CHECK(to_string(ErrorCode::unknown_server_error) == std::string("UNKNOWN_SERVER_ERROR"));
  CHECK(to_string(ErrorCode::none) == std::string("NONE"));
  CHECK(to_string(ErrorCode{1}) == std::string("OFFSET_OUT_OF_RANGE"));
  CHECK(to_string(ErrorCode{47}) == std::string("INVALID_PRODUCER_EPOCH"));
  CHECK(to_string(ErrorCode::unknown_topic_id) == std::string("UNKNOWN_TOPIC_ID"));
  CHECK(to_string(ErrorCode::controller_id_not_registered) == std::string("CONTROLLER_ID_NOT_REGISTERED"));
  for (const int code : {-32768, -2, 137, 32767}) {
    CHECK(to_string(static_cast<ErrorCode>(code)) == std::string("UNKNOWN"));
  }
}

TEST_CASE("api keys: names are Kafka's, and a key without one is said to be unknown") {
  CHECK(to_string(ApiKey::offset_for_leader_epoch) == std::string("OffsetForLeaderEpoch"));
  CHECK(to_string(ApiKey{99}) == std::string("Unknown"));
}

}  // namespace protocol

}  // namespace sillok
