// Several log directories: where partitions come to lie, and what happens while a directory is away.
#include "tests/support/several_directories.h"

#include <set>

namespace sillok::tests {
namespace {

using Away = SeveralDirectories::Away;

constexpr std::pair kOneRecord{ErrorCode::none, std::int64_t{1}};

std::vector<std::string> topic_names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("t" + std::to_string(i));
  return names;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("several directories: each new partition goes to the one with the fewest") {
  SeveralDirectories broker;
  broker.start();
  for (const std::string& topic : topic_names(30)) REQUIRE(broker.create(topic) == ErrorCode::none);
  const auto described = broker.described();
  REQUIRE(described.size() == 3);
  for (const auto& one : described) {
    CHECK(one.error == ErrorCode::none);
    CHECK(one.topic_count == 10);
    CHECK_FALSE(one.is_cordoned);
  }
  CHECK(described[1].path == broker.path("b"));
}

// While it is away: its partitions are offline and nothing is made in their place; all others go on.
void check_while_away(SeveralDirectories& broker, const std::set<std::string>& on_b) {
  for (const std::string& topic : topic_names(30)) {
    const bool is_away = on_b.contains(topic);
    CHECK(broker.end_of(topic).first == (is_away ? ErrorCode::kafka_storage_error : ErrorCode::none));
    if (is_away) CHECK(broker.produce(topic) == ErrorCode::kafka_storage_error);
    if (!is_away) CHECK(broker.end_of(topic) == kOneRecord);
    CHECK_FALSE((is_away && (broker.has_folder("a", topic) || broker.has_folder("c", topic))));
  }
}

TEST_CASE("several directories: one that is away takes its partitions offline, and brings them back") {
  const auto away = GENERATE(Away::empty, Away::unreadable);
  SeveralDirectories broker;
  broker.start();
  std::set<std::string> on_b;
  for (const std::string& topic : topic_names(30)) {
    REQUIRE(broker.create(topic) == ErrorCode::none);
    REQUIRE(broker.produce(topic) == ErrorCode::none);
    if (broker.has_folder("b", topic)) on_b.insert(topic);
  }
  REQUIRE(on_b.size() == 10);
  broker.stop();
  broker.take_away("b", away);
  for (int start = 0; start < 2; ++start) {
    broker.start();
    check_while_away(broker, on_b);
    const auto described = broker.described();
    REQUIRE(described.size() == 3);
    for (const auto& one : described) {
      const bool is_failed = one.path == broker.path("b");
      CHECK(one.error == (is_failed ? ErrorCode::kafka_storage_error : ErrorCode::none));
      CHECK(one.topic_count == (one.path == broker.path("b") ? 0 : 10));
    }
    broker.stop();
  }
  broker.bring_back("b");
  broker.start();
  for (const std::string& topic : topic_names(30)) {
    CHECK(broker.end_of(topic) == kOneRecord);
    CHECK(broker.produce(topic) == ErrorCode::none);
  }
  broker.stop();
}

TEST_CASE("several directories: a topic that was deleted while its directory was away does not come back") {
  SeveralDirectories broker;
  broker.start();
  for (const std::string& topic : topic_names(3)) {
    REQUIRE(broker.create(topic) == ErrorCode::none);
    REQUIRE(broker.produce(topic) == ErrorCode::none);
  }
  REQUIRE(broker.has_folder("b", "t1"));
  REQUIRE(broker.has_folder("c", "t2"));
  broker.stop();
  broker.take_away("b", Away::unreadable);
  broker.start();
  CHECK(broker.remove("t1") == ErrorCode::none);
  const bool is_made_again = GENERATE(false, true);
  if (is_made_again) {
    REQUIRE(broker.create("t1") == ErrorCode::none);
  }
  broker.stop();
  broker.start();  // and is not forgotten meanwhile
  broker.start_with("b");
  CHECK_FALSE(broker.has_folder("b", "t1"));
  CHECK(broker.end_of("t1").first ==
        (is_made_again ? ErrorCode::none : ErrorCode::unknown_topic_or_partition));
  if (is_made_again) CHECK(broker.end_of("t1").second == 0);
  CHECK(broker.end_of("t0") == kOneRecord);
  CHECK(broker.end_of("t2") == kOneRecord);
}

TEST_CASE("several directories: a partition that two have is the one on record, and neither is touched") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create("t") == ErrorCode::none);
  REQUIRE(broker.produce("t") == ErrorCode::none);
  broker.stop();
  std::filesystem::copy(broker.path("a/t-0"), broker.path("c/t-0"));
  SECTION("of the same topic") {
    broker.start();
    CHECK(broker.produce("t") == ErrorCode::none);
    broker.stop();
    broker.start();
    CHECK(broker.end_of("t").second == 2);
    broker.stop();
    std::filesystem::rename(broker.path("a/t-0"), broker.path("b/t-0"));
    broker.start();  // nothing tells any more
    CHECK(broker.end_of("t").first == ErrorCode::kafka_storage_error);
    broker.stop();
    CHECK(broker.has_folder("b", "t"));
    CHECK(broker.has_folder("c", "t"));
    std::filesystem::remove_all(broker.path("c/t-0"));
    std::filesystem::rename(broker.path("b/t-0"), broker.path("a/t-0"));
    broker.start();
    CHECK(broker.produce("t") == ErrorCode::none);
    CHECK(broker.end_of("t").second == 3);
    std::filesystem::copy(broker.path("a/t-0"), broker.path("b/t-0"));
    broker.stop();
    broker.start();
    REQUIRE(broker.remove("t") == ErrorCode::none);  // with all that is of it
    CHECK_FALSE(broker.has_folder("a", "t"));
    CHECK_FALSE(broker.has_folder("b", "t"));
  }
  SECTION("of which one is of another topic: that one is left alone") {
    const bool is_first = GENERATE(true, false);
    if (is_first) {
      std::filesystem::rename(broker.path("a/t-0"), broker.path("b/t-0"));
      std::filesystem::rename(broker.path("c/t-0"), broker.path("a/t-0"));
    }
    const std::string other = is_first ? "a" : "c";
    std::ofstream(broker.path(other + "/t-0/partition.metadata"))
        << "version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ";
    broker.start();
    CHECK(broker.end_of("t") == kOneRecord);
    CHECK(broker.remove("t") == ErrorCode::none);
    broker.stop();
    CHECK(broker.has_folder(other, "t"));
    CHECK_FALSE(broker.has_folder(is_first ? "b" : "a", "t"));
  }
}

