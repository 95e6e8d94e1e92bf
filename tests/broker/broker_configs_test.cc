// What an Apache Kafka had changed of its brokers' settings, and that becomes ours.
#include "broker/broker_configs.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using broker::BrokerConfigs;
using broker::Configs;

constexpr auto kAll = BrokerConfigs::Scope::all_brokers;
constexpr auto kThis = BrokerConfigs::Scope::this_broker;

struct Adopting : HandlerFixture {
  Adopting() { make_topic("a"); }
  Configs adopt(BrokerConfigs::Scope scope, const Configs& configs) {
    notes.clear();
    REQUIRE(broker_configs->adopt(scope, configs, notes).ok());
    return broker_configs->configs(scope);
  }
  void set_here(BrokerConfigs::Scope scope, const std::string& name, const std::string& value) {
    REQUIRE(!broker_configs->alter(
        scope, {broker::ConfigChanges::Others::stay, {{name, protocol::ConfigOperation::set, value}}},
        broker::ValidateOnly::no));
  }
  std::vector<std::string> notes;
};

TEST_CASE("broker configs: what another broker kept is adopted one by one, and the rest noted") {
  Adopting a;
  CHECK(a.adopt(kAll, {{"log.retention.ms", "5000"}, {"log.segment.bytes", "1"}, {"no.such", "1"}}) ==
        Configs{{"log.retention.ms", "5000"}});
  CHECK(a.notes.size() == 2);
  CHECK(a.host.folders[{"a", 0}].config.retention_ms == 5000);
  CHECK(a.broker_configs->configs(kThis).empty());
}

TEST_CASE("broker configs: what the other broker had and has no more is removed, over restarts") {
  Adopting a;
  a.set_here(kAll, "log.cleaner.threads", "2");
  a.adopt(kAll, {{"log.retention.ms", "5000"}, {"message.max.bytes", "70000"}});
  a.adopt(kThis, {{"log.retention.ms", "6000"}});
  BrokerConfigs again(a.settings, *a.store);
  REQUIRE(again.load(a.notes).ok());
  REQUIRE(again.adopt(kAll, {{"message.max.bytes", "80000"}}, a.notes).ok());
  CHECK(again.configs(kAll) == Configs{{"log.cleaner.threads", "2"}, {"message.max.bytes", "80000"}});
  CHECK(again.configs(kThis) == Configs{{"log.retention.ms", "6000"}});
  REQUIRE(again.adopt(kAll, {}, a.notes).ok());
  REQUIRE(again.adopt(kThis, {}, a.notes).ok());
  CHECK(again.configs(kAll) == Configs{{"log.cleaner.threads", "2"}});
  CHECK(again.configs(kThis).empty());
}

TEST_CASE("broker configs: what the other broker changed to something impossible is not kept as it was") {
  Adopting a;
  a.adopt(kAll, {{"log.segment.bytes", "2000000"}});
  CHECK(a.adopt(kAll, {{"log.segment.bytes", "1"}}).empty());
  CHECK(a.notes.size() == 2);
}

TEST_CASE("broker configs: what was set here and never the other broker's stays") {
  Adopting a;
  a.adopt(kAll, {{"message.max.bytes", "70000"}});
  a.set_here(kAll, "message.max.bytes", "80000");
  a.set_here(kAll, "log.retention.ms", "5000");
  CHECK(a.adopt(kAll, {{"message.max.bytes", "70000"}}) ==
        Configs{{"log.retention.ms", "5000"}, {"message.max.bytes", "70000"}});
  CHECK(a.adopt(kAll, {}) == Configs{{"log.retention.ms", "5000"}});
}

TEST_CASE("broker configs: the limit of moves is one of run time, and this broker's is the stronger") {
  constexpr const char* kLimit = "replica.alter.log.dirs.io.max.bytes.per.second";
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  const auto fixed = broker::load_config({"", {}, {{kLimit, "5"}}});
  REQUIRE(fixed.ok());
  CHECK(fixed->config.move_bytes_per_second == kNone);
  CHECK(fixed->notes.size() == 1);
  Adopting a;
  const auto limit = [&] { return a.broker_configs->current()->config.move_bytes_per_second; };
  CHECK(limit() == kNone);
  a.adopt(kAll, {{kLimit, "70"}});
  CHECK(limit() == 70);
  a.adopt(kThis, {{kLimit, "80"}});
  CHECK(limit() == 80);
  a.adopt(kThis, {});
  CHECK(limit() == 70);
  a.adopt(kAll, {{kLimit, "-1"}});
  CHECK(limit() == kNone);
}

TEST_CASE("broker configs: what the store cannot keep is an error, not a note") {
  Adopting a;
  a.files.fail({FileCall::sync}, Errc::io_error);
  CHECK(a.broker_configs->adopt(kAll, {{"log.retention.ms", "5000"}}, a.notes).error().code ==
        Errc::io_error);
  CHECK(a.notes.empty());
}

}  // namespace
}  // namespace sillok::tests
