// What an Apache Kafka did to topics while it ran on a log directory that was taken over.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/metadata_records.h"
#include "tests/support/take_over_fixture.h"

namespace sillok::tests {
namespace {

using Broker = TakeOverFixture;

// Kafka has deleted the topic, and a folder of another one of that name is there.
void delete_and_bring_another(Broker& b) {
  b.kafka.topics.clear();
  b.kafka.removed_topics = {kId};
  b.host.folders.clear();
  b.host.add_folder("orders", 0, kOtherId);
}

TEST_CASE("take over: folders of a topic that Kafka deleted do not bring it back, and stay") {
  Broker b;
  b.host.add_folder("gone", 0, kOtherId);
  b.kafka.removed_topics = {kOtherId};
  b.start();
  for (int round = 0; round < 3; ++round) {
    CHECK(b.find("gone") == nullptr);
    CHECK(b.host.folders.contains({"gone", 0}));
    CHECK(b.has_note("gone-0 is left alone: Apache Kafka has deleted its topic"));
    b.start(Broker::Takeover::none);
  }
}

TEST_CASE("take over: a deleted topic's folder that was taken away and brought back is adopted") {
  Broker b;
  b.host.add_folder("gone", 0, kOtherId);
  b.kafka.removed_topics = {kOtherId};
  b.start();
  b.host.folders.erase({"gone", 0});
  b.start(Broker::Takeover::none);
  CHECK(b.store->range("removed/").value().empty());
  b.host.add_folder("gone", 0, kOtherId);
  b.start(Broker::Takeover::none);
  CHECK(b.find("gone")->id == kOtherId);
}

TEST_CASE("take over: a deleted topic's folder under another topic's name is remembered, too") {
  Broker b;
  b.kafka.removed_topics = {kOtherId};
  b.host.add_folder("orders", 2, kOtherId);
  b.start();
  CHECK(b.has_note("orders-2 is left alone"));
  b.start(Broker::Takeover::none);
  CHECK(b.topics->add_partitions("orders", 3, broker::ValidateOnly::no).error ==
        protocol::ErrorCode::kafka_storage_error);
  CHECK(b.host.folders.at({"orders", 2}).topic_id == kOtherId);
  REQUIRE(b.topics->remove("orders").error == protocol::ErrorCode::none);
  b.start(Broker::Takeover::none);
  CHECK(b.find("orders") == nullptr);
  CHECK(b.host.folders.contains({"orders", 2}));
}

TEST_CASE("take over: a topic that Kafka deleted and made again under its name is the new one, and lasts") {
  Broker b;
  b.orders().configs = {{"retention.ms", "1"}};
  b.start();
  KafkaTopic again{"orders", kOtherId, {{0, partition_on({kNode})}}, {{"retention.ms", "60000"}}};
  b.kafka.topics = {{kOtherId, again}};
  SECTION("and it is told that it was deleted") { b.kafka.removed_topics = {kId}; }
  SECTION("and that is forgotten, but its folders are gone") {}
  b.host.folders.clear();
  b.host.add_folder("orders", 0, kOtherId);
  b.start();
  for (int round = 0; round < 3; ++round) {
    REQUIRE(b.find("orders") != nullptr);
    CHECK(b.find("orders")->id == kOtherId);
    CHECK(b.find("orders")->partition_count == 1);
    CHECK(b.find("orders")->configs == again.configs);
    CHECK(b.host.is_served("orders", 0));
    CHECK(b.store->range("elsewhere/").value().empty());
    b.start(Broker::Takeover::none);
  }
}

TEST_CASE("take over: a folder that takes the name of a deleted topic is adopted, and lasts") {
  Broker b;
  b.start();
  delete_and_bring_another(b);
  b.start();
  CHECK(b.find("orders")->id == kOtherId);
  CHECK(!b.store->range("topic/orders").value().empty());
}

TEST_CASE("take over: a topic of ours keeps its name while it has a folder") {
  Broker b;
  b.start();
  const bool has_an_id = GENERATE(true, false);
  b.kafka.topics = {{kOtherId, {"orders", kOtherId, {{0, partition_on({kNode})}}, {}}}};
  b.host.folders.clear();
  b.host.add_folder("orders", 0, kOtherId);
  b.host.add_folder("orders", 1, has_an_id ? kId : TopicId{});
  b.start();
  CHECK(b.find("orders")->id == kId);
  CHECK(b.has_note("another topic of that name"));
  CHECK(b.host.folders.at({"orders", 0}).topic_id == kOtherId);
  // The other's folder taken away: what was its own is still away, and not made anew.
  b.host.folders.erase({"orders", 0});
  b.start(Broker::Takeover::none);
  CHECK(!b.host.folders.contains({"orders", 0}));
}

TEST_CASE("take over: an interrupted creation under a deleted topic's name goes on, and lasts") {
  Broker b;
  b.start();
  delete_and_bring_another(b);
  const broker::UnfinishedRecord creation{"orders", 1, {{"retention.ms", "9"}}};
  REQUIRE(b.store->txn({{}, {{broker::unfinished_key(kOtherId), encode(creation)}}, {}}).ok());
  b.start();
  for (int round = 0; round < 2; ++round) {
    REQUIRE(b.find("orders") != nullptr);
    CHECK(b.find("orders")->configs == creation.configs);
    b.start(Broker::Takeover::none);
  }
}

TEST_CASE("take over: what is said to be elsewhere is forgotten once it is here, or its topic gone") {
  Broker b;
  b.config.adopt_incomplete_topics = true;
  b.orders().partitions[1] = partition_on({BrokerId(8)});
  b.host.folders.erase({"orders", 1});
  b.start();
  CHECK(b.store->range("elsewhere/").value().size() == 1);
  SECTION("it is brought") { b.host.add_folder("orders", 1, kId); }
  SECTION("the topic is deleted here") {
    REQUIRE(b.topics->remove("orders").error == protocol::ErrorCode::none);
  }
  SECTION("the topic is deleted in Kafka") {
    b.kafka.topics.clear();
    b.kafka.removed_topics = {kId};
    b.host.folders.clear();
    b.start();
  }
  b.start(Broker::Takeover::none);
  CHECK(b.store->range("elsewhere/").value().empty());
}

TEST_CASE("take over: a topic of ours with the same name and another id stays as it is") {
  Broker b;
  b.host.folders.clear();
  b.start(Broker::Takeover::none);
  REQUIRE(b.topics->create({{"orders", 3, 1, {}}}, broker::ValidateOnly::no).front().error ==
          protocol::ErrorCode::none);
  const TopicId id = b.find("orders")->id;
  b.start();
  CHECK(b.find("orders")->id == id);
  CHECK(b.find("orders")->partition_count == 3);
  CHECK(b.has_note("another topic of that name"));
}

TEST_CASE("take over: a topic whose deletion was interrupted does not come back") {
  Broker b;
  b.start();
  b.host.remove_error = Error{Errc::io_error, "test"};
  CHECK(b.topics->remove("orders").error == protocol::ErrorCode::kafka_storage_error);
  b.host.remove_error.reset();
  b.start();
  CHECK(b.find("orders") == nullptr);
  CHECK(!b.host.folders.contains({"orders", 0}));
}

TEST_CASE("take over: what Kafka changed in the meantime is followed, and no partition is lost") {
  Broker b;
  b.start();
  b.orders().configs = {{"retention.ms", "5"}};
  b.orders().partitions[2] = partition_on({kNode});
  b.host.add_folder("orders", 2, kId);
  b.start();
  CHECK(b.find("orders")->partition_count == 3);
  CHECK(b.find("orders")->configs.at("retention.ms") == "5");
  CHECK(b.host.is_served("orders", 2));
  b.orders().partitions.erase(2);
  b.start();
  CHECK(b.find("orders")->partition_count == 3);
  CHECK(b.host.is_served("orders", 2));
  b.host.folders.erase({"orders", 2});
  b.start();
  CHECK(b.find("orders")->partition_count == 3);
  CHECK(!b.host.folders.contains({"orders", 2}));
}

TEST_CASE(
    "take over: a topic that Kafka deleted in the meantime is gone, and one that it put aside is waited "
    "for") {
  Broker b;
  b.start();
  REQUIRE(
      b.topics->create({{"made", 1, 1, {{"retention.ms", "7"}}}}, broker::ValidateOnly::no).front().topic);
  const TopicId made = b.find("made")->id;
  b.host.folders.clear();
  b.kafka.topics.clear();
  b.kafka.removed_topics = {kId};
  b.start();
  for (int round = 0; round < 2; ++round) {
    CHECK(b.find("orders") == nullptr);
    CHECK(b.find("made")->id == made);
    CHECK(b.host.folders.empty());
    b.start(Broker::Takeover::none);
  }
  b.host.add_folder("made", 0, made);
  b.start(Broker::Takeover::none);
  CHECK(b.host.is_served("made", 0));
  CHECK(b.find("made")->configs.at("retention.ms") == "7");
}

}  // namespace
}  // namespace sillok::tests
