#include "broker/net/connection_limits.h"

#include <catch2/catch.hpp>

namespace sillok::tests {
namespace {

using broker::ConnectionLimits;
using Admission = ConnectionLimits::Admission;

TEST_CASE("connection limits: an address may have one of its own, and local sockets have none") {
  ConnectionLimits limits({10, 1, {{"10.0.0.1", 2}, {"10.0.0.2", 0}}});
  CHECK(limits.enter("10.0.0.9") == Admission::admitted);
  CHECK(limits.enter("10.0.0.9") == Admission::too_many_from_address);
  CHECK(limits.enter("10.0.0.1") == Admission::admitted);
  CHECK(limits.enter("10.0.0.1") == Admission::admitted);
  CHECK(limits.enter("10.0.0.1") == Admission::too_many_from_address);
  CHECK(limits.enter("10.0.0.2") == Admission::too_many_from_address);
  for (int i = 0; i < 7; ++i) CHECK(limits.enter("") == Admission::admitted);
  CHECK(limits.enter("") == Admission::too_many);
}

TEST_CASE("connection limits: new ones hold for who comes next, and who is there stays") {
  ConnectionLimits limits({10, 10, {}});
  for (int i = 0; i < 3; ++i) CHECK(limits.enter("10.0.0.1") == Admission::admitted);
  limits.set({2, 10, {}});
  CHECK(limits.count() == 3);
  CHECK(limits.enter("10.0.0.2") == Admission::too_many);
  limits.leave("10.0.0.1");
  limits.leave("10.0.0.1");
  CHECK(limits.enter("10.0.0.2") == Admission::admitted);
  limits.set({10, 1, {}});
  CHECK(limits.enter("10.0.0.2") == Admission::too_many_from_address);
}

}  // namespace
}  // namespace sillok::tests
