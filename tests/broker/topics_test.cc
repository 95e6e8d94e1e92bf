#include "broker/metadata/topics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "broker/producer_ids.h"
#include "tests/support/topics_fixture.h"

namespace sillok::tests {
namespace {

using broker::NewTopic;
using broker::TopicOutcome;
using broker::Topics;
using broker::ValidateOnly;
using protocol::ErrorCode;

TopicId id_of(std::uint8_t number) {
  TopicId id;
  id.bytes.fill(number);
  return id;
}

struct Broker : TopicsFixture {
  TopicOutcome create(NewTopic topic, ValidateOnly validate_only = ValidateOnly::no) {
    return topics->create({std::move(topic)}, validate_only).front();
  }
  ErrorCode error_of(NewTopic topic) { return create(std::move(topic)).error; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, topic] : topics->image()->topics()) all.push_back(name);
    return all;
  }
  bool has_note(std::string_view part) const {
    return std::ranges::any_of(notes,
                               [&](const std::string& note) { return note.find(part) != std::string::npos; });
  }
};

TEST_CASE("topics: a created topic has its folders, its configs and its id, and they last") {
  Broker broker;
  broker.start();
  const TopicOutcome outcome = broker.create({"orders", 3, 1, {{"retention.ms", "1000"}}});
  REQUIRE(outcome.error == ErrorCode::none);
  REQUIRE(outcome.topic != nullptr);
  const TopicId id = outcome.topic->id;
  CHECK_FALSE(id.is_zero());
  CHECK(outcome.topic->log_config.retention_ms == 1000);
  CHECK(broker.host.folders.size() == 3);
  for (std::int32_t i = 0; i < 3; ++i) CHECK(broker.host.is_served("orders", i));
  CHECK(broker.host.folders[{"orders", 2}].topic_id == id);
  CHECK(broker.host.folders[{"orders", 2}].config.retention_ms == 1000);

  broker.start();
  CHECK(broker.notes.empty());
  const auto image = broker.topics->image();
  REQUIRE(image->find("orders") != nullptr);
  CHECK(image->find(id) == image->find("orders"));
  CHECK(image->find("orders")->id == id);
  CHECK(image->find("orders")->partition_count == 3);
  CHECK(image->find("orders")->configs == std::map<std::string, std::string>{{"retention.ms", "1000"}});
  CHECK(image->find("orders")->log_config.retention_ms == 1000);
  CHECK(image->partition_count() == 3);
  CHECK(broker.host.is_served("orders", 2));
}

TEST_CASE("topics: -1 takes the broker's number of partitions and of replicas") {
  Broker broker;
  broker.config.num_partitions = 4;
  broker.start();
  CHECK(broker.create({"a", -1, -1, {}}).topic->partition_count == 4);
}

TEST_CASE("topics: names are as Kafka has them") {
  Broker broker;
  broker.start();
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a b"),
                                  std::string("a/b"), std::string("\xc3\xa9"), std::string(250, 'a')}) {
    INFO(name);
    CHECK(broker.error_of({name, 1, 1, {}}) == ErrorCode::invalid_topic_exception);
  }
  for (const std::string& name : {std::string("..."), std::string("A-z_0.9"), std::string(249, 'a')}) {
    INFO(name);
    CHECK(broker.error_of({name, 1, 1, {}}) == ErrorCode::none);
  }
  CHECK(broker.error_of({"__cluster_metadata", 1, 1, {}}) == ErrorCode::invalid_request);
}

TEST_CASE("topics: two names may not differ only in '.' and '_'") {
  Broker broker;
  broker.start();
  CHECK(broker.error_of({"a.b_c", 1, 1, {}}) == ErrorCode::none);
  CHECK(broker.error_of({"a_b.c", 1, 1, {}}) == ErrorCode::invalid_topic_exception);
  CHECK(broker.error_of({"a.b.c", 1, 1, {}}) == ErrorCode::invalid_topic_exception);
  CHECK(broker.error_of({"a.b_c", 1, 1, {}}) == ErrorCode::topic_already_exists);
  const auto both = broker.topics->create({{"x.y", 1, 1, {}}, {"x_y", 1, 1, {}}}, ValidateOnly::no);
  CHECK(both[0].error == ErrorCode::none);
  CHECK(both[1].error == ErrorCode::invalid_topic_exception);
  broker.start();
  CHECK(broker.error_of({"a_b_c", 1, 1, {}}) == ErrorCode::invalid_topic_exception);
  CHECK(broker.topics->remove("a.b_c").error == ErrorCode::none);
  CHECK(broker.error_of({"a_b_c", 1, 1, {}}) == ErrorCode::none);
}

