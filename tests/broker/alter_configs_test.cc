#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/cpu_time.h"
#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::AlterConfigsRequest;
using protocol::AlterConfigsResponse;
using protocol::ConfigOperation;
using protocol::ConfigResourceType;
using protocol::ErrorCode;
using protocol::IncrementalAlterConfigsConfig;
using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;

using Changes = std::vector<IncrementalAlterConfigsConfig>;

IncrementalAlterConfigsRequest changing(ConfigResourceType type, std::string_view name, Changes changes) {
  IncrementalAlterConfigsRequest request;
  request.resources = {{type, name, std::move(changes)}};
  return request;
}

ErrorCode change(HandlerFixture& fixture, const IncrementalAlterConfigsRequest& request,
                 protocol::Version version = 1) {
  const auto response = fixture.ask<IncrementalAlterConfigsResponse>(broker::handle_incremental_alter_configs,
                                                                     request, version);
  CHECK((response.responses.at(0).error_code == ErrorCode::none) ==
        !response.responses.at(0).error_message.has_value());
  return response.responses.at(0).error_code;
}

ErrorCode change_topic(HandlerFixture& fixture, Changes changes) {
  return change(fixture, changing(ConfigResourceType::topic, "a", std::move(changes)));
}

ErrorCode change_broker(HandlerFixture& fixture, std::string_view name, Changes changes) {
  return change(fixture, changing(ConfigResourceType::broker, name, std::move(changes)));
}

IncrementalAlterConfigsConfig set(std::string_view name, std::string_view value) {
  return {name, ConfigOperation::set, value};
}
IncrementalAlterConfigsConfig remove(std::string_view name) {
  return {name, ConfigOperation::remove, std::nullopt};
}
IncrementalAlterConfigsConfig append(std::string_view name, std::string_view value) {
  return {name, ConfigOperation::append, value};
}
IncrementalAlterConfigsConfig subtract(std::string_view name, std::string_view value) {
  return {name, ConfigOperation::subtract, value};
}

std::string config_of(const HandlerFixture& fixture, const std::string& name) {
  const auto image = fixture.topics->image();
  const auto& configs = image->find("a")->configs;
  const auto found = configs.find(name);
  return found == configs.end() ? "(none)" : found->second;
}

TEST_CASE("alter configs: a topic's config is set, reaches its partitions, lasts, and goes back") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CHECK(change_topic(fixture, {set("retention.ms", "1000"), set("segment.bytes", "2097152")}) ==
        ErrorCode::none);
  CHECK(config_of(fixture, "retention.ms") == "1000");
  for (std::int32_t partition : {0, 1}) {
    CHECK(fixture.host.folders[{"a", partition}].config.retention_ms == 1000);
    CHECK(fixture.host.folders[{"a", partition}].config.segment_bytes == 2'097'152);
  }
  broker::Topics again(fixture.settings.config, *fixture.store, fixture.host);
  std::vector<std::string> notes;
  fixture.host.restart();
  REQUIRE(again.load(notes).ok());
  CHECK(again.image()->find("a")->log_config.retention_ms == 1000);
  CHECK(change_topic(fixture, {remove("retention.ms")}) == ErrorCode::none);
  CHECK(config_of(fixture, "retention.ms") == "(none)");
  CHECK(fixture.host.folders[{"a", 0}].config.retention_ms == 604'800'000);
  CHECK(fixture.host.folders[{"a", 0}].config.segment_bytes == 2'097'152);
}

