#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker/settings.h"
#include "broker/topic_config.h"
#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ConfigResourceType;
using protocol::ConfigSource;
using protocol::ConfigType;
using protocol::DescribeConfigsEntry;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::DescribeConfigsResult;
using protocol::ErrorCode;

constexpr protocol::Version kLatest = 4;

DescribeConfigsRequest asking(ConfigResourceType type, std::string_view name) {
  DescribeConfigsRequest request;
  request.resources = {{type, name, std::nullopt}};
  return request;
}

DescribeConfigsResult ask(HandlerFixture& fixture, const DescribeConfigsRequest& request,
                          protocol::Version version = kLatest) {
  return fixture.ask<DescribeConfigsResponse>(broker::handle_describe_configs, request, version)
      .results.at(0);
}

DescribeConfigsEntry find(const DescribeConfigsResult& result, std::string_view name) {
  INFO(name);
  const auto found = std::ranges::find(result.configs, name, &DescribeConfigsEntry::name);
  REQUIRE(found != result.configs.end());
  return *found;
}

std::vector<std::string> synonyms(const DescribeConfigsEntry& entry) {
  std::vector<std::string> texts;
  for (const protocol::DescribeConfigsSynonym& synonym : entry.synonyms) {
    texts.push_back(std::string(synonym.name) + "=" + std::string(synonym.value.value_or("null")) + " from " +
                    std::to_string(static_cast<int>(synonym.source)));
  }
  return texts;
}

TEST_CASE("describe configs: every version lists every config of a topic, with its source") {
  HandlerFixture fixture{{"log.retention.hours", "2"}, {"log.retention.bytes", "77"}};
  fixture.make_topic("a", 1, {{"segment.bytes", "2097152"}, {"compression.type", "zstd"}});
  for (protocol::Version version = 1; version <= kLatest; ++version) {
    INFO("version " << version);
    const DescribeConfigsResult result = ask(fixture, asking(ConfigResourceType::topic, "a"), version);
    CHECK(result.error_code == ErrorCode::none);
    CHECK(result.resource_type == ConfigResourceType::topic);
    CHECK(result.resource_name == "a");
    CHECK(result.configs.size() == broker::topic_configs().size());
    CHECK(find(result, "segment.bytes").value == "2097152");
    CHECK(find(result, "segment.bytes").config_source == ConfigSource::topic_config);
    CHECK(find(result, "compression.type").value == "zstd");
    CHECK(find(result, "retention.ms").value == "7200000");
    CHECK(find(result, "retention.bytes").value == "77");
    CHECK(find(result, "retention.bytes").config_source == ConfigSource::static_broker_config);
    CHECK(find(result, "cleanup.policy").value == "delete");
    CHECK(find(result, "cleanup.policy").config_source == ConfigSource::default_config);
    for (const DescribeConfigsEntry& entry : result.configs) {
      CHECK_FALSE(entry.read_only);
      CHECK_FALSE(entry.is_sensitive);
      CHECK(entry.synonyms.empty());
      CHECK_FALSE(entry.documentation.has_value());
      if (version >= 3) CHECK(entry.config_type != ConfigType::unknown);
    }
  }
}

TEST_CASE("describe configs: synonyms, the strongest first, where they are asked for") {
  HandlerFixture fixture{{"log.retention.hours", "2"}, {"log.segment.bytes", "3000000"}};
  fixture.make_topic("a", 1, {{"segment.bytes", "2097152"}});
  DescribeConfigsRequest request = asking(ConfigResourceType::topic, "a");
  request.include_synonyms = true;
  const DescribeConfigsResult result = ask(fixture, request);
  CHECK(synonyms(find(result, "segment.bytes")) ==
        std::vector<std::string>{"segment.bytes=2097152 from 1", "log.segment.bytes=3000000 from 4",
                                 "log.segment.bytes=1073741824 from 5"});
  // Hours alone are no synonym of milliseconds, in Kafka either.
  CHECK(synonyms(find(result, "retention.ms")).empty());
  CHECK(find(result, "retention.ms").value == "7200000");
  CHECK(find(result, "retention.ms").config_source == ConfigSource::default_config);
}