TEST_CASE("topics: partitions, replicas and configs are checked with Kafka's errors") {
  Broker broker;
  broker.start();
  CHECK(broker.error_of({"a", 0, 1, {}}) == ErrorCode::invalid_partitions);
  CHECK(broker.error_of({"a", -2, 1, {}}) == ErrorCode::invalid_partitions);
  CHECK(broker.error_of({"a", 0, 9, {}}) == ErrorCode::invalid_partitions);
  CHECK(broker.error_of({"a", 0, 0, {}}) == ErrorCode::invalid_replication_factor);
  CHECK(broker.error_of({"a", 10'001, 1, {}}) == ErrorCode::policy_violation);
  CHECK(broker.error_of({"a", 1, 0, {}}) == ErrorCode::invalid_replication_factor);
  CHECK(broker.error_of({"a", 1, 3, {}}) == ErrorCode::invalid_replication_factor);
  CHECK(broker.error_of({"a", 1, -2, {}}) == ErrorCode::invalid_replication_factor);
  CHECK(broker.error_of({"a", 1, 1, {{"segment.bytes", "1000"}}}) == ErrorCode::invalid_config);
  const TopicOutcome unknown = broker.create({"a", 1, 1, {{"retention.m", "1000"}}});
  CHECK(unknown.error == ErrorCode::invalid_config);
  CHECK(unknown.message.find("retention.m") != std::string::npos);
  CHECK(unknown.topic == nullptr);
  CHECK(broker.names().empty());
  CHECK(broker.host.calls.empty());
}

TEST_CASE("topics: good topics are created beside bad ones, with one call for all their folders") {
  Broker broker;
  broker.start();
  const auto outcomes = broker.topics->create(
      {{"a", 2, 1, {}}, {"b", 0, 1, {}}, {"a", 1, 1, {}}, {"c", 1, 1, {}}}, ValidateOnly::no);
  CHECK(outcomes[0].error == ErrorCode::none);
  CHECK(outcomes[1].error == ErrorCode::invalid_partitions);
  CHECK(outcomes[2].error == ErrorCode::topic_already_exists);
  CHECK(outcomes[3].error == ErrorCode::none);
  CHECK(broker.host.calls == std::vector<std::string>{"create a-0 a-1 c-0"});
}

TEST_CASE("topics: trying makes nothing, and says what would be") {
  Broker broker;
  broker.start();
  const TopicOutcome outcome = broker.create({"a", 3, 1, {{"retention.ms", "5"}}}, ValidateOnly::yes);
  CHECK(outcome.error == ErrorCode::none);
  REQUIRE(outcome.topic != nullptr);
  CHECK(outcome.topic->id.is_zero());
  CHECK(outcome.topic->partition_count == 3);
  CHECK(outcome.topic->log_config.retention_ms == 5);
  CHECK(broker.names().empty());
  CHECK(broker.host.calls.empty());
  CHECK(broker.store->range("").value().empty());
}

TEST_CASE("topics: there is a limit on partitions in all") {
  Broker broker;
  broker.start();
  std::vector<NewTopic> many;
  for (int i = 0; i < 21; ++i)
    many.push_back({"t" + std::to_string(i), broker::kPartitionsPerTopicMax, 1, {}});
  const auto outcomes = broker.topics->create(many, ValidateOnly::yes);
  CHECK(outcomes[19].error == ErrorCode::none);
  CHECK(outcomes[20].error == ErrorCode::policy_violation);
}

TEST_CASE("topics: a deleted topic is gone, with its folders, and comes back with a new id") {
  Broker broker;
  broker.start();
  const TopicId first = broker.create({"a", 2, 1, {}}).topic->id;
  const auto before = broker.topics->image();
  CHECK(broker.topics->remove("a").error == ErrorCode::none);
  CHECK(broker.names().empty());
  CHECK(broker.topics->image()->find(first) == nullptr);
  CHECK(broker.topics->image()->partition_count() == 0);
  CHECK(before->find("a") != nullptr);
  CHECK(broker.host.folders.empty());
  CHECK(broker.store->range("").value().empty());
  CHECK(broker.topics->remove("a").error == ErrorCode::unknown_topic_or_partition);
  const TopicId second = broker.create({"a", 2, 1, {}}).topic->id;
  CHECK(second != first);
  broker.start();
  CHECK(broker.topics->image()->find("a")->id == second);
}

TEST_CASE("topics: a creation whose folders fail leaves nothing, and can be tried again") {
  Broker broker;
  broker.start();
  broker.host.create_error = Error{Errc::no_space, "full"};
  broker.host.made_before_error = 2;
  const auto outcomes =
      broker.topics->create({{"a", 2, 1, {}}, {"b", 1, 1, {}}, {"", 1, 1, {}}}, ValidateOnly::no);
  CHECK(outcomes[0].error == ErrorCode::kafka_storage_error);
  CHECK(outcomes[1].error == ErrorCode::kafka_storage_error);
  CHECK(outcomes[1].topic == nullptr);
  CHECK(outcomes[2].error == ErrorCode::invalid_topic_exception);
  CHECK(broker.names().empty());
  CHECK(broker.host.folders.empty());
  CHECK(broker.store->range("").value().empty());
  broker.host.create_error.reset();
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::none);
}

TEST_CASE("topics: a creation that the store cannot record leaves nothing") {
  Broker broker;
  broker.start();
  // The note that the creation is under way is written, and then the topic is not.
  broker.files.fail({FileCall::sync, "", 2, 1}, Errc::io_error);
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::kafka_storage_error);
  CHECK(broker.names().empty());
  CHECK(broker.host.folders.empty());
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::none);
  broker.start();
  CHECK(broker.names() == std::vector<std::string>{"a"});
}

