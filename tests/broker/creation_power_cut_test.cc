// The power goes while topics and partitions are made: what was answered is there, and what was not is whole
// or not there at all.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/topics.h"
#include "broker/partitions.h"
#include "storage/leader_epochs.h"
#include "storage/log_dir.h"
#include "storage/partition_metadata.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/partition_fixture.h"
#include "tests/support/seed.h"

namespace sillok::tests {
namespace {

using broker::NewTopic;
using broker::ValidateOnly;
using protocol::ErrorCode;

constexpr int kCuts = 120;
constexpr int kChangesBetweenCuts = 2;
constexpr std::int32_t kPartitionsEach = 3;

// What serves topics, from the folders to the image, on a disk that somebody else keeps.
class Broker {
 public:
  explicit Broker(MemFileSystem& disk) : files(disk) {
    storage::LogDirOptions options;
    options.file_system = &files;
    options.clock = &device_.clock;
    options.path = "/data";
    log_dir_ = require(storage::LogDir::open(options));
    std::vector<std::string> notes;
    store_ = require(broker::LocalStore::open({&files, &device_.clock, "/data"}, notes));
    partitions_ = std::make_unique<broker::Partitions>(*log_dir_, device_.device, 1);
    topics_ = std::make_unique<broker::Topics>(config_, *store_, *partitions_);
    const auto loaded = topics_->load(notes);
    INFO((loaded.ok() ? std::string() : loaded.error().describe()));
    REQUIRE(loaded.ok());
  }
  ~Broker() { device_.flusher.stop(); }

  // Those of which the answer says that they were made.
  std::vector<std::string> create(const std::vector<std::string>& names) {
    std::vector<NewTopic> wanted;
    for (const std::string& name : names) wanted.push_back({name, kPartitionsEach, 1, {}});
    const auto outcomes = topics_->create(wanted, ValidateOnly::no);
    std::vector<std::string> made;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (outcomes[i].error == ErrorCode::none) made.push_back(names[i]);
    }
    return made;
  }
  bool grow(const std::string& name, std::int32_t partition_count) {
    return topics_->add_partitions(name, partition_count, ValidateOnly::no).error == ErrorCode::none;
  }

  std::int32_t partition_count(const std::string& name) const {
    const auto image = topics_->image();
    const broker::TopicImage* topic = image->find(name);
    return topic == nullptr ? 0 : topic->partition_count;
  }
  // All partitions of the topic are served, and their folders say whose they are.
  void check_whole(const std::string& name) {
    const auto image = topics_->image();
    const broker::TopicImage* topic = image->find(name);
    REQUIRE(topic != nullptr);
    for (std::int32_t i = 0; i < topic->partition_count; ++i) {
      INFO(name << "-" << i);
      const auto found = partitions_->find(name, PartitionIndex(i));
      REQUIRE(found.partition != nullptr);
      storage::Log& log = found.partition->log();
      CHECK(log.health() == storage::LogHealth::healthy);
      CHECK(log.topic_id() == topic->id);
      CHECK(log.latest_leader_epoch() >= LeaderEpoch(0));
      log.check_invariants();
      const auto id = storage::read_partition_metadata(files, log.directory());
      REQUIRE(id.ok());
      CHECK(*id == topic->id);
    }
  }

  FaultFileSystem files;

 private:
  template <class T>
  static T require(Result<T> result) {
    INFO((result.ok() ? std::string() : result.error().describe()));
    REQUIRE(result.ok());
    return std::move(result).value();
  }

  OneDevice device_;
  broker::Config config_;
  std::unique_ptr<storage::LogDir> log_dir_;
  std::unique_ptr<broker::LocalStore> store_;
  std::unique_ptr<broker::Partitions> partitions_;
  std::unique_ptr<broker::Topics> topics_;
};

// Before a start could make anything anew.
void check_on_disk(MemFileSystem& disk, const std::string& topic, std::int32_t partition_count) {
  for (std::int32_t i = 0; i < partition_count; ++i) {
    const std::string folder = "/data/" + topic + "-" + std::to_string(i);
    INFO(folder);
    const auto id = storage::read_partition_metadata(disk, folder);
    REQUIRE(id.ok());
    CHECK(id->has_value());
    const auto epochs = storage::LeaderEpochs::read(disk, folder);
    REQUIRE(epochs.ok());
    CHECK(epochs->latest() == storage::LeaderEpochEntry{LeaderEpoch(0), Offset(0)});
    for (const char* const suffix : {".log", ".index", ".timeindex"})
      CHECK(*disk.exists(folder + "/00000000000000000000" + suffix));
  }
}

// The power goes at one change after the other, and each time another way.
struct Cut {
  Cut(std::uint64_t first_seed, int cut)
      : seed(first_seed + static_cast<std::uint64_t>(cut)),
        mode(kModes[cut % 3]),
        change(1 + cut * kChangesBetweenCuts + static_cast<int>(first_seed % 2)) {}
  void stop(FaultFileSystem& files) const { files.stop_at(change, static_cast<ByteCount>(seed % 100)); }

