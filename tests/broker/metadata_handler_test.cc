#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

constexpr protocol::Version kLatest = 13;

MetadataRequest asking(const std::vector<std::string_view>& names) {
  MetadataRequest request;
  request.topics.emplace();
  for (std::string_view name : names) request.topics->push_back({{}, name});
  return request;
}

MetadataRequest asking_without_creation(const std::vector<std::string_view>& names) {
  MetadataRequest request = asking(names);
  request.allow_auto_topic_creation = false;
  return request;
}

MetadataResponse ask(HandlerFixture& fixture, const MetadataRequest& request,
                     protocol::Version version = kLatest) {
  return fixture.ask<MetadataResponse>(broker::handle_metadata, request, version);
}

TEST_CASE("metadata: the answer names this broker at the address that the client came in by") {
  HandlerFixture fixture{{"node.id", "5"}, {"broker.rack", "r1"}};
  fixture.connection.advertised_host = "::1";
  fixture.connection.advertised_port = 1234;
  const MetadataResponse answer = ask(fixture, asking({}));
  REQUIRE(answer.brokers.size() == 1);
  CHECK(answer.brokers[0].node_id == BrokerId(5));
  CHECK(answer.brokers[0].host == "::1");
  CHECK(answer.brokers[0].port == 1234);
  CHECK(answer.brokers[0].rack == "r1");
  CHECK(answer.cluster_id == "the-cluster");
  CHECK(answer.controller_id == BrokerId(5));
  CHECK(answer.error_code == ErrorCode::none);
  CHECK(answer.topics.empty());
  HandlerFixture without_rack;
  CHECK_FALSE(ask(without_rack, asking({})).brokers[0].rack.has_value());
}

TEST_CASE("metadata: every version answers with the topic") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("orders", 2).topic->id;
  for (protocol::Version version = 0; version <= kLatest; ++version) {
    INFO("version " << version);
    const MetadataResponse answer = ask(fixture, asking({"orders"}), version);
    REQUIRE(answer.topics.size() == 1);
    const protocol::MetadataTopic& topic = answer.topics[0];
    CHECK(topic.error_code == ErrorCode::none);
    CHECK(topic.name == "orders");
    CHECK(topic.topic_id == (version >= 10 ? id : TopicId{}));
    CHECK_FALSE(topic.is_internal);
    REQUIRE(topic.partitions.size() == 2);
    CHECK(topic.partitions[1].error_code == ErrorCode::none);
    CHECK(topic.partitions[1].index == PartitionIndex(1));
    CHECK(topic.partitions[1].leader_id == BrokerId(1));
    CHECK(topic.partitions[1].leader_epoch == (version >= 7 ? LeaderEpoch(7) : LeaderEpoch(-1)));
    CHECK(topic.partitions[1].replica_nodes == std::vector<BrokerId>{BrokerId(1)});
    CHECK(topic.partitions[1].isr_nodes == std::vector<BrokerId>{BrokerId(1)});
    CHECK(topic.partitions[1].offline_replicas.empty());
  }
}

TEST_CASE("metadata: no topics are all topics in version 0, and none from version 1 on, where null is all") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  fixture.make_topic("b");
  CHECK(ask(fixture, asking({}), 0).topics.size() == 2);
  for (protocol::Version version = 1; version <= kLatest; ++version) {
    INFO("version " << version);
    CHECK(ask(fixture, asking({}), version).topics.empty());
    const MetadataResponse all = ask(fixture, MetadataRequest{}, version);
    REQUIRE(all.topics.size() == 2);
    CHECK(all.topics[0].name == "a");
    CHECK(all.topics[1].name == "b");
  }
}

TEST_CASE("metadata: topics are found by id from version 12 on; an unknown id is 100 and makes nothing") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("a").topic->id;
  TopicId other;
  other.bytes.fill(3);
  MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({id, std::nullopt});
  request.topics->push_back({other, std::nullopt});
  for (protocol::Version version = 12; version <= 13; ++version) {
    const MetadataResponse answer = ask(fixture, request, version);
    REQUIRE(answer.topics.size() == 2);
    CHECK(answer.topics[0].name == "a");
    CHECK(answer.topics[0].error_code == ErrorCode::none);
    CHECK(answer.topics[1].error_code == ErrorCode::unknown_topic_id);
    CHECK_FALSE(answer.topics[1].name.has_value());
    CHECK(answer.topics[1].topic_id == other);
  }
  CHECK(fixture.topics->image()->topics().size() == 1);
}

TEST_CASE("metadata: each topic is answered once, and where one has an id only the ids count") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("a").topic->id;
  const MetadataResponse once = ask(fixture, asking_without_creation({"a", "absent", "a", "absent"}));
  REQUIRE(once.topics.size() == 2);
  CHECK(once.topics[0].name == "a");
  CHECK(once.topics[1].name == "absent");
  MetadataRequest request = asking({"b"});
  request.topics->push_back({id, std::nullopt});
  request.topics->push_back({id, "c"});
  const MetadataResponse by_id = ask(fixture, request);
  REQUIRE(by_id.topics.size() == 1);
  CHECK(by_id.topics[0].name == "a");
  CHECK(fixture.topics->image()->topics().size() == 1);
}