TEST_CASE("topics: folders of a creation that a crash interrupted are removed at the next start") {
  Broker broker;
  broker.start();
  broker.host.create_error = Error{Errc::io_error, "the crash"};
  broker.host.made_before_error = 1;
  broker.host.remove_error = Error{Errc::io_error, "the crash"};
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::kafka_storage_error);
  CHECK(broker.host.folders.size() == 1);
  broker.host.create_error.reset();
  broker.host.remove_error.reset();
  broker.start();
  CHECK(broker.names().empty());
  CHECK(broker.host.folders.empty());
  CHECK(broker.has_note("a-0"));
  CHECK(broker.store->range("").value().empty());
}

TEST_CASE("topics: folders of a deletion that a crash interrupted do not bring the topic back") {
  Broker broker;
  broker.start();
  broker.create({"a", 2, 1, {}});
  broker.host.remove_error = Error{Errc::io_error, "the crash"};
  CHECK(broker.topics->remove("a").error == ErrorCode::kafka_storage_error);
  CHECK(broker.names().empty());
  broker.host.remove_error.reset();
  broker.start();
  CHECK(broker.names().empty());
  CHECK(broker.host.folders.empty());
  CHECK(broker.store->range("").value().empty());
}

TEST_CASE("topics: a deletion that the store cannot record deletes nothing") {
  Broker broker;
  broker.start();
  broker.create({"a", 2, 1, {}});
  broker.files.fail({FileCall::sync}, Errc::io_error);
  CHECK(broker.topics->remove("a").error == ErrorCode::kafka_storage_error);
  CHECK(broker.names() == std::vector<std::string>{"a"});
  CHECK(broker.host.is_served("a", 1));
}