TEST_CASE("alter configs: lists are added to and taken from, beginning with what they inherit") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  CHECK(change_topic(fixture, {append("cleanup.policy", "compact")}) == ErrorCode::none);
  CHECK(config_of(fixture, "cleanup.policy") == "delete,compact");
  CHECK(change_topic(fixture, {append("cleanup.policy", "compact")}) == ErrorCode::none);
  CHECK(config_of(fixture, "cleanup.policy") == "delete,compact");
  CHECK(change_topic(fixture, {subtract("cleanup.policy", "delete,none")}) == ErrorCode::none);
  CHECK(config_of(fixture, "cleanup.policy") == "compact");
  CHECK(change_topic(fixture, {subtract("cleanup.policy", "compact")}) == ErrorCode::none);
  CHECK(config_of(fixture, "cleanup.policy") == "");
  CHECK(change_topic(fixture, {append("retention.ms", "5")}) == ErrorCode::invalid_config);
  constexpr std::string_view kThrottled = "leader.replication.throttled.replicas";
  CHECK(change_topic(fixture, {set(kThrottled, "0:1,1:1,0:1,2:1,0:1")}) == ErrorCode::none);
  CHECK(change_topic(fixture, {append(kThrottled, "3:1,2:1,3:1")}) == ErrorCode::none);
  CHECK(config_of(fixture, std::string(kThrottled)) == "0:1,1:1,0:1,2:1,0:1,3:1");
  CHECK(change_topic(fixture, {subtract(kThrottled, "0:1,9:1,0:1,2:1")}) == ErrorCode::none);
  CHECK(config_of(fixture, std::string(kThrottled)) == "1:1,0:1,3:1");
}

TEST_CASE("alter configs: a list of very many elements is changed by one that is as long") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  constexpr const char* kReplicas = "leader.replication.throttled.replicas";
  const auto cost = [&](int count) {
    std::string many = "1:1";
    for (int i = 2; i < count; ++i) many += "," + std::to_string(i) + ":1";
    return cpu_time_of([&] {
      CHECK(change_topic(fixture, {append(kReplicas, many)}) == ErrorCode::invalid_config);
      CHECK(change_topic(fixture, {subtract(kReplicas, many)}) == ErrorCode::none);
    });
  };
  CHECK(cost(80'000) < 32 * cost(10'000));  // each with each is 64 times as much
}

// What Apache Kafka 4.3.1 answers to the same.
TEST_CASE("alter configs: what cannot be is refused with Kafka's error, and changes nothing") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  CHECK(change_topic(fixture, {remove("nonsense")}) == ErrorCode::none);
  CHECK(change_topic(fixture, {set("nonsense", "1")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set("retention.ms", "x")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set("retention.ms", "-5")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set("retention.ms", "5"), set("retention.ms", "6")}) ==
        ErrorCode::invalid_request);
  CHECK(change_topic(fixture, {{"retention.ms", ConfigOperation::set, std::nullopt}}) ==
        ErrorCode::invalid_request);
  CHECK(change_topic(fixture, {{"retention.ms", static_cast<ConfigOperation>(9), "5"}}) ==
        ErrorCode::invalid_request);
  CHECK(change_topic(fixture, {set("min.compaction.lag.ms", "100"), set("max.compaction.lag.ms", "10")}) ==
        ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set("compression.gzip.level", "0")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set("retention.ms", "1000"), set("segment.bytes", "1")}) ==
        ErrorCode::invalid_config);
  CHECK(fixture.topics->image()->find("a")->configs.empty());
  CHECK(change(fixture, changing(ConfigResourceType::topic, "b", {set("retention.ms", "5")})) ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(change(fixture, changing(ConfigResourceType::topic, "b b", {set("retention.ms", "5")})) ==
        ErrorCode::invalid_topic_exception);
  CHECK(change(fixture, changing(ConfigResourceType::topic, "", {set("retention.ms", "5")})) ==
        ErrorCode::invalid_request);
}