TEST_CASE("several directories: each is marked clean by itself") {
  SeveralDirectories broker;
  broker.start();
  for (const std::string& topic : topic_names(3)) REQUIRE(broker.create(topic) == ErrorCode::none);
  broker.stop();
  for (const char* name : {"a", "b", "c"})
    CHECK(std::filesystem::exists(broker.path(name) + "/.kafka_cleanshutdown"));
  std::filesystem::remove(broker.path("b/.kafka_cleanshutdown"));
  broker.start();
  const auto epoch_file = [&](const std::string& folder) {
    return text_of(broker.path(folder) + "/leader-epoch-checkpoint");
  };
  // A recovery begins an epoch.
  CHECK(epoch_file("a/t0-0") == epoch_file("c/t2-0"));
  CHECK(epoch_file("b/t1-0") != epoch_file("a/t0-0"));
}

TEST_CASE("several directories: those that do not belong together are refused, with the reason") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create("t") == ErrorCode::none);
  broker.stop();
  using Catch::Contains;
  const std::string a = broker.path("a");
  const std::string b = broker.path("b");
  CHECK_THAT(broker.refusal(b + "," + a), Contains("must be the first"));
  CHECK_THAT(broker.refusal(broker.path("new") + "," + b), Contains("is its disk there?"));
  CHECK_FALSE(std::filesystem::exists(broker.path("new")));
  broker.start(broker.path("foreign"));
  broker.stop();
  std::filesystem::remove(broker.path("foreign/sillok-metadata.log"));
  CHECK_THAT(broker.refusal(a + "," + broker.path("foreign")), Contains("belongs to cluster"));
  std::filesystem::copy(b, broker.path("copy"));
  CHECK_THAT(broker.refusal(a + "," + b + "," + broker.path("copy")), Contains("same directory.id"));
  std::filesystem::rename(a, broker.path("away"));
  std::ofstream(a) << "no directory";
  CHECK_THAT(broker.refusal(broker.all()), Contains(a));
}

TEST_CASE("several directories: one that had nothing can be left out for good") {
  SeveralDirectories broker;
  broker.start();
  REQUIRE(broker.create("t") == ErrorCode::none);
  broker.stop();
  broker.start(broker.path("a"));
  CHECK(broker.end_of("t").first == ErrorCode::none);
  broker.stop();
  // Nothing could be in b or c any more, so what is missing now is lost, and made anew as ever.
  std::filesystem::remove_all(broker.path("a/t-0"));
  broker.start(broker.path("a"));
  CHECK(broker.end_of("t").first == ErrorCode::none);
}

TEST_CASE("several directories: what was deleted goes from each when its delay is changed to nothing") {
  SeveralDirectories broker;
  broker.set("log.segment.delete.delay.ms", "86400000");
  broker.start();
  const auto folder_count = [&broker](std::string_view directory) {
    return std::ranges::count_if(
        std::filesystem::directory_iterator(broker.path(directory)),
        [](const auto& entry) { return entry.path().filename().string().ends_with("-delete"); });
  };
  for (const std::string& topic : topic_names(6)) REQUIRE(broker.create(topic) == ErrorCode::none);
  for (const std::string& topic : topic_names(6)) REQUIRE(broker.remove(topic) == ErrorCode::none);
  for (const char* directory : {"a", "b", "c"}) CHECK(folder_count(directory) == 2);
  REQUIRE(broker.alter("log.segment.delete.delay.ms", "0") == ErrorCode::none);
  for (const char* directory : {"a", "b", "c"}) {
    while (folder_count(directory) > 0) broker.create("t");
  }
  CHECK(broker.end_of("t").first == ErrorCode::none);
}

TEST_CASE("several directories: a cordoned one gets no new partitions") {
  SeveralDirectories one;
  one.start();
  one.stop();
  SECTION("one of them") {
    SeveralDirectories broker(std::vector<broker::NameValue>{{"cordoned.log.dirs", one.path("b")}});
    broker.start(one.path("a") + "," + one.path("b"));
    for (const std::string& topic : topic_names(4)) REQUIRE(broker.create(topic) == ErrorCode::none);
    CHECK(broker.described().at(0).topic_count == 4);
    CHECK(broker.described().at(1).topic_count == 0);
    CHECK(broker.described().at(1).is_cordoned);
  }
  SECTION("all: no topic is made") {
    SeveralDirectories broker(std::vector<broker::NameValue>{{"cordoned.log.dirs", "*"}});
    broker.start();
    CHECK(broker.create("t") == ErrorCode::invalid_replication_factor);
  }
}

}  // namespace
}  // namespace sillok::tests