TEST_CASE("topics: folders that the store does not know are adopted with their id, once") {
  Broker broker;
  broker.config.log_defaults.retention_ms = 77;
  broker.config.log_defaults.segment_bytes = 88'000;
  broker.host.add_folder("kafka.made", 0, id_of(5));
  broker.host.add_folder("kafka.made", 1, id_of(5));
  broker.start();
  REQUIRE(broker.names() == std::vector<std::string>{"kafka.made"});
  const broker::TopicImage& topic = *broker.topics->image()->find("kafka.made");
  CHECK(topic.id == id_of(5));
  CHECK(topic.partition_count == 2);
  // Nobody knows how long its records were to be kept.
  CHECK(topic.log_config.retention_ms == -1);
  CHECK(topic.log_config.segment_bytes == 88'000);
  CHECK(broker.host.is_served("kafka.made", 1));
  CHECK(broker.has_note("adopted topic kafka.made"));
  CHECK(broker.error_of({"kafka_made", 1, 1, {}}) == ErrorCode::invalid_topic_exception);
  broker.start();
  CHECK(broker.notes.empty());
  CHECK(broker.names() == std::vector<std::string>{"kafka.made"});
}

TEST_CASE("topics: Kafka's own topics are adopted with the configs that keep their records") {
  Broker broker;
  for (const char* name : {"__consumer_offsets", "__transaction_state", "__share_group_state", "other"}) {
    broker.host.add_folder(name, 0, TopicId{});
  }
  broker.start();
  for (int round = 0; round < 2; ++round) {
    CHECK(broker.host.folders[{"__consumer_offsets", 0}].config.cleanup_compact);
    CHECK(broker.host.folders[{"__transaction_state", 0}].config.cleanup_compact);
    CHECK(!broker.host.folders[{"__share_group_state", 0}].config.cleanup_compact);
    CHECK(broker.host.folders[{"__share_group_state", 0}].config.retention_ms == -1);
    CHECK(broker.host.folders[{"other", 0}].config.retention_ms == -1);
    broker.start();
  }
}

TEST_CASE("topics: an adopted log's producer ids are not given out again") {
  Broker broker;
  broker.host.add_folder("a", 0, id_of(5));
  broker.start();
  broker::ProducerIds ids(*broker.store);
  CHECK(ids.next().value().value >= broker::kForeignProducerIds);
}

TEST_CASE("topics: a folder without an id is adopted where its partitions begin with 0, and gets an id") {
  Broker broker;
  broker.host.add_folder("old", 0, {});
  broker.host.add_folder("old", 1, {});
  broker.host.add_folder("report", 2024, {});
  broker.start();
  REQUIRE(broker.names() == std::vector<std::string>{"old"});
  CHECK_FALSE(broker.topics->image()->find("old")->id.is_zero());
  CHECK(broker.has_note("report-2024"));
  CHECK(broker.host.folders.contains({"report", 2024}));
  CHECK_FALSE(broker.host.is_served("report", 2024));
}

TEST_CASE("topics: Kafka's own metadata and impossible names are left alone") {
  Broker broker;
  broker.host.add_folder("__cluster_metadata", 0, id_of(1));
  broker.host.add_folder("not a topic", 0, id_of(2));
  broker.host.add_folder("far", 10'000, id_of(3));
  broker.start();
  CHECK(broker.names().empty());
  CHECK(broker.host.folders.size() == 3);
  CHECK(broker.notes.size() == 3);
  CHECK(broker.host.calls.empty());
}

TEST_CASE("topics: a known topic's missing folder is made anew, with a note") {
  Broker broker;
  broker.start();
  const TopicId id = broker.create({"a", 3, 1, {}}).topic->id;
  broker.host.folders.erase({"a", 1});
  broker.start();
  CHECK(broker.has_note("a-1 was missing"));
  CHECK(broker.host.is_served("a", 1));
  CHECK(broker.host.folders[{"a", 1}].topic_id == id);
  CHECK(broker.host.calls == std::vector<std::string>{"create a-1"});
}

TEST_CASE("topics: a folder with another id than its topic's is left alone, and the partition is offline") {
  Broker broker;
  broker.start();
  broker.create({"a", 2, 1, {}});
  broker.host.folders[{"a", 1}].topic_id = id_of(9);
  broker.start();
  CHECK(broker.has_note("a-1"));
  CHECK(broker.host.is_served("a", 0));
  CHECK_FALSE(broker.host.is_served("a", 1));
  CHECK(broker.host.folders[{"a", 1}].topic_id == id_of(9));
  CHECK(broker.topics->image()->find("a")->partition_count == 2);
}

TEST_CASE("topics: a folder past the topic's partitions is left alone") {
  Broker broker;
  broker.start();
  const TopicId id = broker.create({"a", 1, 1, {}}).topic->id;
  broker.host.add_folder("a", 1, id);
  broker.start();
  CHECK(broker.has_note("a-1"));
  CHECK_FALSE(broker.host.is_served("a", 1));
  CHECK(broker.host.folders.size() == 2);
}

TEST_CASE(
    "topics: a folder that belongs to something else is not removed by creations and deletions of its name") {
  Broker broker;
  broker.host.add_folder("a", 5, {});
  broker.start();
  CHECK(broker.names().empty());
  CHECK(broker.error_of({"a", 6, 1, {}}) == ErrorCode::kafka_storage_error);
  CHECK(broker.host.folders.size() == 1);
  CHECK(broker.error_of({"a", 5, 1, {}}) == ErrorCode::none);
  CHECK(broker.topics->remove("a").error == ErrorCode::none);
  CHECK(broker.host.folders.size() == 1);
  // One that came while the broker ran is only seen when it is in the way.
  broker.host.add_folder("b", 1, id_of(9));
  CHECK(broker.error_of({"b", 3, 1, {}}) == ErrorCode::kafka_storage_error);
  CHECK(broker.host.folders.size() == 2);
  CHECK(broker.host.folders[{"b", 1}].topic_id == id_of(9));
}

TEST_CASE("topics: deleting a topic leaves the folder that has another id") {
  Broker broker;
  broker.start();
  broker.create({"a", 2, 1, {}});
  broker.host.folders[{"a", 1}].topic_id = id_of(9);
  broker.start();
  CHECK(broker.topics->remove("a").error == ErrorCode::none);
  CHECK(broker.host.folders.size() == 1);
  CHECK(broker.host.folders.contains({"a", 1}));
}

TEST_CASE("topics: a folder that a creation left without an id is not adopted, and is no obstacle") {
  Broker broker;
  broker.start();
  broker.host.create_error = Error{Errc::io_error, "the crash"};
  broker.host.made_before_error = 1;
  broker.host.remove_error = Error{Errc::io_error, "the crash"};
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::kafka_storage_error);
  broker.host.folders[{"a", 0}].topic_id = {};
  broker.host.create_error.reset();
  broker.host.remove_error.reset();
  for (int start = 0; start < 3; ++start) {
    broker.start();
    CHECK(broker.names().empty());
    CHECK(broker.has_note("a-0"));
  }
  broker.host.folders.clear();  // as LogDir moves it out of the way
  CHECK(broker.error_of({"a", 2, 1, {}}) == ErrorCode::none);
  broker.start();
  CHECK(broker.names() == std::vector<std::string>{"a"});
}

TEST_CASE("topics: the broker's defaults are resolved anew at each start") {
  Broker broker;
  broker.start();
  broker.create({"a", 1, 1, {{"retention.bytes", "12"}}});
  broker.config.log_defaults.segment_bytes = 5 << 20;
  broker.config.log_defaults.retention_bytes = 99;
  broker.start();
  const broker::TopicImage& topic = *broker.topics->image()->find("a");
  CHECK(topic.log_config.segment_bytes == 5 << 20);
  CHECK(topic.log_config.retention_bytes == 12);
  CHECK(broker.host.folders[{"a", 0}].config.segment_bytes == 5 << 20);
}

TEST_CASE("topics: a record that is no topic stops the start") {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"topic/a", "{}"},
           {"topic/a", "not json"},
           {"topic/a", R"({"format":2,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":1,"configs":{}})"},
           {"topic/a", R"({"format":1,"id":"short","partitions":1,"configs":{}})"},
           {"topic/a", R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":0,"configs":{}})"},
           {"topic/a", R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":99999999999,"configs":{}})"},
           {"topic/a", R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":1,"configs":{"a":1}})"},
           {"topic/a", R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":1})"},
           {"topic/../a", R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":1,"configs":{}})"},
           {"unfinished/x", R"({"format":1,"name":"a","partitions":1})"},
           {"unfinished/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":1,"partitions":1})"},
           {"unfinished/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":1,"name":"a","partitions":1,"work":"other"})"},
           {"elsewhere/x", R"({"format":1,"partitions":[1]})"},
           {"elsewhere/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":2,"partitions":[1]})"},
           {"elsewhere/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":1,"partitions":1})"},
           {"elsewhere/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":1,"partitions":[-1]})"},
           {"elsewhere/BQUFBQUFBQUFBQUFBQUFBQ", R"({"format":1,"partitions":[2147483648]})"},
           {"removed/x", R"({"format":1})"},
       }) {
    INFO(key << " " << value);
    Broker broker;
    broker.start();
    REQUIRE(broker.store->txn({{}, {{key, value}}, {}}).value());
    Topics topics(broker.config, *broker.store, broker.host);
    std::vector<std::string> notes;
    const auto loaded = topics.load(notes);
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().detail.find(key.substr(0, 7)) != std::string::npos);
  }
}

TEST_CASE("topics: records come back as they were written") {
  const broker::TopicRecord record{
      id_of(3), 12, {{"cleanup.policy", "compact,delete"}, {"retention.ms", " 1\t\"\\"}}};
  const auto decoded = broker::decode_topic_record("topic/x", broker::encode(record));
  REQUIRE(decoded.ok());
  CHECK(decoded->id == record.id);
  CHECK(decoded->partition_count == 12);
  CHECK(decoded->configs == record.configs);
  CHECK(broker::encode(broker::TopicRecord{id_of(5), 1, {}}) ==
        R"({"format":1,"id":"BQUFBQUFBQUFBQUFBQUFBQ","partitions":1,"configs":{}})");
  const std::set<std::int32_t> partitions{0, 7, 2147483647};
  CHECK(broker::decode_elsewhere("elsewhere/x", broker::encode_elsewhere(partitions)).value() == partitions);
}

}  // namespace
}  // namespace sillok::tests