TEST_CASE("alter configs: what is wrong with the configs is told before that there is no such topic") {
  HandlerFixture fixture;
  const auto change_named = [&](std::string_view name, IncrementalAlterConfigsConfig one) {
    return change(fixture, changing(ConfigResourceType::topic, name, {one}));
  };
  CHECK(change_named("absent", set("retention.ms", "x")) == ErrorCode::invalid_config);
  CHECK(change_named("absent", set("nonsense", "1")) == ErrorCode::invalid_config);
  CHECK(change_named("absent", append("retention.ms", "1")) == ErrorCode::invalid_config);
  CHECK(change_named("absent", append("cleanup.policy", "compact")) == ErrorCode::unknown_topic_or_partition);
  CHECK(change_named("absent", set("min.compaction.lag.ms", "9223372036854775807")) ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(change_named("absent", {"retention.ms", ConfigOperation::set, std::nullopt}) ==
        ErrorCode::invalid_request);
  CHECK(change_named("b b", set("retention.ms", "x")) == ErrorCode::invalid_topic_exception);
  CHECK(change_named("b b", append("retention.ms", "1")) == ErrorCode::invalid_config);
  CHECK(change_named("", set("nonsense", "1")) == ErrorCode::invalid_request);
}

TEST_CASE("alter configs: a topic's compaction lags must fit those that it has of the broker") {
  HandlerFixture fixture{{"log.cleaner.max.compaction.lag.ms", "1000"}};
  fixture.make_topic("a");
  constexpr std::string_view kMin = "min.compaction.lag.ms";
  constexpr std::string_view kMax = "max.compaction.lag.ms";
  const auto made = [&](std::map<std::string, std::string> configs) {
    return fixture.make_topic("b", 1, std::move(configs)).error;
  };
  CHECK(made({{std::string(kMin), "5000"}}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set(kMin, "5000")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set(kMin, "1000")}) == ErrorCode::none);
  CHECK(change_topic(fixture, {set(kMax, "6000")}) == ErrorCode::none);
  CHECK(change_topic(fixture, {set(kMin, "5000")}) == ErrorCode::none);
  CHECK(change_topic(fixture, {remove(kMax)}) == ErrorCode::invalid_config);
  CHECK(change_broker(fixture, "", {set("log.cleaner.min.compaction.lag.ms", "500")}) == ErrorCode::none);
  CHECK(made({{std::string(kMax), "499"}}) == ErrorCode::invalid_config);
  CHECK(made({{std::string(kMax), "500"}}) == ErrorCode::none);
}

TEST_CASE("alter configs: a value has at most as many bytes as Kafka takes, of every resource") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  const auto throttled = [](std::size_t size) { return std::string(size - 2, '0') + ":1"; };
  const std::string longest = throttled(broker::kConfigValueSizeMax);
  const std::string too_long = throttled(broker::kConfigValueSizeMax + 1);
  constexpr std::string_view kName = "leader.replication.throttled.replicas";
  CHECK(change_topic(fixture, {set(kName, longest)}) == ErrorCode::none);
  CHECK(change_topic(fixture, {append(kName, "1:1")}) == ErrorCode::invalid_config);
  CHECK(change_topic(fixture, {set(kName, too_long)}) == ErrorCode::invalid_config);
  CHECK(config_of(fixture, std::string(kName)) == longest);
  CHECK(change_broker(fixture, "1", {set("listener.name.x.y", longest)}) == ErrorCode::none);
  CHECK(change_broker(fixture, "1", {set("listener.name.x.y", too_long)}) == ErrorCode::invalid_config);
  const auto match = [&](std::string_view value) {
    return change(fixture, changing(ConfigResourceType::client_metrics, "m", {set("match", value)}));
  };
  const std::string one_too_many = "client_id=" + std::string(broker::kConfigValueSizeMax - 9, 'x');
  CHECK(match(one_too_many) == ErrorCode::invalid_config);
  CHECK(match(std::string_view(one_too_many).substr(0, broker::kConfigValueSizeMax)) == ErrorCode::none);
}

TEST_CASE("alter configs: bytes that are no UTF-8 are refused: the metadata could not be read again") {
  HandlerFixture fixture;
  CHECK(change_broker(fixture, "1", {set("listener.name.x.ssl.key.password", "\xff")}) ==
        ErrorCode::invalid_request);
  CHECK(change_broker(fixture, "1", {set("listener.name.\xc0.ssl.key.password", "x")}) ==
        ErrorCode::invalid_request);
  CHECK(change(fixture, changing(ConfigResourceType::group, "\xff",
                                 {set("share.isolation.level", "read_committed")})) ==
        ErrorCode::invalid_request);
}

TEST_CASE("alter configs: only tried, nothing changes") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  auto request = changing(ConfigResourceType::topic, "a", {set("retention.ms", "1000")});
  request.validate_only = true;
  CHECK(change(fixture, request) == ErrorCode::none);
  CHECK(config_of(fixture, "retention.ms") == "(none)");
  request.resources[0].configs[0].value = "x";
  CHECK(change(fixture, request) == ErrorCode::invalid_config);
}

