// Topics of an Apache Kafka that ran on the log directory.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"
#include "broker/producer_ids.h"
#include "storage/meta_properties.h"
#include "tests/support/take_over_fixture.h"

namespace sillok::tests {
namespace {

using Broker = TakeOverFixture;

TEST_CASE("take over: Kafka's topics keep their ids, counts, configs and epochs, and are recorded") {
  Broker b;
  b.orders().configs = {{"retention.ms", "60000"}, {"cleanup.policy", "compact"}};
  b.start();
  for (const auto which : {Broker::Takeover::kafka, Broker::Takeover::none}) {
    const broker::TopicImage* orders = b.find("orders");
    REQUIRE(orders != nullptr);
    CHECK(orders->id == kId);
    CHECK(orders->partition_count == 2);
    CHECK(orders->configs == b.orders().configs);
    CHECK(orders->log_config.retention_ms == 60000);
    CHECK(orders->log_config.cleanup_compact);
    CHECK(b.host.is_served("orders", 0));
    CHECK(b.host.is_served("orders", 1));
    CHECK(b.host.calls.empty());
    const bool is_first = which == Broker::Takeover::kafka;
    CHECK(b.host.folders[{"orders", 0}].leader_epoch_min == LeaderEpoch(is_first ? 4 : 0));
    b.start(Broker::Takeover::none);
  }
}

TEST_CASE(
    "take over: a config that cannot be honoured is left out with a note, and so is one that contradicts") {
  Broker b;
  b.orders().configs = {{"retention.ms", "60000"},           {"message.format.version", "2.8"},
                        {"remote.storage.enable", "true"},   {"segment.bytes", "many"},
                        {"min.compaction.lag.ms", "100000"}, {"max.compaction.lag.ms", "5"}};
  b.start();
  CHECK(b.find("orders")->configs ==
        std::map<std::string, std::string>{{"min.compaction.lag.ms", "100000"}, {"retention.ms", "60000"}});
  for (const char* name : {"message.format.version=2.8", "remote.storage.enable", "segment.bytes=many",
                           "max.compaction.lag.ms"}) {
    CHECK(b.has_note(name));
  }
}

TEST_CASE("take over: a topic that is not whole here refuses the start, and nothing is changed") {
  Broker b;
  std::string word;
  SECTION("a partition is on another broker") {
    b.orders().partitions[1] = partition_on({BrokerId(8), BrokerId(9)});
    b.host.folders.erase({"orders", 1});
    word = "orders-1 is on broker 8, 9";
  }
  SECTION("a partition is in another directory") {
    b.orders().partitions[1].directories = {kOtherDirectory};
    b.host.folders.erase({"orders", 1});
    word = "orders-1 is in another log directory";
  }
  SECTION("a partition is here, but was not in sync") {
    b.orders().partitions[1] = partition_on({BrokerId(8), kNode});
    b.orders().partitions[1].in_sync = {BrokerId(8)};
    word = "orders-1 is here but was not in sync";
  }
  SECTION("a topic is on another broker") {
    b.kafka.topics[kOtherId] = {"other", kOtherId, {{0, partition_on({BrokerId(8)})}}, {}};
    word = "other-0 is on broker 8";
  }
  const auto folders = b.host.folders.size();
  const auto refused = b.try_start();
  REQUIRE(refused.error().code == Errc::invalid_config);
  INFO(refused.error().detail);
  CHECK(refused.error().detail.find(word) != std::string::npos);
  CHECK(refused.error().detail.find("sillok.adopt.incomplete.topics") != std::string::npos);
  CHECK(b.host.folders.size() == folders);
  CHECK(b.host.calls.empty());
  CHECK(b.store->range("").value().empty());
}

TEST_CASE("take over: with leave, what is elsewhere is offline and never made anew, until it is brought") {
  Broker b;
  b.config.adopt_incomplete_topics = true;
  b.orders().partitions[1] = partition_on({BrokerId(8)});
  b.host.folders.erase({"orders", 1});
  b.kafka.topics[kOtherId] = {"other", kOtherId, {{0, partition_on({BrokerId(8)})}}, {}};
  b.start();
  for (int round = 0; round < 2; ++round) {
    CHECK(b.find("orders")->partition_count == 2);
    CHECK(b.host.is_served("orders", 0));
    CHECK(!b.host.folders.contains({"orders", 1}));
    CHECK(b.find("other") == nullptr);
    b.config.adopt_incomplete_topics = false;
    b.start(Broker::Takeover::none);
  }
  b.host.add_folder("orders", 1, kId);
  b.start(Broker::Takeover::none);
  CHECK(b.host.is_served("orders", 1));
}

TEST_CASE("take over: with leave, a copy that was not in sync is served") {
  Broker b;
  b.config.adopt_incomplete_topics = true;
  b.orders().partitions[1].in_sync = {BrokerId(8)};
  b.start();
  CHECK(b.host.is_served("orders", 1));
}

TEST_CASE("take over: a partition that Kafka had here, but made no folder for yet, is made") {
  Broker b;
  b.host.folders.erase({"orders", 1});
  b.orders().partitions[1].directories = {Uuid{}};  // not assigned yet
  b.orders().partitions[1].in_sync.clear();
  b.orders().partitions[1].last_known_eligible = {kNode};
  b.start();
  CHECK(b.host.is_served("orders", 1));
  CHECK(b.host.folders[{"orders", 1}].leader_epoch_min == LeaderEpoch(4));
  CHECK(b.has_note("orders-1 was missing"));
}

TEST_CASE("take over: with leave, a partition that was not in sync and has no folder is offline, not empty") {
  Broker b;
  b.orders().partitions[1].in_sync = {BrokerId(8)};
  b.host.folders.erase({"orders", 1});
  CHECK(b.try_start().error().detail.find("orders-1 is to be here but was not in sync") != std::string::npos);
  b.config.adopt_incomplete_topics = true;
  b.start();
  for (int round = 0; round < 2; ++round) {
    CHECK(b.find("orders")->partition_count == 2);
    CHECK(!b.host.folders.contains({"orders", 1}));
    b.start(Broker::Takeover::none);
  }
}

TEST_CASE("take over: the broker's own part comes when all is served, and again until it is recorded") {
  Broker b;
  int calls = 0;
  b.when_served = [&](const KafkaMetadata&, std::vector<std::string>&) -> Result<void> {
    ++calls;
    CHECK(b.find("orders") != nullptr);
    CHECK(b.host.is_served("orders", 1));
    CHECK(b.store->range("").value().empty());
    if (calls == 1) return Error{Errc::io_error, "test"};
    return {};
  };
  CHECK(b.try_start().error().code == Errc::io_error);
  b.start();
  CHECK(calls == 2);
  CHECK(b.store->range(broker::kKafkaMetadataKey).value().size() == 1);
  b.start(Broker::Takeover::none);
  CHECK(calls == 2);
}

TEST_CASE("take over: the broker's own part does not come where the start is refused") {
  Broker b;
  b.orders().partitions[1] = partition_on({BrokerId(8)});
  b.when_served = [](const KafkaMetadata&, std::vector<std::string>&) -> Result<void> {
    FAIL("called");
    return {};
  };
  CHECK(b.try_start().error().code == Errc::invalid_config);
}

TEST_CASE("take over: a folder that Kafka does not know is adopted by its own id, beside the others") {
  Broker b;
  b.host.add_folder("brought", 0, kOtherId);
  b.start();
  CHECK(b.find("brought")->id == kOtherId);
  CHECK(b.find("orders") != nullptr);
}

TEST_CASE("take over: metadata of topics that cannot be is passed over with a note") {
  Broker b;
  b.kafka.topics[kOtherId] = {"no name!", kOtherId, {{0, partition_on({kNode})}}, {}};
  b.orders().partitions.erase(0);
  const TopicId id = *Uuid::parse("AAAAAAAAQACAAAAAAAAABQ");
  b.kafka.topics[id] = {"__cluster_metadata", id, {{0, partition_on({kNode})}}, {}};
  b.host.add_folder("__cluster_metadata", 0, id);
  b.start();
  CHECK(b.find("__cluster_metadata") == nullptr);
  CHECK(!b.host.is_served("__cluster_metadata", 0));
  CHECK(b.has_note("no name!"));
  CHECK(b.has_note("lacks partitions"));
  CHECK(b.find("orders")->partition_count == 2);  // adopted from its folders
}

TEST_CASE("take over: no producer id that Kafka gave out, or may give out next, is given out") {
  Broker b;
  b.kafka.next_producer_id = 5000;
  b.start();
  broker::ProducerIds ids(*b.store);
  CHECK(ids.next().value() == ProducerId(5000 + broker::kForeignProducerIds));
  b.start();
  broker::ProducerIds again(*b.store);
  CHECK(again.next().value() == ProducerId(6000 + broker::kForeignProducerIds));
}

struct Finding : TopicsFixture {
  Finding() {
    config.log_dirs = {"/data"};
    config.cluster_id = "ours";
    start();
  }
  auto find() { return broker::find_kafka_takeover(memory, config, *store, notes); }
  void put(const std::string& directory, const std::string& cluster) {
    REQUIRE(memory.make_directories(directory + "/__cluster_metadata-0").ok());
    REQUIRE(storage::write_meta_properties(memory, directory, {cluster, kNode, kDirectory}).ok());
  }
};

TEST_CASE("take over: Kafka's metadata is read where it is, and again only when Kafka has written to it") {
  Finding f;
  CHECK(f.find().value() == nullptr);
  f.put("/data", "ours");
  const auto found = f.find();
  REQUIRE(found.value() != nullptr);
  CHECK(found.value()->directory_id == kDirectory);
  REQUIRE(
      f.store->txn({{}, {{"kafka-metadata", broker::encode_kafka_state(found.value()->state)}}, {}}).ok());
  CHECK(f.find().value() == nullptr);
  REQUIRE(
      storage::replace_file(f.memory, "/data/__cluster_metadata-0/00000000000000000000.log", "torn").ok());
  CHECK(f.find().value() != nullptr);
}

TEST_CASE("take over: what Kafka kept in any of several log directories is here") {
  Finding f;
  f.put("/data", "ours");
  f.config.log_dirs = {"/data", "/more", "/away"};
  REQUIRE(f.memory.make_directories("/more").ok());
  const Uuid more{{4, 5, 6}};
  REQUIRE(storage::write_meta_properties(f.memory, "/more", {"ours", kNode, more}).ok());
  CHECK(f.find().value()->other_directory_ids == std::vector<Uuid>{more});
}

TEST_CASE("take over: metadata.log.dir is read in place of log.dirs, if it is of the same cluster") {
  Finding f;
  f.config.metadata_log_dir = "/metadata";
  CHECK(f.find().value() == nullptr);
  CHECK(!f.notes.empty());
  f.put("/metadata", "ours");
  f.put("/data", "ours");
  REQUIRE(f.find().value() != nullptr);
  f.put("/metadata", "theirs");
  CHECK(f.find().error().code == Errc::invalid_config);
}

}  // namespace
}  // namespace sillok::tests
