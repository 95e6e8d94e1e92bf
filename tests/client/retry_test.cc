#include "client/retry.h"

#include <catch2/catch.hpp>

namespace sillok {
namespace {

using client::Milliseconds;

TEST_CASE("retry: pauses double up to the most, and begin again after a success") {
  client::Backoff backoff({Milliseconds(100), Milliseconds(350), 0.2}, [] { return 0.5; });
  for (const int expected : {100, 200, 350, 350}) CHECK(backoff.next() == Milliseconds(expected));
  backoff.reset();
  CHECK(backoff.next() == Milliseconds(100));
}

TEST_CASE("retry: a pause is at most its jitter away") {
  client::Backoff shortest({Milliseconds(100), Milliseconds(100), 0.2}, [] { return 0.0; });
  client::Backoff longest({Milliseconds(100), Milliseconds(100), 0.2}, [] { return 1.0; });
  CHECK(shortest.next() == Milliseconds(80));
  CHECK(longest.next() == Milliseconds(120));
}

TEST_CASE("retry: what no later try can mend is not tried again") {
  using protocol::ErrorCode;
  CHECK(client::is_retriable(ErrorCode::not_leader_or_follower));
  CHECK(client::is_retriable(ErrorCode::unknown_topic_or_partition));
  CHECK_FALSE(client::is_retriable(ErrorCode::message_too_large));
  CHECK_FALSE(client::is_retriable(ErrorCode::invalid_record));
  CHECK(client::is_retriable(Error{Errc::connection_lost, ""}));
  CHECK_FALSE(client::is_retriable(Error{Errc::unsupported_version, ""}));
}

}  // namespace
}  // namespace sillok