TEST_CASE("describe configs: documentation and types, where they are asked for") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  DescribeConfigsRequest request = asking(ConfigResourceType::topic, "a");
  request.include_documentation = true;
  const DescribeConfigsResult result = ask(fixture, request);
  for (const DescribeConfigsEntry& entry : result.configs)
    CHECK_FALSE(entry.documentation.value_or("").empty());
  CHECK(find(result, "segment.bytes").config_type == ConfigType::int32);
  CHECK(find(result, "retention.ms").config_type == ConfigType::int64);
  CHECK(find(result, "preallocate").config_type == ConfigType::boolean);
  CHECK(find(result, "cleanup.policy").config_type == ConfigType::list);
  CHECK(find(result, "compression.type").config_type == ConfigType::string);
  CHECK(find(result, "min.cleanable.dirty.ratio").config_type == ConfigType::float64);
  CHECK_FALSE(ask(fixture, request, 2).configs.at(0).documentation.has_value());
}

TEST_CASE("describe configs: only the configs that are named, where some are") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  DescribeConfigsRequest request = asking(ConfigResourceType::topic, "a");
  request.resources[0].configuration_keys =
      std::vector<std::string_view>{"retention.ms", "no.such", "segment.ms"};
  const DescribeConfigsResult result = ask(fixture, request);
  REQUIRE(result.configs.size() == 2);
  CHECK(result.configs[0].name == "retention.ms");
  request.resources[0].configuration_keys.emplace();
  CHECK(ask(fixture, request).configs.size() == broker::topic_configs().size());
}

TEST_CASE("describe configs: every setting of this broker, read-only where a restart is needed") {
  HandlerFixture fixture{{"node.id", "3"}, {"num.partitions", "4"}, {"log.retention.hours", "5"}};
  const DescribeConfigsResult result = ask(fixture, asking(ConfigResourceType::broker, "3"));
  CHECK(result.error_code == ErrorCode::none);
  CHECK(result.configs.size() == broker::settings().size());
  CHECK(find(result, "num.partitions").value == "4");
  CHECK(find(result, "num.partitions").config_source == ConfigSource::static_broker_config);
  CHECK(find(result, "default.replication.factor").value == "1");
  CHECK(find(result, "default.replication.factor").config_source == ConfigSource::default_config);
  CHECK(find(result, "log.retention.hours").value == "5");
  CHECK_FALSE(find(result, "log.retention.ms").value.has_value());
  CHECK(find(result, "log.dirs").value == "./data");
  CHECK(find(result, "num.partitions").read_only);
  CHECK_FALSE(find(result, "log.retention.ms").read_only);
  CHECK(find(result, "log.retention.hours").read_only);
}

TEST_CASE("describe configs: a password is not told") {
  HandlerFixture fixture{{"ssl.key.password", "secret"}};
  DescribeConfigsRequest request = asking(ConfigResourceType::broker, "1");
  request.include_synonyms = true;
  const DescribeConfigsEntry entry = find(ask(fixture, request), "ssl.key.password");
  CHECK(entry.is_sensitive);
  CHECK(entry.config_type == ConfigType::password);
  CHECK_FALSE(entry.value.has_value());
  REQUIRE(entry.synonyms.size() == 1);
  CHECK_FALSE(entry.synonyms[0].value.has_value());
}

TEST_CASE(
    "describe configs: what was altered and is in no table is told, and what may be a password is not") {
  HandlerFixture fixture;
  const broker::ConfigChanges changes{
      broker::ConfigChanges::Others::stay,
      {{"leader.replication.throttled.rate", protocol::ConfigOperation::set, "10"},
       {"listener.name.l.ssl.key.password", protocol::ConfigOperation::set, "secret"}}};
  for (const auto scope :
       {broker::BrokerConfigs::Scope::all_brokers, broker::BrokerConfigs::Scope::this_broker}) {
    CHECK_FALSE(fixture.broker_configs->alter(scope, changes, broker::ValidateOnly::no).has_value());
  }
  for (std::string_view name : {"", "1"}) {
    DescribeConfigsRequest request = asking(ConfigResourceType::broker, name);
    request.include_synonyms = true;
    const DescribeConfigsResult result = ask(fixture, request);
    const DescribeConfigsEntry rate = find(result, "leader.replication.throttled.rate");
    CHECK(rate.value == "10");
    CHECK(rate.config_type == ConfigType::int64);
    CHECK(rate.synonyms.size() == (name.empty() ? 1 : 2));
    const DescribeConfigsEntry password = find(result, "listener.name.l.ssl.key.password");
    CHECK(password.is_sensitive);
    CHECK_FALSE(password.value.has_value());
    for (const auto& synonym : password.synonyms) CHECK_FALSE(synonym.value.has_value());
  }
}

