#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "broker/topic_config.h"
#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::CreateTopicsTopic;
using protocol::ErrorCode;

constexpr protocol::Version kLatest = 7;

CreateTopicsTopic topic(std::string_view name, std::int32_t partitions = 1, std::int16_t replicas = 1) {
  return {name, partitions, replicas, {}, {}};
}

CreateTopicsResponse ask(HandlerFixture& fixture, const CreateTopicsRequest& request,
                         protocol::Version version = kLatest) {
  return fixture.ask<CreateTopicsResponse>(broker::handle_create_topics, request, version);
}

CreateTopicsResponse create(HandlerFixture& fixture, CreateTopicsTopic asked,
                            protocol::Version version = kLatest) {
  CreateTopicsRequest request;
  request.topics.push_back(std::move(asked));
  return ask(fixture, request, version);
}

TEST_CASE("create topics: every version creates") {
  HandlerFixture fixture;
  for (protocol::Version version = 2; version <= kLatest; ++version) {
    INFO("version " << version);
    const std::string name = "v" + std::to_string(version);
    const CreateTopicsResponse answer = create(fixture, topic(name, 2), version);
    REQUIRE(answer.topics.size() == 1);
    CHECK(answer.topics[0].name == name);
    CHECK(answer.topics[0].error_code == ErrorCode::none);
    CHECK_FALSE(answer.topics[0].error_message.has_value());
    const broker::TopicImage* made = fixture.topics->image()->find(name);
    REQUIRE(made != nullptr);
    CHECK(made->partition_count == 2);
    if (version >= 5) {
      CHECK(answer.topics[0].num_partitions == 2);
      CHECK(answer.topics[0].replication_factor == 1);
      CHECK(answer.topics[0].topic_config_error_code == ErrorCode::none);
    }
    if (version >= 7) CHECK(answer.topics[0].topic_id == made->id);
  }
}

TEST_CASE("create topics: a config's value has at most as many bytes as Kafka takes") {
  HandlerFixture fixture;
  CreateTopicsTopic asked = topic("a");
  const std::string value = std::string(broker::kConfigValueSizeMax - 1, '0') + ":1";
  const auto error_of = [&](std::string_view throttled) {
    asked.configs = {{"leader.replication.throttled.replicas", throttled}};
    return create(fixture, asked).topics.at(0).error_code;
  };
  CHECK(error_of(value) == ErrorCode::invalid_config);
  CHECK(error_of(std::string_view(value).substr(1)) == ErrorCode::none);
}

TEST_CASE("create topics: nothing happens on the connection's thread") {
  HandlerFixture fixture;
  CreateTopicsRequest request;
  request.topics.push_back(topic("a"));
  fixture.start(broker::handle_create_topics, request, kLatest);
  CHECK_FALSE(fixture.is_answered());
  CHECK(fixture.host.calls.empty());
}

TEST_CASE("create topics: -1 takes the broker's defaults") {
  HandlerFixture fixture{{"num.partitions", "6"}};
  const CreateTopicsResponse answer = create(fixture, topic("a", -1, -1));
  CHECK(answer.topics.at(0).num_partitions == 6);
  CHECK(answer.topics.at(0).replication_factor == 1);
}

TEST_CASE("create topics: all configs come back, with their sources") {
  HandlerFixture fixture{{"log.segment.bytes", "2097152"}};
  CreateTopicsTopic asked = topic("a");
  asked.configs = {{"retention.ms", "1000"}, {"min.insync.replicas", "2"}};
  const CreateTopicsResponse answer = create(fixture, asked);
  REQUIRE(answer.topics.at(0).configs.has_value());
  const auto& configs = *answer.topics.at(0).configs;
  CHECK(configs.size() == broker::topic_configs().size());
  const auto find = [&](std::string_view name) {
    const auto found = std::ranges::find(configs, name, &protocol::CreateTopicsConfigResponse::name);
    REQUIRE(found != configs.end());
    return *found;
  };
  CHECK(find("retention.ms").value == "1000");
  CHECK(find("retention.ms").config_source == protocol::ConfigSource::topic_config);
  CHECK(find("min.insync.replicas").value == "2");
  CHECK(find("min.insync.replicas").config_source == protocol::ConfigSource::topic_config);
  CHECK(find("segment.bytes").value == "2097152");
  CHECK(find("segment.bytes").config_source == protocol::ConfigSource::static_broker_config);
  CHECK(find("cleanup.policy").value == "delete");
  CHECK(find("cleanup.policy").config_source == protocol::ConfigSource::default_config);
  CHECK_FALSE(find("cleanup.policy").read_only);
}

