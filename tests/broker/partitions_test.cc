// Partitions over an in-memory disk that stop and start again: which leader epoch each goes on with.
#include "broker/partitions.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "storage/log_dir.h"
#include "storage/partition_metadata.h"
#include "storage/text_file.h"
#include "tests/support/batches.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {
namespace {

using broker::Partitions;

const TopicId kId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");

struct Node : OneDevice {
  Node() { start(); }
  ~Node() { flusher.stop(); }

  void start() {
    storage::LogDirOptions options;
    options.file_system = &files;
    options.clock = &clock;
    options.path = "/data";
    auto opened = storage::LogDir::open(options);
    REQUIRE(opened.ok());
    log_dir = std::move(opened).value();
    partitions = std::make_unique<Partitions>(*log_dir, device, 1);
    REQUIRE(partitions->find().ok());
  }
  enum class Stop { clean, crash };
  void restart(Stop how) {
    if (how == Stop::clean) REQUIRE(partitions->close().ok());
    partitions.reset();
    log_dir.reset();
    start();
  }
  broker::PartitionHost::Opening opening(const std::string& topic, LeaderEpoch least = LeaderEpoch(0)) {
    return {topic, PartitionIndex(0), kId, {}, least};
  }
  void create(const std::string& topic) {
    REQUIRE(partitions->create({opening(topic)}).ok());
    Bytes bytes = batch().records(3);
    partitions->find(topic, PartitionIndex(0))
        .partition->append({bytes, header_of(bytes), broker::Acks::leader, sink, 0});
  }
  void open(const std::string& topic, LeaderEpoch least = LeaderEpoch(0)) {
    REQUIRE(partitions->open({opening(topic, least)}).ok());
  }
  bool is_offline(const std::string& topic) {
    return partitions->find(topic, PartitionIndex(0)).state == Partitions::Lookup::State::offline;
  }
  std::int32_t epoch(const std::string& topic) {
    return partitions->find(topic, PartitionIndex(0)).partition->leader_epoch().value;
  }

  MemFileSystem memory;
  FaultFileSystem files{memory};
  std::shared_ptr<RecordingSink> sink = std::make_shared<RecordingSink>();
  std::unique_ptr<storage::LogDir> log_dir;
  std::unique_ptr<Partitions> partitions;
};

TEST_CASE("partitions: a clean stop keeps the leader epoch, and any other one gives a new one") {
  Node node;
  node.create("a");
  CHECK(node.epoch("a") == 0);
  node.restart(Node::Stop::clean);
  node.open("a");
  CHECK(node.epoch("a") == 0);
  node.restart(Node::Stop::crash);
  node.open("a");
  CHECK(node.epoch("a") == 1);
}

TEST_CASE("partitions: after a clean stop a log that was brought since gets a new leader epoch, alone") {
  Node node;
  node.create("a");
  node.create("b");
  REQUIRE(node.partitions->close().ok());
  // Whoever stopped last knew "a" only.
  REQUIRE(node.memory.remove("/data/sillok-recovery-points").ok());
  REQUIRE(storage::replace_file(node.memory, "/data/recovery-point-offset-checkpoint", "0\n1\na 0 3\n").ok());
  node.restart(Node::Stop::crash);
  REQUIRE(node.log_dir->was_clean());
  node.open("a");
  node.open("b");
  CHECK(node.epoch("a") == 0);
  CHECK(node.epoch("b") == 1);
}

TEST_CASE("partitions: a leader epoch is never below the least that is asked for") {
  Node node;
  node.create("a");
  node.restart(GENERATE(Node::Stop::clean, Node::Stop::crash));
  node.open("a", LeaderEpoch(7));
  CHECK(node.epoch("a") == 7);
  node.restart(Node::Stop::clean);
  node.open("a", LeaderEpoch(3));
  CHECK(node.epoch("a") == 7);
}

TEST_CASE("partitions: without room the epoch before goes on, but not below the least that is asked for") {
  Node node;
  node.create("a");
  node.restart(Node::Stop::crash);
  node.files.fail({FileCall::write, "leader-epoch-checkpoint", 1, kEveryCall}, Errc::no_space);
  SECTION("where that is enough") {
    node.open("a");
    CHECK(node.epoch("a") == 0);
  }
  SECTION("where it is not") {
    node.open("a", LeaderEpoch(5));
    CHECK(node.is_offline("a"));
  }
}

TEST_CASE("partitions: the last leader epoch that there can be is not passed") {
  Node node;
  node.create("a");
  REQUIRE(node.partitions->close().ok());
  REQUIRE(
      storage::replace_file(node.memory, "/data/a-0/leader-epoch-checkpoint", "0\n1\n2147483647 0\n").ok());
  for (int i = 0; i < 2; ++i) {
    node.restart(Node::Stop::crash);
    node.open("a");
    CHECK(node.epoch("a") == 2147483647);
  }
}

TEST_CASE("partitions: one that took another's place is not held to be damaged by the other's checkpoints") {
  Node node;
  node.create("a");
  REQUIRE(node.partitions->close().ok());
  const auto file = node.memory.open("/data/a-0/00000000000000000000.log", storage::OpenMode::read_write);
  REQUIRE((*file)->truncate(FilePosition(0)).ok());
  const bool is_another = GENERATE(true, false);
  if (is_another) REQUIRE(storage::write_partition_metadata(node.memory, "/data/a-0", TopicId{{77}}).ok());
  // However often nothing newer is written.
  for (int i = 0; i < 2; ++i) {
    node.restart(Node::Stop::crash);
    auto opening = node.opening("a");
    if (is_another) opening.topic_id = TopicId{{77}};
    REQUIRE(node.partitions->open({opening}).ok());
    const auto partition = node.partitions->find("a", PartitionIndex(0)).partition;
    CHECK((partition->log().health() == storage::LogHealth::healthy) == is_another);
  }
}

}  // namespace
}  // namespace sillok::tests
