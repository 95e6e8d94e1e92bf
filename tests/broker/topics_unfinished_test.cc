// What the topics make of works that the store says were under way.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topics.h"
#include "tests/support/topics_fixture.h"

namespace sillok::tests {
namespace {

using broker::NewTopic;
using broker::UnfinishedRecord;
using broker::ValidateOnly;
using protocol::ErrorCode;

const std::string kPath = "/data/sillok-metadata.log";

struct Broker : TopicsFixture {
  Broker() { start(); }
  TopicId create(NewTopic topic) {
    const auto outcome = topics->create({std::move(topic)}, ValidateOnly::no).front();
    REQUIRE(outcome.error == ErrorCode::none);
    return outcome.topic->id;
  }
  // As if the last transaction about the topic had never been written.
  void unfinish(const TopicId& id, const UnfinishedRecord& record) {
    REQUIRE(store
                ->txn({{},
                       {{broker::unfinished_key(id), broker::encode(record)}},
                       {broker::topic_key(record.topic)}})
                .value());
  }
  bool removes_anything() const {
    return std::ranges::any_of(host.calls,
                               [](const std::string& call) { return call.starts_with("remove"); });
  }
};

TEST_CASE("topics: a flipped bit in the last transaction of the metadata costs no topic") {
  Broker broker;
  const TopicId id = broker.create({"a", 2, 1, {{"retention.ms", "-1"}}});
  const std::string content = storage::read_file(broker.memory, kPath, 1 << 20).value();
  const std::byte bad = static_cast<std::byte>(content.back()) ^ std::byte{1};
  const auto last = static_cast<std::int64_t>(content.size()) - 1;
  REQUIRE(broker.memory.corrupt(kPath, FilePosition(last), {&bad, 1}).ok());
  for (int start = 0; start < 2; ++start) {
    broker.start();
    CHECK(broker.notes.size() == (start == 0 ? 2 : 0));
    CHECK_FALSE(broker.removes_anything());
    REQUIRE(broker.topics->image()->find("a") != nullptr);
    CHECK(broker.topics->image()->find("a")->id == id);
    CHECK(broker.topics->image()->find("a")->partition_count == 2);
    CHECK(broker.topics->image()->find("a")->log_config.retention_ms == -1);
    CHECK(broker.host.is_served("a", 1));
  }
  CHECK(broker.store->range("unfinished/")->empty());
}

TEST_CASE("topics: an interrupted creation goes on with the folders that are there, and makes the others") {
  Broker broker;
  const TopicId id = broker.create({"a", 3, 1, {}});
  broker.unfinish(id, {"a", 3, {}, UnfinishedRecord::Work::creation});
  broker.host.folders.erase({"a", 2});
  broker.host.folders[{"a", 1}].topic_id = {};
  broker.start();
  CHECK(broker.host.calls == std::vector<std::string>{"create a-2"});
  REQUIRE(broker.topics->image()->find("a") != nullptr);
  CHECK(broker.host.is_served("a", 0));
  CHECK(broker.host.is_served("a", 1));
  CHECK(broker.store->range("unfinished/")->empty());
}

TEST_CASE("topics: an interrupted creation without a folder is no topic") {
  Broker broker;
  const TopicId id = broker.create({"a", 1, 1, {}});
  broker.unfinish(id, {"a", 1, {}, UnfinishedRecord::Work::creation});
  broker.host.folders.clear();
  broker.start();
  CHECK(broker.topics->image()->topics().empty());
  CHECK(broker.store->range("")->empty());
}

TEST_CASE("topics: only a record that says deletion removes folders") {
  Broker broker;
  const TopicId kept = broker.create({"kept", 1, 1, {}});
  const TopicId gone = broker.create({"gone", 1, 1, {}});
  broker.unfinish(gone, {"gone", 1, {}, UnfinishedRecord::Work::deletion});
  REQUIRE(broker.store
              ->txn({{},
                     {{broker::unfinished_key(kept), R"({"format":1,"name":"kept","partitions":1})"}},
                     {broker::topic_key("kept")}})
              .value());
  broker.start();
  CHECK(broker.host.calls == std::vector<std::string>{"remove gone-0"});
  CHECK(broker.topics->image()->find("gone") == nullptr);
  REQUIRE(broker.topics->image()->find("kept") != nullptr);
  CHECK(broker.topics->image()->find("kept")->id == kept);
}

TEST_CASE("topics: folders of an interrupted creation whose name is taken are left alone") {
  Broker broker;
  const TopicId first = broker.create({"a", 2, 1, {}});
  broker.unfinish(first, {"a", 2, {}, UnfinishedRecord::Work::creation});
  REQUIRE(
      broker.store
          ->txn(
              {{}, {{broker::topic_key("a"), broker::encode(broker::TopicRecord{TopicId{{1}}, 2, {}})}}, {}})
          .value());
  broker.start();
  CHECK_FALSE(broker.removes_anything());
  CHECK(broker.host.folders.size() == 2);
  CHECK_FALSE(broker.host.is_served("a", 0));
}

}  // namespace
}  // namespace sillok::tests