TEST_CASE("alter configs: a resource that comes twice is refused both times, the others are altered") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  fixture.make_topic("b");
  IncrementalAlterConfigsRequest request;
  for (std::string_view name : {"a", "b", "a"}) {
    request.resources.push_back({ConfigResourceType::topic, name, {set("retention.ms", "1000")}});
  }
  const auto response =
      fixture.ask<IncrementalAlterConfigsResponse>(broker::handle_incremental_alter_configs, request, 0);
  REQUIRE(response.responses.size() == 3);
  CHECK(response.responses[0].error_code == ErrorCode::invalid_request);
  CHECK(response.responses[1].error_code == ErrorCode::none);
  CHECK(response.responses[2].error_code == ErrorCode::invalid_request);
  CHECK(config_of(fixture, "retention.ms") == "(none)");
}

TEST_CASE("alter configs: the older request sets what it names, and the rest goes back") {
  HandlerFixture fixture;
  fixture.make_topic("a", 1, {{"retention.ms", "5"}, {"segment.bytes", "2097152"}});
  AlterConfigsRequest request;
  request.resources = {{ConfigResourceType::topic, "a", {{"retention.ms", "7"}}}};
  for (protocol::Version version = 0; version <= 2; ++version) {
    const auto response = fixture.ask<AlterConfigsResponse>(broker::handle_alter_configs, request, version);
    CHECK(response.responses.at(0).error_code == ErrorCode::none);
    CHECK(config_of(fixture, "retention.ms") == "7");
    CHECK(config_of(fixture, "segment.bytes") == "(none)");
  }
  request.resources[0].configs[0].value.reset();
  CHECK(fixture.ask<AlterConfigsResponse>(broker::handle_alter_configs, request, 2)
            .responses.at(0)
            .error_code == ErrorCode::invalid_request);
}

TEST_CASE("alter configs: a disk that fails refuses the change") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  fixture.files.fail({FileCall::sync}, Errc::io_error);
  CHECK(change_topic(fixture, {set("retention.ms", "1000")}) == ErrorCode::kafka_storage_error);
  CHECK(config_of(fixture, "retention.ms") == "(none)");
  CHECK(fixture.host.folders[{"a", 0}].config.retention_ms != 1000);
}

TEST_CASE("alter configs: topics follow the broker's settings, this broker's before all brokers'") {
  HandlerFixture fixture{{"log.retention.ms", "4000"}};
  fixture.make_topic("a");
  fixture.make_topic("own", 1, {{"retention.ms", "1"}});
  const auto retention = [&](const std::string& topic) {
    return fixture.host.folders[{topic, 0}].config.retention_ms;
  };
  CHECK(change_broker(fixture, "", {set("log.retention.ms", "5000")}) == ErrorCode::none);
  CHECK(retention("a") == 5000);
  CHECK(change_broker(fixture, "1", {set("log.retention.ms", "6000")}) == ErrorCode::none);
  CHECK(retention("a") == 6000);
  CHECK(retention("own") == 1);
  fixture.make_topic("later");
  CHECK(retention("later") == 6000);
  CHECK(change_broker(fixture, "1", {remove("log.retention.ms")}) == ErrorCode::none);
  CHECK(retention("a") == 5000);
  CHECK(change_broker(fixture, "", {remove("log.retention.ms")}) == ErrorCode::none);
  CHECK(retention("a") == 4000);
}

