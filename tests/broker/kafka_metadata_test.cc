// Metadata that Apache Kafka's own classes wrote (tests/interop/GoldenMetadata.java), and what damage does to
// it.
#include "broker/metadata/kafka_metadata.h"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "broker/metadata/kafka_metadata_log.h"
#include "protocol/wire/decode.h"
#include "protocol/wire/printer.h"
#include "tests/support/batches.h"
#include "tests/support/mem_file_system.h"

namespace sillok::broker {
namespace {

using tests::from_hex;

const std::filesystem::path kGolden =
    std::filesystem::path(SILLOK_SOURCE_DIR) / "tests/broker/golden_metadata";
const std::string kFolder = "/data/__cluster_metadata-0";
const std::string kSegment = "00000000000000000000.log";
const std::string kSnapshot = "00000000000000000018-0000000003.checkpoint";

std::string read_text(const std::string& name) {
  std::ifstream file(kGolden / name);
  if (!file.good()) FAIL("no golden file " << name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Bytes golden(const std::string& name) { return from_hex(read_text(name + ".hex")); }

TopicId topic_id(std::uint8_t number) {
  TopicId id;
  id.bytes[6] = 0x11;
  id.bytes[7] = 0x11;
  id.bytes[15] = number;
  return id;
}

template <class Record>
void check_record(const std::string& name) {
  for (protocol::Version version = Record::kVersions.first; version <= Record::kVersions.last; ++version) {
    const std::string stem = name + ".v" + std::to_string(version);
    INFO(stem);
    const Bytes bytes = golden(stem);
    protocol::Decoder in(bytes);
    CHECK(in.unsigned_varint() == 1);
    CHECK(in.unsigned_varint() == static_cast<std::uint32_t>(Record::kKey));
    CHECK(in.unsigned_varint() == static_cast<std::uint32_t>(version));
    Record record;
    REQUIRE(protocol::decode(in, record, version).ok());
    CHECK(boost::json::parse(protocol::to_json(record, version)) ==
          boost::json::parse(read_text(stem + ".json")));
  }
}

TEST_CASE("kafka metadata: records are what Kafka's own classes make of them") {
  check_record<kafka::TopicRecord>("TopicRecord");
  check_record<kafka::PartitionRecord>("PartitionRecord");
  check_record<kafka::PartitionChangeRecord>("PartitionChangeRecord");
  check_record<kafka::ConfigRecord>("ConfigRecord");
  check_record<kafka::RemoveTopicRecord>("RemoveTopicRecord");
  check_record<kafka::ProducerIdsRecord>("ProducerIdsRecord");
}

struct Fixture {
  Fixture() { REQUIRE(disk.make_directories(kFolder).ok()); }
  void put(const std::string& name, ByteView content) {
    REQUIRE(storage::replace_file(disk, kFolder + "/" + name, as_text(content)).ok());
  }
  Result<KafkaMetadata> try_read() {
    notes.clear();
    return read_kafka_metadata(disk, kFolder, notes);
  }
  KafkaMetadata read() {
    auto read = try_read();
    INFO((read.ok() ? std::string() : read.error().describe()));
    REQUIRE(read.ok());
    return std::move(read).value();
  }

  tests::MemFileSystem disk;
  std::vector<std::string> notes;
};

void check_all(const KafkaMetadata& metadata) {
  REQUIRE(metadata.topics.size() == 3);
  const KafkaTopic& orders = metadata.topics.at(topic_id(1));
  CHECK(orders.name == "orders");
  CHECK(orders.configs == KafkaConfigs{{"retention.ms", "60000"}});
  REQUIRE(orders.partitions.size() == 2);
  const KafkaPartition& changed = orders.partitions.at(0);
  CHECK(changed.leader_epoch == LeaderEpoch(6));
  CHECK(changed.replicas == std::vector<BrokerId>{BrokerId(1)});
  CHECK(changed.in_sync == std::vector<BrokerId>{BrokerId(1)});
  CHECK(orders.partitions.at(1).replicas == std::vector<BrokerId>{BrokerId(1), BrokerId(2)});
  CHECK(orders.partitions.at(1).directories.size() == 2);
  CHECK(orders.partitions.at(1).leader_epoch == LeaderEpoch(4));
  CHECK(metadata.topics.at(topic_id(2)).name == "pairs");
  CHECK(metadata.topics.at(topic_id(4)).name == "later");
  CHECK(metadata.topics.at(topic_id(4)).configs.empty());
  CHECK(metadata.removed_topics == std::unordered_set<TopicId>{topic_id(3)});
  CHECK(metadata.broker_configs ==
        std::map<std::string, KafkaConfigs>{{"", {{"message.max.bytes", "2000000"}}},
                                            {"1", {{"log.cleaner.threads", "2"}}}});
  CHECK(metadata.next_producer_id == 3000);
}

TEST_CASE("kafka metadata: a log comes to its topics, without what was removed or aborted") {
  Fixture f;
  f.put(kSegment, golden("log"));
  check_all(f.read());
  CHECK(f.notes.empty());
}

TEST_CASE("kafka metadata: a snapshot and the log behind it come to the same as the whole log") {
  Fixture f;
  f.put(kSegment, golden("log"));
  f.put(kSnapshot, golden("snapshot-18"));
  check_all(f.read());
  // An older one, and others that are not whole, do not count.
  f.put("00000000000000000000-0000000000.checkpoint", as_bytes("old"));
  f.put("00000000000000000099-0000000003.checkpoint.part", as_bytes("half"));
  f.put("00000000000000000001-0000000003.checkpoint.deleted", as_bytes("gone"));
  check_all(f.read());
}

TEST_CASE("kafka metadata: a snapshot alone is the state at its offset") {
  Fixture f;
  f.put(kSnapshot, golden("snapshot-18"));
  const KafkaMetadata metadata = f.read();
  CHECK(metadata.topics.size() == 3);
  CHECK(metadata.topics.at(topic_id(3)).configs == KafkaConfigs{{"retention.ms", "1"}});
  CHECK(metadata.topics.at(topic_id(1)).configs.size() == 2);
  CHECK(metadata.next_producer_id == 2000);
}

TEST_CASE("kafka metadata: a log that does not reach back to the snapshot is refused") {
  Fixture f;
  f.put("00000000000000000019.log", golden("log"));
  CHECK(f.try_read().error().code == Errc::corrupt);
  f.put(kSnapshot, golden("snapshot-18"));
  CHECK(f.try_read().error().code == Errc::corrupt);
}

TEST_CASE("kafka metadata: the log goes on in the next segment, and has no hole") {
  Fixture f;
  const Bytes log = golden("log");
  protocol::RecordBatchHeader header;
  std::size_t half = 0;
  while (half < log.size() / 2) {
    header = tests::header_of(Bytes(log.begin() + static_cast<std::ptrdiff_t>(half), log.end()));
    half += header.size();
  }
  const auto name = [](Offset base) {
    const std::string digits = std::to_string(base.value);
    return std::string(20 - digits.size(), '0') + digits + ".log";
  };
  f.put(kSegment, ByteView(log).first(half));
  f.put(name(header.next_offset()), ByteView(log).subspan(half));
  check_all(f.read());
  f.put(kSegment, ByteView(log).first(half - 1));
  CHECK(f.try_read().error().code == Errc::corrupt);
  REQUIRE(f.disk.remove(kFolder + "/" + name(header.next_offset())).ok());
  f.put(name(header.next_offset() + 1), ByteView(log).subspan(half));
  f.put(kSegment, ByteView(log).first(half));
  CHECK(f.try_read().error().code == Errc::corrupt);
}

TEST_CASE("kafka metadata: every cut of the log is a shorter log") {
  Fixture f;
  const Bytes log = golden("log");
  std::size_t topic_count = 0;
  for (std::size_t size = 0; size < log.size(); ++size) {
    INFO("cut to " << size);
    f.put(kSegment, ByteView(log).first(size));
    const KafkaMetadata metadata = f.read();
    const std::size_t seen = metadata.topics.size() + metadata.removed_topics.size();
    CHECK(seen >= topic_count);
    topic_count = seen;
  }
  CHECK(topic_count == 3);
}

TEST_CASE("kafka metadata: every flipped byte is an error, a shorter log, or without effect") {
  Fixture f;
  const Bytes log = golden("log");
  const Bytes snapshot = golden("snapshot-18");
  for (std::size_t at = 0; at < log.size(); ++at) {
    Bytes flipped = log;
    flipped[at] ^= std::byte{0xff};
    f.put(kSegment, flipped);
    const auto read = f.try_read();
    if (!read.ok()) continue;
    const bool is_whole = read->topics.size() == 3 && read->next_producer_id == 3000;
    CHECK((is_whole || !f.notes.empty()));
  }
  REQUIRE(f.disk.remove(kFolder + "/" + kSegment).ok());
  for (std::size_t at = 0; at < snapshot.size(); ++at) {
    Bytes flipped = snapshot;
    flipped[at] ^= std::byte{0xff};
    f.put(kSnapshot, flipped);
    const auto read = f.try_read();
    CHECK((!read.ok() || read->topics.size() == 3));
  }
  for (std::size_t size = 0; size < snapshot.size(); ++size) {
    f.put(kSnapshot, ByteView(snapshot).first(size));
    CHECK(f.try_read().error().code == Errc::corrupt);
  }
}

TEST_CASE("kafka metadata: hostile bytes behind a sound checksum are an error or a record") {
  for (const char* name : {"TopicRecord.v0", "PartitionRecord.v2", "PartitionChangeRecord.v2",
                           "ConfigRecord.v0", "RemoveTopicRecord.v0", "ProducerIdsRecord.v0"}) {
    const Bytes record = golden(name);
    for (std::size_t at = 0; at < record.size(); ++at) {
      for (int flip = 1; flip < 256; ++flip) {
        KafkaMetadataReplay replay;
        (void)replay.apply(golden("TopicRecord.v0")).ok();
        Bytes flipped = record;
        flipped[at] ^= static_cast<std::byte>(flip);
        (void)replay.apply(flipped).ok();
        (void)replay.apply(ByteView(record).first(at)).ok();
        (void)std::move(replay).finish();
      }
    }
  }
}

TEST_CASE(
    "kafka metadata: a record of a later Kafka's is refused where it would change topics, else passed over") {
  KafkaMetadataReplay replay;
  Bytes topic = golden("TopicRecord.v0");
  topic[2] = std::byte{1};
  CHECK(replay.apply(topic).error().code == Errc::unsupported_version);
  topic = golden("TopicRecord.v0");
  topic[0] = std::byte{2};
  CHECK(replay.apply(topic).error().code == Errc::unsupported_version);
  CHECK(replay.apply(from_hex("01600007")).ok());
  const KafkaMetadata metadata = std::move(replay).finish();
  CHECK(metadata.unknown_records == std::set<std::uint32_t>{0x60});
}

TEST_CASE("kafka metadata: records that contradict those before them are refused") {
  for (const char* name : {"PartitionRecord.v2", "PartitionChangeRecord.v2", "RemoveTopicRecord.v0"}) {
    CHECK(KafkaMetadataReplay().apply(golden(name)).error().code == Errc::corrupt);
  }
  KafkaMetadataReplay replay;
  REQUIRE(replay.apply(golden("TopicRecord.v0")).ok());
  CHECK(replay.apply(golden("TopicRecord.v0")).error().code == Errc::corrupt);
  CHECK(replay.apply(golden("PartitionChangeRecord.v2")).error().code == Errc::corrupt);
  CHECK(replay.apply(from_hex("01180000")).error().code == Errc::corrupt);  // the end of no transaction
  CHECK(replay.apply(from_hex("01190000")).error().code == Errc::corrupt);
}

TEST_CASE("kafka metadata: what identifies its state changes with every append") {
  Fixture f;
  CHECK(kafka_metadata_state(f.disk, "/data/none").error().code == Errc::not_found);
  const Bytes log = golden("log");
  f.put(kSegment, ByteView(log).first(100));
  const auto before = kafka_metadata_state(f.disk, kFolder);
  CHECK(kafka_metadata_state(f.disk, kFolder).value() == before.value());
  f.put(kSegment, log);
  CHECK(kafka_metadata_state(f.disk, kFolder).value() != before.value());
}

}  // namespace
}  // namespace sillok::broker
