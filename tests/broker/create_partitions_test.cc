#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::ErrorCode;

CreatePartitionsRequest growing(std::string_view name, std::int32_t count) {
  CreatePartitionsRequest request;
  request.topics.push_back({name, count, std::nullopt});
  return request;
}

ErrorCode ask(HandlerFixture& fixture, const CreatePartitionsRequest& request,
              protocol::Version version = 3) {
  const auto response =
      fixture.ask<CreatePartitionsResponse>(broker::handle_create_partitions, request, version);
  CHECK(response.results.at(0).name == request.topics.at(0).name);
  return response.results.at(0).error_code;
}

std::int32_t count(const HandlerFixture& fixture, std::string_view name) {
  return fixture.topics->image()->find(name)->partition_count;
}

TEST_CASE("create partitions: a topic grows in every version, and keeps its id") {
  for (protocol::Version version = 0; version <= 3; ++version) {
    HandlerFixture fixture;
    const TopicId id = fixture.make_topic("a", 2, {{"retention.ms", "5"}}).topic->id;
    CHECK(ask(fixture, growing("a", 4), version) == ErrorCode::none);
    CHECK(count(fixture, "a") == 4);
    for (std::int32_t i = 0; i < 4; ++i) CHECK(fixture.host.is_served("a", i));
    CHECK(fixture.host.folders[{"a", 3}].topic_id == id);
    CHECK(fixture.host.folders[{"a", 3}].config.retention_ms == 5);
  }
}

TEST_CASE("create partitions: what is no growth is refused with Kafka's error") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CHECK(ask(fixture, growing("a", 2)) == ErrorCode::invalid_partitions);
  CHECK(ask(fixture, growing("a", 1)) == ErrorCode::invalid_partitions);
  CHECK(ask(fixture, growing("a", 0)) == ErrorCode::invalid_partitions);
  CHECK(ask(fixture, growing("a", -1)) == ErrorCode::invalid_partitions);
  CHECK(ask(fixture, growing("a", 10'001)) == ErrorCode::invalid_partitions);
  CHECK(ask(fixture, growing("b", 3)) == ErrorCode::unknown_topic_or_partition);
  CHECK(count(fixture, "a") == 2);
}

TEST_CASE("create partitions: assignments must name this broker, once for each new partition") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CreatePartitionsRequest request = growing("a", 4);
  request.topics[0].assignments.emplace();
  request.topics[0].assignments->push_back({{BrokerId(1)}});
  CHECK(ask(fixture, request) == ErrorCode::invalid_replica_assignment);
  request.topics[0].assignments->push_back({{BrokerId(2)}});
  CHECK(ask(fixture, request) == ErrorCode::invalid_replica_assignment);
  (*request.topics[0].assignments)[1].broker_ids = {BrokerId(1), BrokerId(1)};
  CHECK(ask(fixture, request) == ErrorCode::invalid_replica_assignment);
  CHECK(count(fixture, "a") == 2);
  (*request.topics[0].assignments)[1].broker_ids = {BrokerId(1)};
  CHECK(ask(fixture, request) == ErrorCode::none);
  CHECK(count(fixture, "a") == 4);
}

TEST_CASE("create partitions: only tried, nothing is made") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CreatePartitionsRequest request = growing("a", 4);
  request.validate_only = true;
  CHECK(ask(fixture, request) == ErrorCode::none);
  CHECK(count(fixture, "a") == 2);
  CHECK_FALSE(fixture.host.folders.contains({"a", 2}));
}

TEST_CASE("create partitions: a topic that comes twice is refused, and answered once") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CreatePartitionsRequest request = growing("a", 4);
  request.topics.push_back({"a", 5, std::nullopt});
  const auto response = fixture.ask<CreatePartitionsResponse>(broker::handle_create_partitions, request, 3);
  REQUIRE(response.results.size() == 1);
  CHECK(response.results[0].error_code == ErrorCode::invalid_request);
  CHECK(count(fixture, "a") == 2);
}

TEST_CASE("create partitions: where a folder cannot be made, none is left, and the topic is as before") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  fixture.host.create_error = Error{Errc::no_space, "full"};
  fixture.host.made_before_error = 1;
  CHECK(ask(fixture, growing("a", 4)) == ErrorCode::kafka_storage_error);
  CHECK(count(fixture, "a") == 2);
  CHECK_FALSE(fixture.host.folders.contains({"a", 2}));
  fixture.host.create_error.reset();
  fixture.host.restart();
  broker::Topics again(fixture.settings.config, *fixture.store, fixture.host);
  std::vector<std::string> notes;
  REQUIRE(again.load(notes).ok());
  CHECK(again.image()->find("a")->partition_count == 2);
}

TEST_CASE("create partitions: where not even that can be recorded, memory and disk say the same") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  fixture.host.create_error = Error{Errc::no_space, "full"};
  fixture.files.fail({FileCall::write, "sillok-metadata.log", 2, kEveryCall}, Errc::io_error);
  CHECK(ask(fixture, growing("a", 4)) == ErrorCode::kafka_storage_error);
  CHECK(count(fixture, "a") == 4);
  CHECK(fixture.store->range("topic/a").value().at(0).value.find(R"("partitions":4)") != std::string::npos);
}

TEST_CASE("create partitions: what a crash kept from being made, the next start makes") {
  HandlerFixture fixture;
  fixture.make_topic("a", 2);
  CHECK(ask(fixture, growing("a", 4)) == ErrorCode::none);
  fixture.host.folders.erase({"a", 3});
  fixture.host.restart();
  broker::Topics again(fixture.settings.config, *fixture.store, fixture.host);
  std::vector<std::string> notes;
  REQUIRE(again.load(notes).ok());
  CHECK(again.image()->find("a")->partition_count == 4);
  CHECK(fixture.host.is_served("a", 3));
}

}  // namespace
}  // namespace sillok::tests
