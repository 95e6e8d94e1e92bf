#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;

constexpr protocol::Version kLatest = 6;

DeleteTopicsResponse ask(HandlerFixture& fixture, const DeleteTopicsRequest& request,
                         protocol::Version version = kLatest) {
  return fixture.ask<DeleteTopicsResponse>(broker::handle_delete_topics, request, version);
}

DeleteTopicsRequest by_name(std::string_view name, protocol::Version version) {
  DeleteTopicsRequest request;
  if (version >= 6) {
    request.topics = {{name, {}}};
  } else {
    request.topic_names = {name};
  }
  return request;
}

TEST_CASE("delete topics: every version deletes by name") {
  HandlerFixture fixture;
  for (protocol::Version version = 1; version <= kLatest; ++version) {
    INFO("version " << version);
    const TopicId id = fixture.make_topic("a", 2).topic->id;
    const DeleteTopicsResponse answer = ask(fixture, by_name("a", version), version);
    REQUIRE(answer.responses.size() == 1);
    CHECK(answer.responses[0].name == "a");
    CHECK(answer.responses[0].error_code == ErrorCode::none);
    CHECK_FALSE(answer.responses[0].error_message.has_value());
    if (version >= 6) CHECK(answer.responses[0].topic_id == id);
    CHECK(fixture.topics->image()->find("a") == nullptr);
    CHECK(fixture.host.folders.empty());
    CHECK(ask(fixture, by_name("a", version), version).responses.at(0).error_code ==
          ErrorCode::unknown_topic_or_partition);
  }
}

TEST_CASE("delete topics: version 6 deletes by id, and answers with the name") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("a").topic->id;
  DeleteTopicsRequest request;
  request.topics = {{std::nullopt, id}};
  const DeleteTopicsResponse answer = ask(fixture, request);
  CHECK(answer.responses.at(0).error_code == ErrorCode::none);
  CHECK(answer.responses.at(0).name == "a");
  CHECK(answer.responses.at(0).topic_id == id);
  CHECK(fixture.topics->image()->topics().empty());
  const DeleteTopicsResponse again = ask(fixture, request);
  CHECK(again.responses.at(0).error_code == ErrorCode::unknown_topic_id);
  CHECK_FALSE(again.responses.at(0).name.has_value());
  CHECK(again.responses.at(0).error_message.has_value());
}

TEST_CASE("delete topics: name and id together, neither, and the same topic twice are invalid requests") {
  HandlerFixture fixture;
  const TopicId id = fixture.make_topic("a").topic->id;
  fixture.make_topic("b");
  DeleteTopicsRequest request;
  request.topics = {{"a", id}, {std::nullopt, {}}, {"b", {}}};
  const DeleteTopicsResponse answer = ask(fixture, request);
  CHECK(answer.responses.at(0).error_code == ErrorCode::invalid_request);
  CHECK(answer.responses.at(1).error_code == ErrorCode::invalid_request);
  CHECK(answer.responses.at(2).error_code == ErrorCode::none);
  request.topics = {{"a", {}}, {std::nullopt, id}};
  const DeleteTopicsResponse twice = ask(fixture, request);
  REQUIRE(twice.responses.size() == 1);
  CHECK(twice.responses[0].error_code == ErrorCode::invalid_request);
  CHECK(twice.responses[0].name == "a");
  CHECK(twice.responses[0].topic_id == id);
  request.topics = {{std::nullopt, id}, {std::nullopt, id}};
  const DeleteTopicsResponse same_id = ask(fixture, request);
  REQUIRE(same_id.responses.size() == 1);
  CHECK(same_id.responses[0].error_code == ErrorCode::invalid_request);
  CHECK_FALSE(same_id.responses[0].name.has_value());
  request.topics = {{"absent", {}}, {"absent", {}}};
  const DeleteTopicsResponse absent = ask(fixture, request);
  REQUIRE(absent.responses.size() == 1);
  CHECK(absent.responses[0].error_code == ErrorCode::invalid_request);
  CHECK(fixture.topics->image()->find("a") != nullptr);
}

TEST_CASE("delete topics: delete.topic.enable=false refuses all with 73, at once") {
  HandlerFixture fixture{{"delete.topic.enable", "false"}};
  fixture.make_topic("a");
  fixture.start(broker::handle_delete_topics, by_name("a", kLatest), kLatest);
  CHECK(fixture.is_answered());
  CHECK(fixture.read<DeleteTopicsResponse>(kLatest).responses.at(0).error_code ==
        ErrorCode::topic_deletion_disabled);
  CHECK(fixture.topics->image()->find("a") != nullptr);
}

TEST_CASE("delete topics: what cannot be recorded is a storage error, and deletes nothing") {
  HandlerFixture fixture;
  fixture.make_topic("a");
  fixture.files.fail({FileCall::sync}, Errc::io_error);
  CHECK(ask(fixture, by_name("a", kLatest)).responses.at(0).error_code == ErrorCode::kafka_storage_error);
  CHECK(fixture.topics->image()->find("a") != nullptr);
}

}  // namespace
}  // namespace sillok::tests
