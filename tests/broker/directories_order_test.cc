// Several log directories: a start that does not find the metadata, or finds another broker's, is refused.
#include "broker/open_log_dirs.h"
#include "storage/posix_file_system.h"
#include "tests/support/several_directories.h"

namespace sillok::tests {
namespace {

using Away = SeveralDirectories::Away;
using Catch::Contains;

TEST_CASE("directories' order: without the first one there is no start, and nothing is made anew") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create_with_record("t"));
  broker.stop();
  const std::string b = broker.path("b");
  const std::string c = broker.path("c");
  for (const std::string& log_dirs : {b + "," + c, b, c, c + "," + b})
    CHECK_THAT(broker.refusal(log_dirs), Contains("the metadata of its broker is in the directory with"));
  for (const char* name : {"b", "c"})
    CHECK_FALSE(std::filesystem::exists(broker.path(name) + "/sillok-metadata.log"));
  CHECK_THAT(broker.refusal(broker.path("new") + "," + b), Contains("is its disk there?"));
  std::ofstream(b + "/meta.properties") << "no properties";
  CHECK_THAT(broker.refusal(broker.path("new") + "," + b), Contains("is its disk there?"));
  broker.start();
  CHECK(broker.end_of("t").second == 1);
}

TEST_CASE("directories' order: the metadata can be brought to another directory, which is the first then") {
  SeveralDirectories broker;
  broker.start();
  for (const char* topic : {"t0", "t1", "t2"}) REQUIRE(broker.create_with_record(topic));
  broker.stop();
  const std::string b = broker.path("b");
  const std::string c = broker.path("c");
  for (const char* name : {"sillok-metadata.log", "sillok-metadata.length"})
    std::filesystem::rename(broker.path("a") + "/" + name, b + "/" + name);
  broker.start(b + "," + c);
  CHECK(broker.end_of("t0").first == ErrorCode::kafka_storage_error);  // a is missing
  CHECK(broker.end_of("t1").second == 1);
  CHECK(broker.end_of("t2").second == 1);
  broker.stop();
  broker.start(b + "," + c + "," + broker.path("a"));
  CHECK(broker.end_of("t0").second == 1);
  broker.stop();
  CHECK_THAT(broker.refusal(broker.all()), Contains("must be the first"));
}

TEST_CASE(
    "directories' order: where the first is lost with its metadata, the others are served all the same") {
  SeveralDirectories broker;
  broker.start();
  for (const char* topic : {"t0", "t1", "t2"}) REQUIRE(broker.create_with_record(topic));
  broker.stop();
  std::filesystem::remove_all(broker.path("a"));
  const std::string left = broker.path("b") + "," + broker.path("c");
  for (const char* directory : {"b", "c"}) {
    CHECK_THAT(broker.refusal(left), Contains("remove sillok-metadata-directory from all log directories"));
    std::filesystem::remove(broker.path(directory) + "/sillok-metadata-directory");
  }
  broker.start(left);
  CHECK(broker.end_of("t0").first == ErrorCode::unknown_topic_or_partition);
  CHECK(broker.end_of("t1") == std::pair(ErrorCode::none, std::int64_t{1}));
  CHECK(broker.end_of("t2") == std::pair(ErrorCode::none, std::int64_t{1}));
}

TEST_CASE("directories' order: one that lost its meta.properties is known by the metadata in it") {
  SeveralDirectories broker;
  broker.start();
  for (const char* topic : {"t0", "t1", "t2"}) REQUIRE(broker.create_with_record(topic));
  broker.stop();
  std::filesystem::remove(broker.path("a") + "/meta.properties");
  // A cluster id that is made anew would not be that of the others.
  CHECK_THAT(broker.refusal(broker.all()), Contains("is its disk there?"));
  broker.write_identity("a", broker.cluster_id("b"));
  broker.start();
  for (const char* topic : {"t0", "t1", "t2"}) CHECK(broker.end_of(topic).second == 1);
}

TEST_CASE("directories' order: one that another broker has put behind its own is refused") {
  SeveralDirectories broker;
  broker.start(broker.path("a") + "," + broker.path("b"));
  REQUIRE(broker.create_with_record("t"));
  broker.stop();
  SeveralDirectories other;
  other.write_identity("a", broker.cluster_id("a"));
  CHECK_THAT(broker.refusal(other.path("a") + "," + broker.path("b")),
             Contains("belongs to a broker whose metadata is in the directory"));
}

TEST_CASE("directories' order: Kafka's own metadata is in the first, or the setting says where") {
  SeveralDirectories broker;
  std::filesystem::create_directories(broker.path("a"));
  std::filesystem::create_directories(broker.path("b/__cluster_metadata-0"));
  CHECK_THAT(broker.refusal(broker.path("a") + "," + broker.path("b")),
             Contains("__cluster_metadata-0") && Contains("must be the first"));
}

TEST_CASE("directories' order: one that is locked stops the start, wherever it stands") {
  SeveralDirectories broker;
  broker.start(broker.path("a") + "," + broker.path("b"));
  broker::Config config;
  config.cluster_id = broker.cluster_id("a");
  config.log_dirs = {broker.path("c"), broker.path("d")};
  std::filesystem::create_directories(broker.path("c"));
  std::filesystem::create_directory_symlink(broker.path("c"), broker.path("d"));
  auto files = storage::make_posix_file_system();
  auto opened = broker::open_log_dirs(config, *files, std::chrono::milliseconds(0));
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Errc::lock_held);
  CHECK_THAT(opened.error().detail, Contains("names the directory twice"));
  config.log_dirs = {broker.path("c"), broker.path("b")};
  opened = broker::open_log_dirs(config, *files, std::chrono::milliseconds(0));
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Errc::lock_held);
}

}  // namespace
}  // namespace sillok::tests