  static constexpr CrashMode kModes[] = {CrashMode::random_names, CrashMode::random, CrashMode::lose_all};
  std::uint64_t seed;
  CrashMode mode;
  int change;
};

const std::vector<std::string> kBefore{"before-1", "before-2"};
const std::vector<std::string> kDuring{"a", "b", "c", "d"};

TEST_CASE("topics: a power cut while topics are made leaves each of them whole, or free to be made again") {
  const std::uint64_t first_seed = seed();
  INFO("SILLOK_TEST_SEED=" << first_seed);
  int answered = 0;
  int kept_unanswered = 0;
  for (int cut = 0; cut < kCuts; ++cut) {
    const Cut at(first_seed, cut);
    INFO("cut " << cut);
    MemFileSystem disk;
    std::vector<std::string> made;
    {
      Broker broker(disk);
      REQUIRE(broker.create(kBefore) == kBefore);
      // The last of them are cuts behind the answer.
      at.stop(broker.files);
      made = broker.create(kDuring);
    }
    auto after = disk.after_crash(at.seed, at.mode);
    for (const std::string& name : made) check_on_disk(*after, name, kPartitionsEach);
    {
      Broker broker(*after);
      for (const std::string& name : kBefore) broker.check_whole(name);
      for (const std::string& name : made) broker.check_whole(name);
      answered += made.empty() ? 0 : 1;
      std::vector<std::string> missing;
      for (const std::string& name : kDuring) {
        const std::int32_t count = broker.partition_count(name);
        if (count == 0) {
          missing.push_back(name);
          continue;
        }
        kept_unanswered += made.empty() ? 1 : 0;
        CHECK(count == kPartitionsEach);
        broker.check_whole(name);
      }
      CHECK(broker.create(missing) == missing);
    }
    const auto last = after->after_crash(at.seed, CrashMode::lose_all);
    Broker broker(*last);
    for (const std::string& name : kBefore) broker.check_whole(name);
    for (const std::string& name : kDuring) broker.check_whole(name);
  }
  CHECK(answered > 0);
  CHECK(kept_unanswered > 0);
}

TEST_CASE("topics: a power cut while partitions are added leaves all of them or none") {
  const std::uint64_t first_seed = seed();
  INFO("SILLOK_TEST_SEED=" << first_seed);
  constexpr std::int32_t kGrown = 12;
  int answered = 0;
  int kept_unanswered = 0;
  for (int cut = 0; cut < kCuts; ++cut) {
    const Cut at(first_seed, cut);
    INFO("cut " << cut);
    MemFileSystem disk;
    bool is_grown = false;
    {
      Broker broker(disk);
      REQUIRE(broker.create(kBefore) == kBefore);
      at.stop(broker.files);
      is_grown = broker.grow(kBefore.front(), kGrown);
    }
    auto after = disk.after_crash(at.seed, at.mode);
    if (is_grown) check_on_disk(*after, kBefore.front(), kGrown);
    {
      Broker broker(*after);
      for (const std::string& name : kBefore) broker.check_whole(name);
      const std::int32_t count = broker.partition_count(kBefore.front());
      CHECK((count == kGrown || (count == kPartitionsEach && !is_grown)));
      answered += is_grown ? 1 : 0;
      kept_unanswered += count == kGrown && !is_grown ? 1 : 0;
      if (count < kGrown) CHECK(broker.grow(kBefore.front(), kGrown));
    }
    const auto last = after->after_crash(at.seed, CrashMode::lose_all);
    Broker broker(*last);
    CHECK(broker.partition_count(kBefore.front()) == kGrown);
    for (const std::string& name : kBefore) broker.check_whole(name);
  }
  CHECK(answered > 0);
  CHECK(kept_unanswered > 0);
}

}  // namespace
}  // namespace sillok::tests
