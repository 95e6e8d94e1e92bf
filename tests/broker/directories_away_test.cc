// Several log directories: what is known of those that are away, and what is done in their place.
#include <algorithm>

#include "storage/partition_metadata.h"
#include "storage/posix_file_system.h"
#include "tests/support/several_directories.h"

namespace sillok::tests {
namespace {

using Away = SeveralDirectories::Away;
namespace fs = std::filesystem;

constexpr std::pair kOneRecord{ErrorCode::none, std::int64_t{1}};
constexpr ErrorCode kOffline = ErrorCode::kafka_storage_error;

// t0 in a, t1 in b, t2 in c, each with a record.
struct ThreeTopics : SeveralDirectories {
  ThreeTopics() {
    start();
    for (const char* topic : {"t0", "t1", "t2"}) REQUIRE(create_with_record(topic));
    REQUIRE(has_folder("a", "t0"));
    REQUIRE(has_folder("b", "t1"));
    REQUIRE(has_folder("c", "t2"));
    stop();
  }
};

TEST_CASE("directories away: a mount point without its disk gets no partitions") {
  ThreeTopics broker;
  broker.take_away("b", Away::empty);
  fs::create_directories(broker.path("b"));
  broker.start();
  for (int i = 0; i < 4; ++i) REQUIRE(broker.create("new" + std::to_string(i)) == ErrorCode::none);
  CHECK(broker.described().at(0).topic_count + broker.described().at(1).topic_count == 6);
  CHECK(broker.end_of("t1").first == kOffline);
  broker.start_with("b");
  CHECK(broker.end_of("t1") == kOneRecord);
}

TEST_CASE("directories away: a copy in another directory does not stand for the partition") {
  ThreeTopics broker;
  fs::copy(broker.path("b/t1-0"), broker.path("a/t1-0"));
  broker.take_away("b", Away::unreadable);
  broker.start();
  CHECK(broker.end_of("t1").first == kOffline);
  broker.start_with("b");
  CHECK(broker.end_of("t1") == kOneRecord);
  CHECK(broker.produce("t1") == ErrorCode::none);
  broker.stop();
  CHECK(broker.has_folder("a", "t1"));  // left alone
  broker.start();
  CHECK(broker.end_of("t1").second == 2);
}

TEST_CASE("directories away: another topic's folder of that name does not hide what is away") {
  ThreeTopics broker;
  const std::string foreign = broker.path("a/t1-0");
  fs::copy(broker.path("b/t1-0"), foreign);
  std::ofstream(foreign + "/partition.metadata") << "version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ";
  broker.take_away("b", Away::unreadable);
  for (int start = 0; start < 2; ++start) {
    broker.start();
    CHECK(broker.end_of("t1").first == kOffline);
    broker.stop();
  }
  SECTION("its partition comes back") {
    broker.bring_back("b");
    broker.start();
    CHECK(broker.end_of("t1") == kOneRecord);
  }
  SECTION("and if it was deleted meanwhile, it does not") {
    broker.start();
    REQUIRE(broker.remove("t1") == ErrorCode::none);
    broker.start_with("b");
    CHECK_FALSE(broker.has_folder("b", "t1"));
    CHECK(fs::exists(foreign));
  }
}

TEST_CASE("directories away: no topic is adopted meanwhile") {
  ThreeTopics broker;
  const std::string unknown = broker.path("a/other-0");
  fs::copy(broker.path("a/t0-0"), unknown);
  std::ofstream(unknown + "/partition.metadata") << "version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ";
  broker.take_away("b", Away::unreadable);
  broker.start();
  CHECK(broker.end_of("other").first == ErrorCode::unknown_topic_or_partition);
  broker.start_with("b");
  CHECK(broker.end_of("other") == kOneRecord);
}

TEST_CASE("directories away: a folder that was moved by hand is served from where it is") {
  ThreeTopics broker;
  fs::rename(broker.path("b/t1-0"), broker.path("c/t1-0"));
  broker.start();
  CHECK(broker.end_of("t1") == kOneRecord);
  broker.stop();
  broker.take_away("c", Away::unreadable);
  broker.start();
  CHECK(broker.end_of("t1").first == kOffline);
  CHECK_FALSE(broker.has_folder("b", "t1"));
}

TEST_CASE("directories away: what was lost for good is made anew once somebody says so") {
  ThreeTopics broker;
  const std::string lost = broker.directory_id("b");
  broker.take_away("b", Away::empty);
  broker.start();
  CHECK(broker.end_of("t1").first == kOffline);
  broker.stop();
  const bool has_new_disk = GENERATE(true, false);
  const std::string log_dirs = has_new_disk ? broker.all() : broker.path("a") + "," + broker.path("c");
  broker.set("sillok.lost.log.dirs", lost);
  for (int start = 0; start < 2; ++start) {
    broker.start(log_dirs);
    CHECK(broker.end_of("t1") == std::pair(ErrorCode::none, std::int64_t{start}));
    CHECK(broker.produce("t1") == ErrorCode::none);
    CHECK(broker.end_of("t0") == kOneRecord);
    CHECK(broker.described().size() == (has_new_disk ? 3 : 2));
    for (const auto& one : broker.described()) CHECK(one.error == ErrorCode::none);
    broker.stop();
  }
  broker.bring_back("b");
  if (has_new_disk) return;
  CHECK_THAT(broker.refusal(broker.all()), Catch::Contains("which is there"));
}

TEST_CASE("directories away: where one cannot be written to any more the next gets the partition") {
  ThreeTopics broker;
  broker.start();
  fs::rename(broker.path("b"), broker.path("away"));
  for (int i = 0; i < 4; ++i) REQUIRE(broker.create_with_record("new" + std::to_string(i)));
  fs::rename(broker.path("away"), broker.path("b"));
  CHECK(broker.end_of("new3") == kOneRecord);
  broker.stop();
  broker.start();
  for (int i = 0; i < 4; ++i) CHECK(broker.end_of("new" + std::to_string(i)) == kOneRecord);
}

// Whether the commit journal has anything of the partition in this folder: entries have the topic's id.
bool is_journaled(const std::string& directory, const std::string& folder) {
  const auto files = storage::make_posix_file_system();
  const auto id = storage::read_partition_metadata(*files, directory + "/" + folder);
  REQUIRE((id.ok() && *id));
  const auto& bytes = (*id)->bytes;
  return std::ranges::any_of(fs::directory_iterator(directory), [&](const fs::directory_entry& entry) {
    if (!entry.path().filename().string().starts_with("sillok-journal-")) return false;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return content.find(std::string(bytes.begin(), bytes.end())) != std::string::npos;
  });
}

TEST_CASE("directories away: records that the journal of the old place has are not passed over") {
  ThreeTopics broker;
  // What a recovery point covers must not be torn, and is here.
  broker.set("log.flush.offset.checkpoint.interval.ms", "3600000");
  broker.start();
  // The journal has its first file a moment after the start; until then segments are synced.
  std::int64_t end = 1;
  for (; !is_journaled(broker.path("a"), "t0-0"); ++end) {
    REQUIRE(broker.produce("t0") == ErrorCode::none);
    REQUIRE(end < 10'000);
  }
  // As a power cut leaves it: the journal has the records, the segment not.
  fs::create_directories(broker.path("cut"));
  for (const char* name : {"a", "b", "c"})
    fs::copy(broker.path(name), broker.path("cut/" + std::string(name)), fs::copy_options::recursive);
  broker.stop();
  for (const char* name : {"a", "b", "c"}) {
    fs::remove_all(broker.path(name));
    fs::rename(broker.path("cut/" + std::string(name)), broker.path(name));
  }
  const std::string folder = broker.path("a/t0-0");
  const std::string segment = folder + "/00000000000000000000.log";
  fs::resize_file(segment, fs::file_size(segment) - 1);
  fs::rename(folder, broker.path("c/t0-0"));
  for (int start = 0; start < 2; ++start) {
    broker.start();
    CHECK(broker.end_of("t0").first == kOffline);
    broker.stop_after_faults();
  }
  fs::rename(broker.path("c/t0-0"), folder);
  broker.start();
  CHECK(broker.end_of("t0").second == end);
  broker.stop();
  fs::rename(folder, broker.path("c/t0-0"));
  broker.start();
  CHECK(broker.produce("t0") == ErrorCode::none);
  CHECK(broker.end_of("t0").second == end + 1);
}

}  // namespace
}  // namespace sillok::tests