TEST_CASE("create topics: validate only makes nothing and answers as if") {
  HandlerFixture fixture;
  CreateTopicsRequest request;
  request.validate_only = true;
  request.topics = {topic("a", 3), topic("b", 0)};
  const CreateTopicsResponse answer = ask(fixture, request);
  CHECK(answer.topics.at(0).error_code == ErrorCode::none);
  CHECK(answer.topics.at(0).num_partitions == 3);
  CHECK(answer.topics.at(0).topic_id.is_zero());
  CHECK(answer.topics.at(1).error_code == ErrorCode::invalid_partitions);
  CHECK(fixture.topics->image()->topics().empty());
  CHECK(fixture.host.calls.empty());
}

TEST_CASE("create topics: each fault has Kafka's error and a message, and good topics are made beside it") {
  HandlerFixture fixture;
  fixture.make_topic("there");
  CreateTopicsRequest request;
  request.topics = {topic("there"), topic("bad name"), topic("p", 0), topic("r", 1, 3),
                    topic("c"),     topic("n"),        topic("good")};
  request.topics[4].configs = {{"segment.bytes", "14"}};
  request.topics[5].configs = {{"retention.ms", std::nullopt}};
  const CreateTopicsResponse answer = ask(fixture, request);
  const std::vector<ErrorCode> expected = {ErrorCode::topic_already_exists,
                                           ErrorCode::invalid_topic_exception,
                                           ErrorCode::invalid_partitions,
                                           ErrorCode::invalid_replication_factor,
                                           ErrorCode::invalid_config,
                                           ErrorCode::invalid_config,
                                           ErrorCode::none};
  REQUIRE(answer.topics.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(answer.topics[i].name);
    CHECK(answer.topics[i].name == request.topics[i].name);
    CHECK(answer.topics[i].error_code == expected[i]);
    CHECK(answer.topics[i].error_message.has_value() == (expected[i] != ErrorCode::none));
    if (expected[i] != ErrorCode::none) {
      CHECK(answer.topics[i].topic_id.is_zero());
      CHECK(answer.topics[i].num_partitions == -1);
      REQUIRE(answer.topics[i].configs.has_value());
      CHECK(answer.topics[i].configs->empty());
    }
  }
  CHECK(fixture.topics->image()->topics().size() == 2);
}

TEST_CASE(
    "create topics: of several faults of one topic the name's is told, then the configs', then the rest") {
  HandlerFixture fixture;
  fixture.make_topic("there");
  CreateTopicsTopic asked = topic("there", 1, 1);  // with assignments, both must be -1
  asked.assignments = {{PartitionIndex(0), {fixture.settings.config.node_id}}};
  asked.configs = {{"retention.ms", std::nullopt}};
  CHECK(create(fixture, asked).topics.at(0).error_code == ErrorCode::topic_already_exists);
  asked.name = "new";
  CHECK(create(fixture, asked).topics.at(0).error_code == ErrorCode::invalid_config);
  asked.configs.clear();
  CHECK(create(fixture, asked).topics.at(0).error_code == ErrorCode::invalid_request);
}