TEST_CASE("describe configs: the logger's level, and the configs of a group that nobody made") {
  HandlerFixture fixture;
  const DescribeConfigsResult logger = ask(fixture, asking(ConfigResourceType::broker_logger, "1"));
  CHECK(find(logger, "root").config_source == ConfigSource::dynamic_broker_logger_config);
  const DescribeConfigsResult group = ask(fixture, asking(ConfigResourceType::group, "g"));
  CHECK(group.error_code == ErrorCode::none);
  CHECK(find(group, "consumer.session.timeout.ms").value == "45000");
  const DescribeConfigsResult metrics = ask(fixture, asking(ConfigResourceType::client_metrics, "m"));
  CHECK(find(metrics, "interval.ms").value == "300000");
}

TEST_CASE("describe configs: the value of node.id is that of broker.id where only that was given") {
  HandlerFixture fixture{{"broker.id", "8"}};
  const DescribeConfigsResult result = ask(fixture, asking(ConfigResourceType::broker, "8"));
  CHECK(find(result, "node.id").value == "8");
  CHECK(find(result, "broker.id").value == "8");
}

TEST_CASE("describe configs: the broker without a name is all brokers' run-time settings: none") {
  HandlerFixture fixture;
  const DescribeConfigsResult result = ask(fixture, asking(ConfigResourceType::broker, ""));
  CHECK(result.error_code == ErrorCode::none);
  CHECK(result.configs.empty());
}

TEST_CASE("describe configs: what is not there has Kafka's error and a message") {
  HandlerFixture fixture;
  const auto error_of = [&](ConfigResourceType type, std::string_view name) {
    const DescribeConfigsResult result = ask(fixture, asking(type, name));
    CHECK(result.error_message.has_value());
    CHECK(result.resource_type == type);
    CHECK(result.resource_name == name);
    CHECK(result.configs.empty());
    return result.error_code;
  };
  CHECK(error_of(ConfigResourceType::topic, "absent") == ErrorCode::unknown_topic_or_partition);
  CHECK(error_of(ConfigResourceType::topic, "bad name") == ErrorCode::invalid_topic_exception);
  CHECK(error_of(ConfigResourceType::topic, "") == ErrorCode::invalid_topic_exception);
  CHECK(error_of(ConfigResourceType::broker, "2") == ErrorCode::invalid_request);
  CHECK(error_of(ConfigResourceType::broker, "one") == ErrorCode::invalid_request);
  CHECK(error_of(ConfigResourceType::broker_logger, "2") == ErrorCode::invalid_request);
  CHECK(error_of(ConfigResourceType::group, "") == ErrorCode::invalid_request);
  CHECK(error_of(ConfigResourceType::client_metrics, "") == ErrorCode::invalid_request);
  CHECK(error_of(static_cast<ConfigResourceType>(99), "x") == ErrorCode::invalid_request);
  CHECK(fixture.topics->image()->topics().empty());
}

TEST_CASE("describe configs: several resources are answered in their order") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  DescribeConfigsRequest request = asking(ConfigResourceType::topic, "a");
  request.resources.push_back({ConfigResourceType::broker, "1", std::nullopt});
  request.resources.push_back({ConfigResourceType::topic, "b", std::nullopt});
  request.resources.push_back({ConfigResourceType::broker_logger, "1", std::nullopt});
  const auto response =
      fixture.ask<DescribeConfigsResponse>(broker::handle_describe_configs, request, kLatest);
  REQUIRE(response.results.size() == 4);
  CHECK(response.results[0].configs.size() == broker::topic_configs().size());
  CHECK(response.results[1].configs.size() == broker::settings().size());
  CHECK(response.results[2].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.results[3].error_code == ErrorCode::none);
}

