#include "client/connection.h"

#include <catch2/catch.hpp>
#include <vector>

#include "protocol/messages/create_topics.h"
#include "tests/client/scripted_broker.h"

namespace sillok {
namespace {

using client::Answer;
using client::Connection;
using protocol::ApiKey;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using tests::Reaction;
using tests::ScriptedBroker;
using tests::ScriptedRequest;

// A connection with an event loop that a test runs until something has happened.
struct Fixture {
  ScriptedBroker broker;
  boost::asio::io_context io;
  std::shared_ptr<Connection> connection;

  Result<void> open(const client::ConnectionOptions& options = {}) {
    broker.start();
    connection = Connection::create(io, broker.endpoint(), options);
    std::optional<Result<void>> opened;
    connection->open([&](Result<void> result) { opened = std::move(result); });
    run_until([&] { return opened.has_value(); });
    return *opened;
  }

  template <class Condition>
  void run_until(Condition condition) {
    io.restart();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      io.run_one_for(std::chrono::milliseconds(100));
      if (io.stopped()) io.restart();
    }
  }

  // Asks for metadata; the answers go to `answers` as they come.
  void ask(client::CallOptions options = {}) {
    connection->call<MetadataRequest, MetadataResponse>(
        MetadataRequest{},
        [this](Result<Answer<MetadataResponse>> answer) { answers.push_back(std::move(answer)); }, options);
  }
  std::vector<Result<Answer<MetadataResponse>>> answers;
};

Reaction empty_metadata(const ScriptedRequest& request) {
  return Reaction::send(request.answer(MetadataResponse{}));
}

TEST_CASE("connection: takes the newest version that both sides have") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 2, 7);
  fixture.broker.offer(ApiKey::create_topics, 0, 1);
  fixture.broker.on(ApiKey::metadata, empty_metadata);
  REQUIRE(fixture.open().ok());
  fixture.ask();
  fixture.ask({std::nullopt, 4});
  fixture.run_until([&] { return fixture.answers.size() == 2; });
  REQUIRE(fixture.answers[0].ok());
  CHECK(fixture.answers[0]->version == 7);
  REQUIRE(fixture.answers[1].ok());
  CHECK(fixture.answers[1]->version == 4);
  CHECK_FALSE(fixture.connection->version_for(ApiKey::create_topics, {2, 7}));
}

TEST_CASE("connection: an API that the broker lacks fails that call alone") {
  Fixture fixture;
  REQUIRE(fixture.open().ok());
  fixture.ask();
  fixture.run_until([&] { return fixture.answers.size() == 1; });
  REQUIRE_FALSE(fixture.answers[0].ok());
  CHECK(fixture.answers[0].error().code == Errc::unsupported_version);
  CHECK(fixture.connection->is_open());
}

TEST_CASE(
    "connection: a broker that refuses the version of ApiVersions is understood by its answer in version 0") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 0, 5);
  const bool has_list = GENERATE(true, false);
  int asked = 0;
  fixture.broker.on(ApiKey::metadata, empty_metadata);
  fixture.broker.on(ApiKey::api_versions, [&, has_list](const ScriptedRequest& request) {
    ++asked;
    protocol::ApiVersionsResponse response;
    ScriptedRequest old = request;
    old.version = 0;
    if (request.version > 0) response.error_code = protocol::ErrorCode::unsupported_version;
    if (has_list || request.version == 0) response.api_keys.push_back({ApiKey::metadata, 0, 5});
    return Reaction::send(old.answer(response));
  });
  REQUIRE(fixture.open().ok());
  fixture.ask();
  fixture.run_until([&] { return !fixture.answers.empty(); });
  REQUIRE(fixture.answers[0].ok());
  CHECK(fixture.answers[0]->version == 5);
  CHECK(asked == (has_list ? 1 : 2));
}

