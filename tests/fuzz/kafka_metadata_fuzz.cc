// Apache Kafka's own metadata, as a log directory that moves in brings it: the first byte says whether it
// comes as files (two segments of a log and a snapshot, the second byte whether their checksums are made to
// fit) or as records alone. Kafka's files are only read.
#include <algorithm>
#include <map>
#include <set>

#include "broker/metadata/kafka_metadata.h"
#include "broker/metadata/kafka_metadata_log.h"
#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/metadata_records.h"
#include "broker/topic_config.h"
#include "tests/fuzz/disk.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using broker::KafkaMetadata;
using broker::KafkaTopic;

const std::string kFolder = "/data/__cluster_metadata-0/";
const std::string kFiles[] = {"00000000000000000000.log", "00000000000000000018-0000000003.checkpoint",
                              "00000000000000000030.log"};
constexpr BrokerId kNode{1};
constexpr std::int32_t kPartitionIndexMax = 1'000'000;

// Of bytes, and not of the disk.
void check_error(const Error& error) {
  constexpr Errc kOfBytes[] = {Errc::corrupt,   Errc::unsupported_version, Errc::malformed,
                               Errc::truncated, Errc::too_large,           Errc::budget_exceeded};
  CHECK(std::ranges::find(kOfBytes, error.code) != std::end(kOfBytes));
}

void check_topic(const KafkaTopic& topic) {
  CHECK(!topic.name.empty());
  CHECK(!topic.id.is_zero());
  std::set<std::int32_t> indexes;
  for (const auto& [index, partition] : topic.partitions) {
    CHECK(index >= 0 && index <= kPartitionIndexMax);
    indexes.insert(index);
    (void)broker::whereabouts(partition, kNode, std::nullopt);
    (void)broker::whereabouts(partition, kNode, Uuid{{1, 2, 3}});
  }
  const auto kept =
      broker::decode_elsewhere(broker::elsewhere_key(topic.id), broker::encode_elsewhere(indexes));
  CHECK(kept.ok() && *kept == indexes);
  std::vector<std::string> notes;
  const broker::KafkaConfigs sound = broker::sound_configs(topic, notes);
  CHECK(!broker::topic_configs_fault(sound));
  CHECK(notes.size() + sound.size() >= topic.configs.size());
}

void check_all(const KafkaMetadata& metadata) {
  CHECK(metadata.next_producer_id >= 0);
  for (const auto& [id, topic] : metadata.topics) {
    CHECK(topic.id == id);
    check_topic(topic);
  }
}

void apply_records(Choices& choices) {
  broker::KafkaMetadataReplay replay;
  while (!choices.rest().empty()) {
    const auto applied = replay.apply(choices.next_part());
    if (!applied.ok()) return check_error(applied.error());
  }
  check_all(std::move(replay).finish());
}

std::map<std::string, Bytes> files_of(storage::FileSystem& disk) {
  std::map<std::string, Bytes> found;
  const auto entries = disk.list_directory(kFolder);
  for (const auto& entry : *entries) found[entry.name] = content_of(disk, kFolder + entry.name);
  return found;
}

void read_files(Choices& choices) {
  const bool fits = choices.flip();
  tests::MemFileSystem disk;
  CHECK(disk.make_directories(kFolder).ok());
  for (const std::string& name : kFiles) {
    const ByteView part = choices.next_part();
    if (part.empty()) continue;
    Bytes content(part.begin(), part.end());
    if (fits) renew_batch_crcs(content);
    put_file(disk, kFolder + name, content);
  }
  const auto before = files_of(disk);
  const auto state = broker::kafka_metadata_state(disk, kFolder);
  CHECK(state.ok());
  std::vector<std::string> notes;
  const auto read = broker::read_kafka_metadata(disk, kFolder, notes);
  read.ok() ? check_all(*read) : check_error(read.error());
  CHECK(files_of(disk) == before);
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  choices.flip() ? apply_records(choices) : read_files(choices);
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> records;
  Bytes log;
  Bytes snapshot;
  for (const Golden& golden : golden_files("broker/golden_metadata", "")) {
    if (golden.name == "log.hex") {
      log = golden.bytes;
    } else if (golden.name.starts_with("snapshot")) {
      snapshot = golden.bytes;
    } else {
      records.push_back(golden.bytes);
    }
  }
  std::vector<Bytes> all = {
      with_choices({0, 1}, in_parts({log})), with_choices({0, 1}, in_parts({log, snapshot})),
      with_choices({0, 0}, in_parts({log, snapshot})), with_choices({0, 1}, in_parts({{}, snapshot})),
      with_choices({0, 1}, in_parts({log, {}, log}))};
  // A topic comes before what is of it, and its end behind that.
  const std::vector<Bytes> in_order(records.rbegin(), records.rend());
  all.push_back(with_choices({1}, in_parts(in_order)));
  all.push_back(with_choices({1}, in_parts(records)));
  for (const Bytes& record : records) all.push_back(with_choices({1}, in_parts({in_order.front(), record})));
  const Bytes begin = {std::byte{1}, std::byte{23}, std::byte{0}, std::byte{0}, std::byte{0}};
  const Bytes end = {std::byte{1}, std::byte{24}, std::byte{0}, std::byte{0}};
  all.push_back(with_choices({1}, in_parts({begin, in_order.front(), end})));
  return all;
}

}  // namespace sillok::fuzz