// What Apache Kafka 4.3.1 answers to the same, but for names that it does not know: it keeps them.
TEST_CASE("alter configs: of the broker, what cannot be is refused with Kafka's error") {
  HandlerFixture fixture;
  const auto one = [&](std::string_view name, std::string_view value) {
    return change_broker(fixture, "1", {set(name, value)});
  };
  CHECK(one("num.partitions", "5") == ErrorCode::invalid_request);
  CHECK(one("log.retention.hours", "5") == ErrorCode::invalid_request);
  CHECK(one("log.retention.ms", "x") == ErrorCode::invalid_request);
  CHECK(one("log.segment.bytes", "100") == ErrorCode::invalid_request);
  CHECK(one("nonsense", "5") == ErrorCode::invalid_request);
  CHECK(one("ssl.keystore.location", "/x") == ErrorCode::invalid_request);
  CHECK(one("num.io.threads", "100") == ErrorCode::invalid_request);
  CHECK(one("background.threads", "21") == ErrorCode::invalid_request);
  CHECK(one("background.threads", "4") == ErrorCode::invalid_request);
  CHECK(one("max.connections", "0") == ErrorCode::invalid_request);
  CHECK(one("max.connections.per.ip.overrides", "x") == ErrorCode::invalid_request);
  CHECK(one("leader.replication.throttled.rate", "x") == ErrorCode::invalid_request);
  CHECK(change_broker(fixture, "2", {set("log.retention.ms", "5")}) == ErrorCode::invalid_request);
  CHECK(change_broker(fixture, "", {append("log.retention.ms", "5")}) == ErrorCode::invalid_config);
  CHECK(fixture.broker_configs->configs(broker::BrokerConfigs::Scope::this_broker).empty());
  CHECK(one("background.threads", "20") == ErrorCode::none);
  CHECK(one("background.threads", "40") == ErrorCode::none);
  CHECK(one("leader.replication.throttled.rate", "10") == ErrorCode::none);
  CHECK(change_broker(fixture, "", {append("log.cleanup.policy", "compact")}) == ErrorCode::none);
}

TEST_CASE(
    "alter configs: the broker's settings last, but what is no longer valid does not keep it from starting") {
  HandlerFixture fixture;
  CHECK(change_broker(fixture, "", {set("max.connections", "77")}) == ErrorCode::none);
  CHECK(change_broker(fixture, "1", {set("message.max.bytes", "5000")}) == ErrorCode::none);
  REQUIRE(*fixture.store->txn({{},
                               {{"configs/broker/1", R"({"format":1,"configs":{"message.max.bytes":"5000",)"
                                                     R"("num.io.threads":"many","gone":"1"}})"}},
                               {}}));
  broker::BrokerConfigs again(fixture.settings, *fixture.store);
  std::vector<std::string> notes;
  REQUIRE(again.load(notes).ok());
  CHECK(again.current()->config.max_connections == 77);
  CHECK(again.current()->config.log_defaults.max_message_bytes == 5000);
  CHECK(again.current()->config.io_threads == 4);
  CHECK(notes.size() == 2);
}

TEST_CASE(
    "alter configs: groups and subscriptions to client metrics keep theirs, within the broker's bounds") {
  HandlerFixture fixture;
  const auto group = [&](std::string_view name, std::string_view value) {
    return change(fixture, changing(ConfigResourceType::group, "g", {set(name, value)}));
  };
  CHECK(group("consumer.session.timeout.ms", "50000") == ErrorCode::none);
  CHECK(group("consumer.session.timeout.ms", "5") == ErrorCode::invalid_config);
  CHECK(group("consumer.heartbeat.interval.ms", "60000") == ErrorCode::invalid_config);
  CHECK(group("nonsense", "5") == ErrorCode::invalid_config);
  CHECK(group("share.auto.offset.reset", "by_duration:P1DT2H3.5S") == ErrorCode::none);
  for (std::string_view bad :
       {"latestt", "by_duration:", "by_duration:P", "by_duration:P1DT", "by_duration:1D"}) {
    INFO(bad);
    CHECK(group("share.auto.offset.reset", bad) == ErrorCode::invalid_config);
  }
  const auto metrics = [&](std::string_view name, std::string_view value) {
    return change(fixture, changing(ConfigResourceType::client_metrics, "m 1", {set(name, value)}));
  };
  CHECK(metrics("interval.ms", "1000") == ErrorCode::none);
  CHECK(metrics("interval.ms", "1") == ErrorCode::invalid_request);
  CHECK(metrics("match", "client_id=x,client_software_name=y.*") == ErrorCode::none);
  CHECK(metrics("match", "zz=x") == ErrorCode::invalid_config);
  CHECK(metrics("nonsense", "x") == ErrorCode::invalid_request);
  CHECK(change(fixture, changing(ConfigResourceType::client_metrics, "", {set("interval.ms", "1000")})) ==
        ErrorCode::invalid_request);
  broker::ResourceConfigs again(*fixture.store);
  REQUIRE(again.load().ok());
  CHECK(again.names(broker::ResourceKind::group) == std::vector<std::string>{"g"});
  CHECK(again.find(broker::ResourceKind::client_metrics, "m 1").at("interval.ms") == "1000");
}

