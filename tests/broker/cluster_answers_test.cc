// DescribeQuorum, UpdateFeatures, ListConfigResources: what is expected here is what Apache Kafka 4.3.1
// answered.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::FeatureUpgradeType;

std::string update(std::string_view feature, std::int16_t level,
                   FeatureUpgradeType type = FeatureUpgradeType::upgrade) {
  HandlerFixture fixture;
  protocol::UpdateFeaturesRequest request;
  request.feature_updates.push_back({feature, level, false, type});
  const auto answer =
      fixture.ask<protocol::UpdateFeaturesResponse>(broker::handle_update_features, request, 1);
  if (answer.error_code == ErrorCode::none) return std::string(*answer.results.at(0).error_message);
  CHECK(answer.error_code == ErrorCode::invalid_update_version);
  CHECK(answer.results.empty());
  const std::string message(*answer.error_message);
  return message.substr(message.find("Invalid"));
}

}  // namespace

TEST_CASE("update features: the level there is can be had, and no other") {
  CHECK(update("metadata.version", 30) == "NONE");
  CHECK(update("metadata.version", 99) ==
        "Invalid update version 99 for feature metadata.version. Local controller 1 only supports versions "
        "30-30");
  CHECK(update("foo", 1) ==
        "Invalid update version 1 for feature foo. Local controller 1 does not support this feature.");
  CHECK(update("foo", 0) == "Invalid update version 0 for feature foo. Feature foo not found.");
  CHECK(update("foo", -1) ==
        "Invalid update version -1 for feature foo. A feature version cannot be less than 0.");
  CHECK(update("foo", -1, FeatureUpgradeType::unknown) ==
        "Invalid update version -1 for feature foo. The controller does not support the given upgrade type.");
}

TEST_CASE("describe quorum: this broker leads and votes alone, and stands where its metadata store does") {
  HandlerFixture fixture{{"node.id", "4"}};
  protocol::DescribeQuorumRequest request;
  request.topics = {{"__cluster_metadata", {{PartitionIndex(0)}}}};
  const auto ask = [&](protocol::Version version) {
    return fixture.ask<protocol::DescribeQuorumResponse>(broker::handle_describe_quorum, request, version);
  };
  const Offset before = ask(2).topics.at(0).partitions.at(0).high_watermark;
  fixture.make_topic("a");
  for (protocol::Version version = 0; version <= 2; ++version) {
    const auto answer = ask(version);
    const auto& partition = answer.topics.at(0).partitions.at(0);
    CHECK(partition.error_code == ErrorCode::none);
    CHECK(partition.leader_id == BrokerId(4));
    CHECK(partition.high_watermark > before);
    REQUIRE(partition.current_voters.size() == 1);
    CHECK(partition.current_voters[0].replica_id == BrokerId(4));
    CHECK(partition.current_voters[0].log_end_offset == partition.high_watermark);
    CHECK(answer.nodes.size() == (version >= 2 ? 1 : 0));
  }
  request.topics = {{"orders", {{PartitionIndex(0)}}}};
  const auto unknown = ask(2);
  CHECK(unknown.topics.at(0).partitions.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(unknown.nodes.empty());
}

TEST_CASE("list config resources: topics, broker and its loggers, of the types asked for; no type is all") {
  HandlerFixture fixture;
  fixture.make_topic("b");
  fixture.make_topic("a");
  const auto ask = [&](std::vector<protocol::ConfigResourceType> types, protocol::Version version = 1) {
    protocol::ListConfigResourcesRequest request;
    request.resource_types = std::move(types);
    const auto answer = fixture.ask<protocol::ListConfigResourcesResponse>(
        broker::handle_list_config_resources, request, version);
    std::string text;
    if (answer.error_code != ErrorCode::none) text = to_string(answer.error_code);
    for (const auto& resource : answer.config_resources) {
      text += std::string(resource.resource_name) + ":" +
              std::to_string(static_cast<int>(resource.resource_type)) + " ";
    }
    return text;
  };
  using Type = protocol::ConfigResourceType;
  CHECK(ask({}) == "1:8 1:4 a:2 b:2 ");
  CHECK(ask({Type::topic, Type::broker, Type::topic}) == "1:4 a:2 b:2 ");
  CHECK(ask({Type::client_metrics, Type::group}).empty());
  CHECK(ask({Type::broker, static_cast<Type>(99)}) == "UNSUPPORTED_VERSION");
  CHECK(ask({}, 0).empty());
}

}  // namespace sillok::tests
