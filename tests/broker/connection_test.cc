// A connection over a socket pair, on a reactor whose turns the test takes by hand.
#include "broker/net/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "broker/cold_reads.h"
#include "broker/net/listener.h"
#include "protocol/messages/delete_records.h"
#include "tests/support/fetch_fixture.h"
#include "tests/support/running_server.h"

namespace sillok::tests {
namespace {

constexpr ByteCount kBudget = 200'000;  // of one large_request(), but not of two
constexpr Version kDeleteRecordsVersion = 1;
constexpr int kStepsOfATurn = 20;
constexpr std::int32_t kLongWaitMs = 3'600'000;

struct ConnectionFixture : FetchFixture {
  ConnectionFixture() {
    // The reactor's timers are set for times of this clock.
    clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                        clock.steady()));
    create("orders", 1, 1);
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client = ends[0];
    broker::ClientSocket socket(loop.context());
    socket.assign({AF_UNIX, 0}, ends[1]);
    REQUIRE(limits.enter("") == broker::ConnectionLimits::Admission::admitted);
    served = std::make_shared<broker::Connection>(std::move(socket), slot_of_loop, slot_of_loop, environment,
                                                  broker::ConnectionInfo{"a peer", "here", 9092}, "");
    served->start();
  }
  ~ConnectionFixture() {
    flusher.stop();  // what it completes comes to the reactor
    hang_up();
    turn();
  }

  // What is ready, and what comes of it.
  void turn() {
    for (int i = 0; i < kStepsOfATurn; ++i) {
      loop.context().restart();
      boost::asio::post(loop.context(), [this] { loop.stop(); });
      loop.run();
    }
  }
  template <protocol::Message Request>
  void send(const Request& request, protocol::Version version) {
    const Bytes frame = RawClient::frame(request, version, 1);
    REQUIRE(frame.size() > broker::kSmallFrameBytes);
    REQUIRE(::send(client, frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()));
    turn();
  }
  void hang_up() {
    if (client >= 0) ::close(client);
    client = -1;
  }
  bool is_answered() {
    char byte = 0;
    return ::recv(client, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
  }
  bool is_budget_free() {
    if (!budget.reserve_now(kBudget)) return false;
    budget.release(kBudget);
    return true;
  }

  broker::Reactor loop{0, clock};
  const broker::ReactorSlot slot_of_loop{&loop, nullptr};
  broker::FrameBudget budget{kBudget};
  broker::ConnectionLimits limits{{10, 10, {}}};
  const broker::Devices devices{{&device}};
  broker::ColdReads cold_reads{-1};
  broker::ConnectionEnvironment environment{*with_partitions, budget, limits, devices, cold_reads};
  std::shared_ptr<broker::Connection> served;
  int client = -1;
};

// Of partitions that there are not.
DeleteRecordsRequest large_request() {
  DeleteRecordsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  for (int i = 1; i < 10'000; ++i) topic.partitions.push_back({PartitionIndex(i), Offset(0)});
  return request;
}

TEST_CASE("connection: a large request that waits for the control thread counts until it is answered") {
  ConnectionFixture fixture;
  fixture.send(large_request(), kDeleteRecordsVersion);
  REQUIRE(fixture.control.waiting.size() == 1);
  CHECK_FALSE(fixture.is_budget_free());
  fixture.control.run_all();
  fixture.turn();
  CHECK(fixture.is_answered());
  CHECK(fixture.is_budget_free());
}

TEST_CASE("connection: a large request is not taken while what others wait with takes all room") {
  ConnectionFixture fixture;
  fixture.send(large_request(), kDeleteRecordsVersion);
  fixture.send(large_request(), kDeleteRecordsVersion);
  CHECK(fixture.control.waiting.size() == 1);
  fixture.control.run_all();
  fixture.turn();
  CHECK(fixture.control.waiting.size() == 1);
  fixture.control.run_all();
  fixture.turn();
  CHECK(fixture.is_budget_free());
}

TEST_CASE("connection: a large request counts until it is carried out though its client has gone") {
  ConnectionFixture fixture;
  fixture.send(large_request(), kDeleteRecordsVersion);
  fixture.hang_up();
  fixture.turn();
  CHECK_FALSE(fixture.served->is_open());
  CHECK_FALSE(fixture.is_budget_free());
  fixture.control.run_all();
  fixture.turn();
  CHECK(fixture.is_budget_free());
}

TEST_CASE("connection: a large request that is answered at once counts no longer") {
  ConnectionFixture fixture;
  MetadataRequest request;
  const std::string name(30'000, 'x');
  request.allow_auto_topic_creation = false;
  request.topics.emplace();
  for (int i = 0; i < 3; ++i) request.topics->emplace_back().name = name;
  fixture.send(request, 12);
  CHECK(fixture.is_answered());
  CHECK(fixture.is_budget_free());
}

TEST_CASE("connection: a large fetch that waits keeps no other large request out") {
  ConnectionFixture fixture;
  FetchRequest request = fetch_of("orders", Offset(0), kLongWaitMs);
  for (int i = 1; i < 3'000; ++i) request.topics[0].partitions.emplace_back().index = PartitionIndex(i);
  fixture.send(request, kFetchVersion);
  CHECK_FALSE(fixture.is_answered());
  CHECK(fixture.is_budget_free());
}

TEST_CASE("connection: a large produce that waits for the disk keeps no other large request out") {
  ConnectionFixture fixture;
  const auto stall = fixture.files.stall({FileCall::sync, ".log", 1, kEveryCall});
  const Bytes bytes = batch().sized(100'000);
  fixture.send(produce_of("orders", bytes, -1), kProduceVersion);
  CHECK(fixture.partition("orders", 0).log().log_end().offset > Offset(0));
  CHECK_FALSE(fixture.is_answered());
  CHECK(fixture.is_budget_free());
  stall->release();
}

}  // namespace
}  // namespace sillok::tests