TEST_CASE("alter configs: what is no longer valid stands in the way of no later change") {
  HandlerFixture fixture;
  REQUIRE(*fixture.store->txn(
      {{}, {{"configs/broker/1", R"({"format":1,"configs":{"num.io.threads":"many"}})"}}, {}}));
  std::vector<std::string> notes;
  REQUIRE(fixture.broker_configs->load(notes).ok());
  CHECK(notes.size() == 1);
  CHECK(change_broker(fixture, "", {set("log.retention.ms", "5000")}) == ErrorCode::none);
  CHECK(change_broker(fixture, "1", {set("log.retention.ms", "6000")}) == ErrorCode::none);
}

TEST_CASE("alter configs: there is a limit to how many settings are kept") {
  HandlerFixture fixture;
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= broker::BrokerConfigs::kAlteredMax; ++i) {
    names.push_back("listener.name.l" + std::to_string(i) + ".ssl.protocol");
  }
  Changes changes;
  for (const std::string& name : names) changes.push_back(set(name, "x"));
  CHECK(change_broker(fixture, "1", changes) == ErrorCode::policy_violation);
  changes.pop_back();
  CHECK(change_broker(fixture, "1", changes) == ErrorCode::none);
}

TEST_CASE("alter configs: there is a limit to the bytes that are kept, of the broker and of each kind") {
  HandlerFixture fixture;
  const std::string longest(broker::kConfigValueSizeMax, 'x');
  // How many are taken before one is refused, which then has room when another one goes.
  const auto fill = [&](ConfigResourceType type, std::string_view resource, std::string_view config,
                        const std::string& value) {
    const auto one = [&](int i, const IncrementalAlterConfigsConfig& change_of_it) {
      const std::string name = std::string(resource) + std::to_string(i);
      return change(fixture, changing(type, type == ConfigResourceType::broker ? "1" : name, {change_of_it}));
    };
    const auto named = [&](int i) {
      return type == ConfigResourceType::broker ? std::string(config) + std::to_string(i)
                                                : std::string(config);
    };
    int count = 0;
    ErrorCode error = ErrorCode::none;
    while ((error = one(count, set(named(count), value))) == ErrorCode::none) ++count;
    CHECK(error == ErrorCode::policy_violation);
    CHECK(one(0, set(named(0), value)) == ErrorCode::none);
    CHECK(one(0, remove(named(0))) == ErrorCode::none);
    CHECK(one(count, set(named(count), value)) == ErrorCode::none);
    return count;
  };
  CHECK(fill(ConfigResourceType::broker, "", "listener.name.", longest) == (1 << 20) / 32'784);
  const std::string match = "client_id=" + longest.substr(10);
  CHECK(fill(ConfigResourceType::client_metrics, "m", "match", match) == (32 << 20) / 32'775);
  CHECK(change(fixture, changing(ConfigResourceType::group, "g",
                                 {set("share.isolation.level", "read_committed")})) == ErrorCode::none);
}

TEST_CASE("alter configs: a change tells what was before it, too") {
  HandlerFixture fixture;
  std::vector<std::string> seen;
  fixture.broker_configs->when_changed(
      [&](const broker::LoadedConfig& before, const broker::LoadedConfig& now) {
        seen.push_back(before.config.log_level + " " + now.config.log_level);
      });
  CHECK(change_broker(fixture, "1", {set("sillok.log.level", "debug")}) == ErrorCode::none);
  CHECK(change_broker(fixture, "1", {set("log.retention.ms", "6000")}) == ErrorCode::none);
  CHECK(seen == std::vector<std::string>{"info debug", "debug debug"});
}

}  // namespace
}  // namespace sillok::tests
