#include <catch2/catch.hpp>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/metadata/metadata_records.h"
#include "tests/support/handler_fixture.h"

namespace sillok::tests {
namespace {

using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

InitProducerIdResponse ask(HandlerFixture& fixture, const InitProducerIdRequest& request,
                           protocol::Version version) {
  return fixture.ask<InitProducerIdResponse>(broker::handle_init_producer_id, request, version);
}

TEST_CASE("init producer id: every version gives a new id with epoch 0") {
  HandlerFixture fixture;
  std::set<std::int64_t> ids;
  for (protocol::Version version = 0; version <= 5; ++version) {
    const InitProducerIdResponse answer = ask(fixture, {}, version);
    CHECK(answer.error_code == ErrorCode::none);
    CHECK(answer.producer_epoch == ProducerEpoch(0));
    CHECK(answer.producer_id.value >= 0);
    CHECK(ids.insert(answer.producer_id.value).second);
  }
}

TEST_CASE("init producer id: only the first of a block waits for the store") {
  HandlerFixture fixture;
  fixture.start(broker::handle_init_producer_id, InitProducerIdRequest{}, 5);
  CHECK_FALSE(fixture.is_answered());
  fixture.control.run_all();
  CHECK(fixture.is_answered());
  for (int i = 1; i < broker::ProducerIds::kBlockSize; ++i) {
    fixture.start(broker::handle_init_producer_id, InitProducerIdRequest{}, 5);
    CHECK(fixture.is_answered());
  }
  fixture.start(broker::handle_init_producer_id, InitProducerIdRequest{}, 5);
  CHECK_FALSE(fixture.is_answered());
}

TEST_CASE("init producer id: an id that the producer had gives way to a new one") {
  HandlerFixture fixture;
  const ProducerId first = ask(fixture, {}, 3).producer_id;
  InitProducerIdRequest request;
  request.producer_id = first;
  request.producer_epoch = ProducerEpoch(4);
  const InitProducerIdResponse answer = ask(fixture, request, 3);
  CHECK(answer.producer_id != first);
  CHECK(answer.producer_epoch == ProducerEpoch(0));
}

TEST_CASE("init producer id: an id without an epoch, or an epoch without an id, is an invalid request") {
  HandlerFixture fixture;
  InitProducerIdRequest request;
  request.producer_id = ProducerId(1);
  CHECK(ask(fixture, request, 3).error_code == ErrorCode::invalid_request);
  request = {};
  request.producer_epoch = ProducerEpoch(1);
  const InitProducerIdResponse answer = ask(fixture, request, 3);
  CHECK(answer.error_code == ErrorCode::invalid_request);
  CHECK(answer.producer_id == kNoProducerId);
  CHECK(answer.producer_epoch == kNoProducerEpoch);
}

TEST_CASE("init producer id: transactional ids are refused with 48, the empty one with 42") {
  HandlerFixture fixture;
  for (protocol::Version version = 0; version <= 5; ++version) {
    InitProducerIdRequest request;
    request.transactional_id = "tx";
    CHECK(ask(fixture, request, version).error_code == ErrorCode::invalid_txn_state);
    request.transactional_id = "";
    CHECK(ask(fixture, request, version).error_code == ErrorCode::invalid_request);
  }
}

TEST_CASE("init producer id: where the store fails clients are told to come again, and then get an id") {
  HandlerFixture fixture;
  fixture.files.fail({FileCall::sync}, Errc::io_error);
  CHECK(ask(fixture, {}, 5).error_code == ErrorCode::coordinator_not_available);
  CHECK(ask(fixture, {}, 5).error_code == ErrorCode::none);
}

TEST_CASE("producer ids: no id is given twice, over restarts and by several at the same time") {
  HandlerFixture fixture;
  std::set<std::int64_t> seen;
  for (int life = 0; life < 3; ++life) {
    broker::ProducerIds one(*fixture.store);
    broker::ProducerIds other(*fixture.store);
    for (int i = 0; i < 1500; ++i) {
      REQUIRE(seen.insert(one.next().value().value).second);
      REQUIRE(seen.insert(other.next().value().value).second);
    }
  }
  CHECK(*seen.begin() == 0);
}

TEST_CASE("producer ids: a counter that cannot be read, or that is at its end, gives no ids") {
  for (const std::string& value :
       {std::string("x"), std::string("{}"), std::string(R"({"format":1,"next":-1})"),
        broker::encode_next_producer_id(std::numeric_limits<std::int64_t>::max() - 5)}) {
    INFO(value);
    HandlerFixture fixture;
    REQUIRE(fixture.store->txn({{}, {{std::string(broker::kProducerIdsKey), value}}, {}}).value());
    broker::ProducerIds ids(*fixture.store);
    CHECK_FALSE(ids.next().ok());
    CHECK_FALSE(ids.try_next().has_value());
  }
}

TEST_CASE("producer ids: those of another broker's logs are left out, as often as some come") {
  HandlerFixture fixture;
  broker::ProducerIds before(*fixture.store);
  const std::int64_t first = before.next().value().value;
  REQUIRE(broker::skip_producer_ids_of_others(*fixture.store).ok());
  broker::ProducerIds after(*fixture.store);
  CHECK(after.next().value().value >= first + broker::kForeignProducerIds);
}

}  // namespace
}  // namespace sillok::tests
