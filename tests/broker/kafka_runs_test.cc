// Which log directories are told that Apache Kafka ran on them.
#include "broker/kafka_runs.h"

#include <catch2/catch.hpp>

#include "storage/text_file.h"
#include "tests/support/topics_fixture.h"

namespace sillok::tests {
namespace {

constexpr const char* kKafkas = "/a/__cluster_metadata-0";

struct Fixture : TopicsFixture {
  Fixture() {
    config.log_dirs = {"/a", "/b"};
    start();
    REQUIRE(memory.make_directories(kKafkas).ok());
    write_as_kafka("one");
  }
  void write_as_kafka(const std::string& content) {
    const std::string path = std::string(kKafkas) + "/00000000000000000000.log";
    REQUIRE(storage::replace_file(memory, path, content).ok());
  }
  // After a kill of whoever ran last.
  void open(const std::vector<std::string>& paths) {
    directories.clear();
    for (const std::string& path : paths) {
      storage::LogDirOptions options;
      options.file_system = &files;
      options.clock = &clock;
      options.path = path;
      options.cluster_id = "ours";
      auto opened = storage::LogDir::open(options);
      REQUIRE(opened.ok());
      const Uuid id = (*opened)->require_directory_id().value();
      directories.push_back({std::move(*opened), id});
    }
    notes.clear();
    REQUIRE(broker::note_kafka_runs(memory, config, *store, directories, notes).ok());
  }
  bool is_told(std::size_t directory) const { return directories.at(directory).log_dir->has_kafka_run(); }

  std::vector<broker::OpenedDirectory> directories;
};

TEST_CASE("kafka runs: each log directory is told once, and one that was missing when it is back") {
  Fixture f;
  f.open({"/a", "/b"});
  CHECK(!f.is_told(0));  // nobody knows what was there before
  f.open({"/a", "/b"});
  CHECK(!f.is_told(0));
  f.write_as_kafka("one, two");
  f.open({"/a"});
  CHECK(f.is_told(0));
  f.open({"/a", "/b"});
  CHECK(!f.is_told(0));
  CHECK(f.is_told(1));
  f.open({"/a", "/b"});
  CHECK(!f.is_told(1));
}

TEST_CASE("kafka runs: a log directory without a note of its own goes by what was taken over") {
  Fixture f;
  f.open({"/a"});
  const auto state = f.store->range("kafka-seen/").value();
  REQUIRE(state.size() == 1);
  REQUIRE(f.store->txn({{}, {{"kafka-metadata", state.front().value}}, {state.front().key}}).ok());
  f.open({"/a"});
  CHECK(!f.is_told(0));
  REQUIRE(f.store->txn({{}, {}, {state.front().key}}).ok());
  f.write_as_kafka("one, two");
  f.open({"/a"});
  CHECK(f.is_told(0));
}

}  // namespace
}  // namespace sillok::tests