TEST_CASE("metadata: ids and null names before version 12 are an invalid request") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("a").topic->id;
  for (protocol::Version version = 10; version <= 11; ++version) {
    MetadataRequest request;
    request.topics.emplace();
    request.topics->push_back({id, std::nullopt});
    request.topics->push_back({{}, "a"});
    const MetadataResponse answer = ask(fixture, request, version);
    REQUIRE(answer.topics.size() == 2);
    CHECK(answer.topics[0].error_code == ErrorCode::invalid_request);
    CHECK(answer.topics[1].error_code == ErrorCode::invalid_request);
    CHECK(answer.topics[1].name == "a");
  }
}

TEST_CASE("metadata: an unknown topic is made, and the answer waits for it and shows it") {
  HandlerFixture fixture{{"num.partitions", "4"}};
  fixture.start(broker::handle_metadata, asking({"new", "new"}), 1);
  CHECK_FALSE(fixture.is_answered());
  CHECK(fixture.host.folders.empty());
  fixture.control.run_all();
  const MetadataResponse answer = fixture.read<MetadataResponse>(1);
  REQUIRE(answer.topics.size() == 1);
  CHECK(answer.topics[0].error_code == ErrorCode::none);
  CHECK(answer.topics[0].partitions.size() == 4);
  CHECK(fixture.topics->image()->find("new") != nullptr);
  CHECK(fixture.host.calls.size() == 1);
}

TEST_CASE("metadata: no topic is made where the client, the broker or the name forbids it") {
  HandlerFixture fixture;
  CHECK(ask(fixture, asking_without_creation({"a"}), 4).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(ask(fixture, asking_without_creation({"a b"}), 4).topics.at(0).error_code ==
        ErrorCode::invalid_topic_exception);
  const MetadataResponse answer = ask(fixture, asking({"a b", ""}));
  CHECK(answer.topics.at(0).error_code == ErrorCode::invalid_topic_exception);
  CHECK(answer.topics.at(1).error_code == ErrorCode::invalid_topic_exception);
  for (const char* name : {"__consumer_offsets", "__cluster_metadata"}) {
    CHECK(ask(fixture, asking({name})).topics.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  }
  CHECK(fixture.topics->image()->topics().empty());
  HandlerFixture forbidding{{"auto.create.topics.enable", "false"}};
  CHECK(ask(forbidding, asking({"a"})).topics.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(forbidding.topics->image()->topics().empty());
}

TEST_CASE("metadata: a topic that cannot be made gives the reason, and the others are answered") {
  HandlerFixture fixture;
  fixture.make_topic("a.b");
  const MetadataResponse answer = ask(fixture, asking({"a_b", "good"}));
  CHECK(answer.topics.at(0).error_code == ErrorCode::invalid_topic_exception);
  CHECK(answer.topics.at(1).error_code == ErrorCode::none);
  fixture.host.create_error = Error{Errc::no_space, "full"};
  CHECK(ask(fixture, asking({"other"})).topics.at(0).error_code == ErrorCode::kafka_storage_error);
}

TEST_CASE("metadata: known topics are answered at once, without the control thread") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  fixture.start(broker::handle_metadata, asking({"a"}), kLatest);
  CHECK(fixture.is_answered());
}

TEST_CASE("metadata: a topic that another request made meanwhile is as good") {
  HandlerFixture fixture;
  fixture.start(broker::handle_metadata, asking({"a"}), kLatest);
  fixture.make_topic("a", 3);
  fixture.control.run_all();
  const MetadataResponse answer = fixture.read<MetadataResponse>(kLatest);
  CHECK(answer.topics.at(0).error_code == ErrorCode::none);
  CHECK(answer.topics.at(0).partitions.size() == 3);
}

TEST_CASE("metadata: an offline partition has no leader, and its replica is offline") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  fixture.host.offline.insert({"a", 1});
  const MetadataResponse answer = ask(fixture, asking({"a"}));
  const auto& partitions = answer.topics.at(0).partitions;
  CHECK(answer.topics.at(0).error_code == ErrorCode::none);
  CHECK(partitions.at(0).error_code == ErrorCode::none);
  CHECK(partitions.at(1).error_code == ErrorCode::leader_not_available);
  CHECK(partitions.at(1).leader_id == BrokerId(-1));
  CHECK(partitions.at(1).replica_nodes == std::vector<BrokerId>{BrokerId(1)});
  CHECK(partitions.at(1).offline_replicas == std::vector<BrokerId>{BrokerId(1)});
}

TEST_CASE("metadata: Kafka's own topics are internal, no others") {
  HandlerFixture fixture;
  fixture.make_topic("__consumer_offsets");
  fixture.make_topic("__mine");
  const MetadataResponse answer = ask(fixture, MetadataRequest{});
  CHECK(answer.topics.at(0).is_internal);
  CHECK_FALSE(answer.topics.at(1).is_internal);
}

TEST_CASE("metadata: authorized operations are told where they are asked for") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  const MetadataResponse without = ask(fixture, asking({"a"}), 8);
  CHECK(without.topics.at(0).topic_authorized_operations == protocol::kOperationsNotAsked);
  CHECK(without.cluster_authorized_operations == protocol::kOperationsNotAsked);
  MetadataRequest request = asking({"a"});
  request.include_topic_authorized_operations = true;
  request.include_cluster_authorized_operations = true;
  const MetadataResponse with = ask(fixture, request, 8);
  CHECK(with.topics.at(0).topic_authorized_operations == 3576);
  CHECK(with.cluster_authorized_operations == 8096);
  // Of a topic that is not there, too.
  request.topics->front().name = "absent";
  request.allow_auto_topic_creation = false;
  CHECK(ask(fixture, request, 8).topics.at(0).topic_authorized_operations == 3576);
}

}  // namespace
}  // namespace sillok::tests