TEST_CASE("connection: requests go out before earlier ones are answered, and answers find their requests") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 0, 12);
  std::vector<Bytes> held;
  fixture.broker.on(ApiKey::metadata, [&](const ScriptedRequest& request) {
    MetadataResponse response;
    response.controller_id = BrokerId(static_cast<std::int32_t>(held.size()));
    held.push_back(request.answer(response));
    return held.size() < 3 ? Reaction::silence() : Reaction{held, false};
  });
  REQUIRE(fixture.open().ok());
  for (int i = 0; i < 3; ++i) fixture.ask();
  CHECK(fixture.connection->in_flight() == 3);
  fixture.run_until([&] { return fixture.answers.size() == 3; });
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(fixture.answers[i].ok());
    CHECK(fixture.answers[i]->message.controller_id.value == static_cast<std::int32_t>(i));
  }
}

TEST_CASE("connection: a request without an answer times out, with all that wait behind it") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 0, 12);
  fixture.broker.on(ApiKey::metadata, [](const ScriptedRequest&) { return Reaction::silence(); });
  client::ConnectionOptions options;
  options.request_timeout = client::Milliseconds(2000);  // which the answer to the first one needs some of
  REQUIRE(fixture.open(options).ok());
  fixture.ask();
  fixture.ask({client::Milliseconds(60'000), 12});
  fixture.run_until([&] { return fixture.answers.size() == 2; });
  CHECK(fixture.answers[0].error().code == Errc::timed_out);
  CHECK(fixture.answers[1].error().code == Errc::timed_out);
  CHECK_FALSE(fixture.connection->is_open());
  fixture.ask();
  fixture.run_until([&] { return fixture.answers.size() == 3; });
  CHECK_FALSE(fixture.answers[2].ok());
}

TEST_CASE("connection: what a broken peer sends ends the connection and fails what waits") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 0, 12);
  Errc expected{};
  SECTION("an answer to no request") {
    expected = Errc::malformed;
    fixture.broker.on(ApiKey::metadata, [](const ScriptedRequest& request) {
      ScriptedRequest other = request;
      other.correlation_id += 7;
      return Reaction::send(other.answer(MetadataResponse{}));
    });
  }
  SECTION("a size of two gigabytes") {
    expected = Errc::malformed;
    fixture.broker.on(ApiKey::metadata, [](const ScriptedRequest&) {
      return Reaction::send(Bytes{std::byte{0x7f}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}});
    });
  }
  SECTION("a negative size") {
    expected = Errc::malformed;
    fixture.broker.on(ApiKey::metadata,
                      [](const ScriptedRequest&) { return Reaction::send(Bytes(4, std::byte{0xff})); });
  }
  SECTION("the end, inside an answer") {
    expected = Errc::connection_lost;
    fixture.broker.on(ApiKey::metadata, [](const ScriptedRequest& request) {
      Bytes frame = request.answer(MetadataResponse{});
      frame.resize(frame.size() / 2);
      return Reaction{{frame}, true};
    });
  }
  REQUIRE(fixture.open().ok());
  fixture.ask();
  fixture.run_until([&] { return !fixture.answers.empty(); });
  REQUIRE_FALSE(fixture.answers[0].ok());
  CHECK(fixture.answers[0].error().code == expected);
  CHECK_FALSE(fixture.connection->is_open());
}

TEST_CASE("connection: an answer that does not decode fails its request") {
  Fixture fixture;
  fixture.broker.offer(ApiKey::metadata, 0, 12);
  fixture.broker.on(ApiKey::metadata, [](const ScriptedRequest& request) {
    Bytes frame = request.answer(MetadataResponse{});
    frame.push_back(std::byte{0});
    store_big_endian(frame.data(), static_cast<std::int32_t>(frame.size() - 4));
    return Reaction::send(frame);
  });
  REQUIRE(fixture.open().ok());
  fixture.ask();
  fixture.run_until([&] { return !fixture.answers.empty(); });
  CHECK_FALSE(fixture.answers[0].ok());
}

TEST_CASE("connection: where nobody listens, open() fails") {
  Fixture fixture;
  client::Endpoint nobody;
  {
    const ScriptedBroker gone;
    nobody = gone.endpoint();
  }
  std::optional<Result<void>> opened;
  const auto connection = Connection::create(fixture.io, nobody, {});
  connection->open([&](Result<void> result) { opened = std::move(result); });
  fixture.run_until([&] { return opened.has_value(); });
  REQUIRE_FALSE(opened->ok());
  CHECK(opened->error().code == Errc::connection_lost);
}

}  // namespace
}  // namespace sillok
