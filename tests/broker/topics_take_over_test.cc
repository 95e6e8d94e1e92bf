// Topics of an Apache Kafka that ran on the log directory.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"
#include "broker/producer_ids.h"
#include "storage/meta_properties.h"
#include "tests/support/topics_fixture.h"

namespace sillok::tests {
namespace {

using broker::KafkaMetadata;
using broker::KafkaPartition;
using broker::KafkaTakeover;
using broker::KafkaTopic;

constexpr BrokerId kNode{7};
const Uuid kDirectory = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");
const Uuid kOtherDirectory = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAg");
const TopicId kId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAw");
const TopicId kOtherId = *Uuid::parse("AAAAAAAAQACAAAAAAAAABA");

KafkaPartition partition_on(std::vector<BrokerId> brokers) {
  KafkaPartition partition;
  partition.directories.assign(brokers.size(), kDirectory);
  partition.in_sync = brokers;
  partition.replicas = std::move(brokers);
  partition.leader_epoch = LeaderEpoch(4);
  return partition;
}

struct Broker : TopicsFixture {
  Broker() {
    KafkaTopic topic;
    topic.name = "orders";
    topic.id = kId;
    topic.partitions = {{0, partition_on({kNode})}, {1, partition_on({kNode})}};
    kafka.topics[kId] = topic;
    host.add_folder("orders", 0, kId);
    host.add_folder("orders", 1, kId);
  }
  KafkaTopic& orders() { return kafka.topics.at(kId); }

  enum class Takeover { none, kafka };
  Result<void> try_start(Takeover which = Takeover::kafka) {
    topics.reset();
    store.reset();
    notes.clear();
    host.restart();
    store = broker::LocalStore::open({&files, &clock, "/data"}, notes).value();
    topics = std::make_unique<broker::Topics>(config, *store, host);
    if (which == Takeover::kafka) {
      topics->take_over(std::make_unique<KafkaTakeover>(KafkaTakeover{kafka, "state", kNode, kDirectory}),
                        when_served);
    }
    return topics->load(notes);
  }
  void start(Takeover which = Takeover::kafka) {
    const auto started = try_start(which);
    INFO((started.ok() ? std::string() : started.error().describe()));
    REQUIRE(started.ok());
  }
  bool has_note(std::string_view part) const {
    return std::ranges::any_of(notes,
                               [&](const std::string& note) { return note.find(part) != std::string::npos; });
  }
  const broker::TopicImage* find(std::string_view name) {
    image = topics->image();
    return image->find(name);
  }

  KafkaMetadata kafka;
  broker::Topics::WhenServed when_served;
  std::shared_ptr<const broker::MetadataImage> image;
};

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
  b.kafka.topics.clear();
  b.kafka.removed_topics = {kId};
  b.host.folders.clear();
  b.host.add_folder("orders", 0, kOtherId);
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
  b.kafka.topics.clear();
  b.kafka.removed_topics = {kId};
  b.host.folders.clear();
  b.host.add_folder("orders", 0, kOtherId);
  const broker::UnfinishedRecord creation{"orders", 1, {{"retention.ms", "9"}}};
  REQUIRE(b.store->txn({{}, {{broker::unfinished_key(kOtherId), encode(creation)}}, {}}).ok());
  b.start();
  for (int round = 0; round < 2; ++round) {
    REQUIRE(b.find("orders") != nullptr);
    CHECK(b.find("orders")->configs == creation.configs);
    b.start(Broker::Takeover::none);
  }
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