TEST_CASE("describe configs: a resource that is named again has what is asked of it each time, by name") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  DescribeConfigsRequest request = asking(ConfigResourceType::topic, "a");
  const auto add = [&](ConfigResourceType type, std::string_view name, std::vector<std::string_view> keys) {
    request.resources.push_back({type, name, std::move(keys)});
  };
  add(ConfigResourceType::topic, "a", {"segment.ms", "absent", "retention.ms", "segment.ms"});
  add(ConfigResourceType::broker, "1", {"num.partitions"});
  add(ConfigResourceType::broker, "01", {"log.dirs"});
  add(ConfigResourceType::group, "a", {"absent"});
  const auto all = fixture.ask<DescribeConfigsResponse>(broker::handle_describe_configs, request, kLatest);
  REQUIRE(all.results.size() == 5);
  const auto names = [&](std::size_t place) {
    CHECK(all.results[place].error_code == ErrorCode::none);
    std::vector<std::string_view> found;
    for (const DescribeConfigsEntry& entry : all.results[place].configs) found.push_back(entry.name);
    return found;
  };
  CHECK(names(0).size() == broker::topic_configs().size());
  CHECK(names(1) == std::vector<std::string_view>{"retention.ms", "segment.ms"});
  CHECK(names(2) == std::vector<std::string_view>{"num.partitions"});
  CHECK(names(3) == std::vector<std::string_view>{"log.dirs"});
  CHECK(names(4).empty());
  CHECK(find(all.results[0], "segment.ms") == find(all.results[1], "segment.ms"));
}

// How many of the results are no error; all others say that there are too many.
std::size_t count_described(const DescribeConfigsResponse& response) {
  std::size_t count = 0;
  for (const DescribeConfigsResult& result : response.results) {
    if (result.error_code == ErrorCode::none) {
      ++count;
      continue;
    }
    CHECK(result.error_code == ErrorCode::invalid_request);
    CHECK(result.error_message.value_or("").find("ask for fewer") != std::string_view::npos);
    CHECK(result.configs.empty());
  }
  return count;
}

TEST_CASE("describe configs: a short request gets no answer without end, and every topic is in it") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  constexpr std::size_t kConfigsMax = 100'000;
  const auto asked_of = [&](DescribeConfigsRequest request) {
    request.resources.push_back({ConfigResourceType::topic, "a", std::nullopt});
    auto response = fixture.ask<DescribeConfigsResponse>(broker::handle_describe_configs, request, kLatest);
    CHECK(response.results.back().configs.size() == broker::topic_configs().size());
    response.results.pop_back();
    return count_described(response);
  };
  DescribeConfigsRequest repeated;
  repeated.resources.assign(1000, {ConfigResourceType::broker, "1", std::nullopt});
  CHECK(asked_of(repeated) == kConfigsMax / broker::settings().size() + 1);
  // What is made of a group counts, be nothing of it asked for.
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kConfigsMax / 2; ++i) names.push_back(std::to_string(i));
  DescribeConfigsRequest groups;
  for (const std::string& name : names)
    groups.resources.push_back({ConfigResourceType::group, name, std::vector<std::string_view>{"absent"}});
  const std::size_t of_a_group = broker::resource_configs(broker::ResourceKind::group).size();
  CHECK(asked_of(groups) == (kConfigsMax + of_a_group - 1) / of_a_group);
}

TEST_CASE("describe configs: one request has the configs of all topics, however many") {
  HandlerFixture fixture;
  std::vector<broker::NewTopic> topics;
  for (int i = 0; i < 3000; ++i) topics.push_back({"topic-" + std::to_string(i), 1, 1, {}});
  fixture.topics->create(topics, broker::ValidateOnly::no);
  DescribeConfigsRequest request;
  for (const broker::NewTopic& topic : topics)
    request.resources.push_back({ConfigResourceType::topic, topic.name, std::nullopt});
  const auto all = fixture.ask<DescribeConfigsResponse>(broker::handle_describe_configs, request, kLatest);
  CHECK(count_described(all) == topics.size());
  CHECK(all.results.back().configs.size() == broker::topic_configs().size());
}

TEST_CASE("describe configs: the longest name is refused in an answer that can be sent") {
  HandlerFixture fixture;
  const std::string longest(32'767, '9');
  for (protocol::Version version = 1; version <= kLatest; ++version) {
    CHECK(ask(fixture, asking(ConfigResourceType::broker, longest), version).error_code ==
          ErrorCode::invalid_request);
    CHECK(ask(fixture, asking(ConfigResourceType::topic, longest), version).error_code ==
          ErrorCode::invalid_topic_exception);
  }
}

}  // namespace
}  // namespace sillok::tests