TEST_CASE("create topics: a name that is there twice is answered once, with 42, and not made") {
  HandlerFixture fixture;
  CreateTopicsRequest request;
  request.topics = {topic("twice", 1), topic("once"), topic("twice", 2)};
  const CreateTopicsResponse answer = ask(fixture, request);
  REQUIRE(answer.topics.size() == 2);
  CHECK(answer.topics[0].name == "twice");
  CHECK(answer.topics[0].error_code == ErrorCode::invalid_request);
  CHECK(answer.topics[1].error_code == ErrorCode::none);
  CHECK(fixture.topics->image()->find("twice") == nullptr);
}

TEST_CASE("create topics: assignments must put every partition on this broker") {
  HandlerFixture fixture{{"node.id", "5"}};
  const BrokerId self(5);
  const auto assigned = [&](std::string_view name,
                            std::vector<protocol::CreateTopicsAssignment> assignments) {
    CreateTopicsTopic asked = topic(name, -1, -1);
    asked.assignments = std::move(assignments);
    return create(fixture, asked).topics.at(0);
  };
  const auto good = assigned("good", {{PartitionIndex(1), {self}}, {PartitionIndex(0), {self}}});
  CHECK(good.error_code == ErrorCode::none);
  CHECK(good.num_partitions == 2);
  CHECK(assigned("a", {{PartitionIndex(0), {BrokerId(6)}}}).error_code ==
        ErrorCode::invalid_replica_assignment);
  CHECK(assigned("a", {{PartitionIndex(0), {self, self}}}).error_code ==
        ErrorCode::invalid_replica_assignment);
  CHECK(assigned("a", {{PartitionIndex(0), {}}}).error_code == ErrorCode::invalid_replica_assignment);
  CHECK(assigned("a", {{PartitionIndex(1), {self}}}).error_code == ErrorCode::invalid_replica_assignment);
  CHECK(assigned("a", {{PartitionIndex(0), {self}}, {PartitionIndex(2), {self}}}).error_code ==
        ErrorCode::invalid_replica_assignment);
  CHECK(assigned("a", {{PartitionIndex(0), {self}}, {PartitionIndex(0), {self}}}).error_code ==
        ErrorCode::invalid_replica_assignment);
  CreateTopicsTopic both = topic("a", 1, -1);
  both.assignments = {{PartitionIndex(0), {self}}};
  CHECK(create(fixture, both).topics.at(0).error_code == ErrorCode::invalid_request);
}

TEST_CASE("create topics: what cannot be written is a storage error, and leaves no topic") {
  HandlerFixture fixture;
  fixture.host.create_error = Error{Errc::no_space, "the disk is full"};
  const auto answer = create(fixture, topic("a")).topics.at(0);
  CHECK(answer.error_code == ErrorCode::kafka_storage_error);
  CHECK(answer.error_message.value_or("").find("the disk is full") != std::string::npos);
  CHECK(fixture.topics->image()->topics().empty());
}

TEST_CASE("create topics: a request of nothing is answered with nothing") {
  HandlerFixture fixture;
  CHECK(ask(fixture, {}).topics.empty());
}

TEST_CASE("create topics: the longest values a client can send are refused in an answer that can be sent") {
  HandlerFixture fixture;
  const std::string longest(32'767, 'x');
  for (protocol::Version version = 2; version <= kLatest; ++version) {
    INFO("version " << version);
    CreateTopicsTopic asked = topic(longest);
    CHECK(create(fixture, asked, version).topics.at(0).error_code == ErrorCode::invalid_topic_exception);
    asked = topic("a");
    asked.configs = {{longest, longest}};
    CHECK(create(fixture, asked, version).topics.at(0).error_code == ErrorCode::invalid_config);
    asked.configs = {{"segment.bytes", longest}};
    CHECK(create(fixture, asked, version).topics.at(0).error_code == ErrorCode::invalid_config);
    asked.configs = {{longest, std::nullopt}};
    CHECK(create(fixture, asked, version).topics.at(0).error_code == ErrorCode::invalid_config);
  }
}

}  // namespace
}  // namespace sillok::tests
