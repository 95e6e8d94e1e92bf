#include "broker/config.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "broker/settings.h"
#include "broker/topic_config.h"
#include "tests/support/temp_dir.h"

namespace sillok::tests {
namespace {

using broker::Config;
using broker::LoadedConfig;
using broker::NameValue;

LoadedConfig load_from(const broker::ConfigSources& sources) {
  auto loaded = broker::load_config(sources);
  INFO((loaded.ok() ? std::string() : loaded.error().detail));
  REQUIRE(loaded.ok());
  return std::move(loaded).value();
}
LoadedConfig load(std::vector<NameValue> overrides) { return load_from({"", {}, std::move(overrides)}); }

std::string faults(std::vector<NameValue> overrides) {
  const auto loaded = broker::load_config({"", {}, std::move(overrides)});
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == Errc::invalid_config);
  return loaded.error().detail;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST_CASE("config: nothing needs to be set") {
  const LoadedConfig loaded = load({});
  const Config& config = loaded.config;
  CHECK(config.node_id == BrokerId(1));
  CHECK(config.log_dirs == std::vector<std::string>{"./data"});
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[0].host == "127.0.0.1");
  CHECK(config.listeners[0].advertised_host == "127.0.0.1");
  CHECK(config.listeners[1].host == "::1");
  CHECK(config.listeners[1].advertised_host == "::1");
  for (const broker::Listener& listener : config.listeners) {
    CHECK(listener.name == "PLAINTEXT");
    CHECK(listener.port == 9092);
    CHECK(listener.advertised_port == 9092);
    CHECK(listener.is_default);
  }
  CHECK(config.num_partitions == 1);
  CHECK(config.log_defaults.retention_ms == 604'800'000);
  CHECK(config.log_defaults.flush_ms == 1000);
  CHECK(loaded.given.empty());
  CHECK(loaded.notes.empty());
}

TEST_CASE("config: what scripts need is two settings") {
  const LoadedConfig loaded = load({{"listeners", "PLAINTEXT://127.0.0.1:9192"}, {"log.dirs", "/tmp/x"}});
  REQUIRE(loaded.config.listeners.size() == 1);
  CHECK(loaded.config.listeners[0].port == 9192);
  CHECK_FALSE(loaded.config.listeners[0].is_default);
  CHECK(loaded.config.log_dirs == std::vector<std::string>{"/tmp/x"});
}

TEST_CASE("config: the file comes before the default, the environment before the file, --set before all") {
  TempDir directory;
  const std::string file = directory.path("server.properties");
  std::ofstream(file) << "num.partitions=2\nfetch.max.bytes=2000\nnode.id=2\n";
  const LoadedConfig loaded =
      load_from({file,
                 {{"KAFKA_NUM_PARTITIONS", "3"}, {"KAFKA_NODE_ID", "3"}, {"HOME", "/root"}},
                 {{"num.partitions", "4"}}});
  CHECK(loaded.config.fetch_max_bytes == 2000);
  CHECK(loaded.config.node_id == BrokerId(3));
  CHECK(loaded.config.num_partitions == 4);
  CHECK(std::ranges::count(loaded.given, "num.partitions", &broker::GivenSetting::name) == 1);
  CHECK(broker::setting_value(loaded, "num.partitions") == "4");
}

TEST_CASE("config: a later line of the file, and a later --set, win") {
  TempDir directory;
  const std::string file = directory.path("server.properties");
  std::ofstream(file) << "num.partitions=2\nnum.partitions=5\n";
  CHECK(load_from({file, {}, {}}).config.num_partitions == 5);
  CHECK(load({{"num.partitions", "6"}, {"num.partitions", "7"}}).config.num_partitions == 7);
}

TEST_CASE("config: environment variables are named as in Kafka's container image") {
  using broker::setting_name_of_environment_variable;
  CHECK(setting_name_of_environment_variable("KAFKA_LOG_DIRS") == "log.dirs");
  CHECK(setting_name_of_environment_variable("KAFKA_A__B___C") == "a_b-c");
  CHECK(setting_name_of_environment_variable("KAFKA_SILLOK_LOG_LEVEL") == "sillok.log.level");
  for (const char* other :
       {"PATH", "KAFKA_", "KAFKA", "KAFKA_HEAP_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_JMX_PORT", "KAFKA_PORT",
        "KAFKA_PORT_9092_TCP", "KAFKA_SERVICE_HOST", "KAFKA_SERVICE_PORT_CLIENT"}) {
    INFO(other);
    CHECK(setting_name_of_environment_variable(other).empty());
  }
}

TEST_CASE("config: a variable that is like no setting is somebody else's, one that nearly is a mistake") {
  const auto loaded = broker::load_config({"", {{"KAFKA_CREATE_TOPICS", "a:1:1"}}, {}});
  REQUIRE(loaded.ok());
  REQUIRE(loaded->notes.size() == 1);
  CHECK(contains(loaded->notes[0], "KAFKA_CREATE_TOPICS"));
  CHECK_FALSE(broker::load_config({"", {{"KAFKA_NUM_PARTITONS", "3"}}, {}}).ok());
  CHECK_FALSE(broker::load_config({"", {}, {{"create.topics", "a:1:1"}}}).ok());
}

TEST_CASE("config: every fault is told at once, with its source and its fix") {
  TempDir directory;
  const std::string file = directory.path("server.properties");
  std::ofstream(file) << "# first\nnum.partitons=2\nnum.io.threads=0\n";
  const auto loaded = broker::load_config({file,
                                           {{"KAFKA_FETCH_MAX_BYTES", "many"}},
                                           {{"log.dirs", "/a,/b/../a"}, {"listeners", "SSL://127.0.0.1:1"}}});
  REQUIRE_FALSE(loaded.ok());
  const std::string& text = loaded.error().detail;
  CHECK(std::ranges::count(text, '\n') == 4);
  CHECK(contains(text,
                 "num.partitons=2 (" + file + ", line 2): unknown setting; did you mean num.partitions?"));
  CHECK(contains(text, "num.io.threads=0 (" + file + ", line 3): must be at least 1"));
  CHECK(contains(
      text, "fetch.max.bytes=many (environment variable KAFKA_FETCH_MAX_BYTES): must be a whole number"));
  CHECK(contains(text, "log.dirs=/a,/b/../a (--set): names one directory twice, as /a and /b/../a"));
  CHECK(contains(text, "SSL, which is not available"));
}

TEST_CASE("config: no log directory lies in another one") {
  CHECK(load({{"log.dirs", "/a,/ab/c,/ab/d"}}).config.log_dirs.size() == 3);
  const auto refusal = [](const std::string& log_dirs) {
    const auto loaded = broker::load_config({"", {}, {{"log.dirs", log_dirs}}});
    return loaded.ok() ? "" : loaded.error().detail;
  };
  CHECK(contains(refusal("/a/b/c,/d,/a/"), "/a/b/c lies in /a/"));
  CHECK(contains(refusal("/,/data"), "/data lies in /"));
}

TEST_CASE("config: the mode of Unix domain sockets is octal, and the server's user's alone by default") {
  CHECK(load({}).config.unix_socket_mode == 0600);
  CHECK(load({{"sillok.unix.socket.mode", "0660"}}).config.unix_socket_mode == 0660);
  CHECK(load({{"sillok.unix.socket.mode", " 666"}}).config.unix_socket_mode == 0666);
  for (const char* wrong : {"", "rw", "0680", "01777", "-1"}) {
    INFO(wrong);
    CHECK_FALSE(broker::load_config({"", {}, {{"sillok.unix.socket.mode", wrong}}}).ok());
  }
}

TEST_CASE("config: a file that is not there is a fault") {
  const auto loaded = broker::load_config({"/nowhere/server.properties", {}, {}});
  REQUIRE_FALSE(loaded.ok());
  CHECK(contains(loaded.error().detail, "/nowhere/server.properties"));
}

TEST_CASE("config: Kafka's names that have no effect here give one note each") {
  const LoadedConfig loaded = load({{"process.roles", "broker,controller"},
                                    {"controller.quorum.voters", "1@localhost:9093"},
                                    {"zookeeper.connect", "localhost:2181"},
                                    {"log.cleaner.threads", "2"},
                                    {"offsets.topic.replication.factor", "1"},
                                    {"transaction.state.log.min.isr", "1"},
                                    {"share.coordinator.state.topic.min.isr", "1"},
                                    {"group.initial.rebalance.delay.ms", "0"},
                                    {"num.replica.fetchers", "1"},
                                    {"log.flush.scheduler.interval.ms", "5"}});
  CHECK(loaded.notes.size() == 10);
  for (const std::string& note : loaded.notes) CHECK(contains(note, "no effect"));
}

TEST_CASE("config: an authorizer is refused, for what it would protect would be open") {
  CHECK(
      contains(faults({{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}}),
               "everybody may do everything"));
  CHECK(load({{"authorizer.class.name", ""}}).notes.empty());
}

TEST_CASE("config: of ms, minutes and hours the smaller unit decides, whatever its source") {
  constexpr std::int64_t kHour = 3'600'000;
  CHECK(load({{"log.retention.hours", "2"}}).config.log_defaults.retention_ms == 2 * kHour);
  CHECK(
      load({{"log.retention.hours", "2"}, {"log.retention.minutes", "3"}}).config.log_defaults.retention_ms ==
      180'000);
  CHECK(load({{"log.retention.minutes", "3"}, {"log.retention.ms", "4"}}).config.log_defaults.retention_ms ==
        4);
  CHECK(load({{"log.retention.hours", "-1"}}).config.log_defaults.retention_ms == -1);
  CHECK(load({{"log.retention.hours", "2147483647"}}).config.log_defaults.retention_ms ==
        2'147'483'647 * kHour);
  CHECK(contains(faults({{"log.retention.minutes", "0"}}), "at least 1"));
  CHECK(load({{"log.roll.hours", "2"}}).config.log_defaults.segment_ms == 2 * kHour);
  CHECK(load({{"log.roll.hours", "2"}, {"log.roll.ms", "5"}}).config.log_defaults.segment_ms == 5);
  CHECK(load({{"log.roll.jitter.hours", "1"}}).config.log_defaults.segment_jitter_ms == kHour);
  CHECK(load({{"log.roll.jitter.ms", "9"}}).config.log_defaults.segment_jitter_ms == 9);
}

TEST_CASE("config: broker.id and log.dir are older names") {
  CHECK(load({{"broker.id", "7"}}).config.node_id == BrokerId(7));
  CHECK(load({{"broker.id", "7"}, {"node.id", "7"}}).config.node_id == BrokerId(7));
  CHECK(contains(faults({{"broker.id", "7"}, {"node.id", "8"}}), "node.id"));
  CHECK(load({{"log.dir", "/a"}}).config.log_dirs == std::vector<std::string>{"/a"});
  CHECK(load({{"log.dir", "/a"}, {"log.dirs", "/b"}}).config.log_dirs == std::vector<std::string>{"/b"});
  CHECK(contains(faults({{"log.dirs", " "}}), "names no directory"));
}

TEST_CASE("config: the log.* settings are the defaults of the topics") {
  const storage::LogConfig defaults = load({{"log.segment.bytes", "2097152"},
                                            {"log.retention.bytes", "5"},
                                            {"log.cleanup.policy", "compact"},
                                            {"log.flush.interval.messages", "6"},
                                            {"log.flush.interval.ms", "9223372036854775807"},
                                            {"log.index.interval.bytes", "7"},
                                            {"log.index.size.max.bytes", "8"},
                                            {"log.message.timestamp.type", "LogAppendTime"},
                                            {"log.message.timestamp.before.max.ms", "9"},
                                            {"log.message.timestamp.after.max.ms", "10"},
                                            {"log.preallocate", "true"},
                                            {"log.segment.delete.delay.ms", "11"},
                                            {"message.max.bytes", "12"},
                                            {"write.caching", "true"}})
                                          .config.log_defaults;
  CHECK(defaults.segment_bytes == 2 << 20);
  CHECK(defaults.retention_bytes == 5);
  CHECK(defaults.cleanup_compact);
  CHECK_FALSE(defaults.cleanup_delete);
  CHECK(defaults.flush_messages == 6);
  CHECK(defaults.flush_ms == storage::kForever);
  CHECK(defaults.index_interval_bytes == 7);
  CHECK(defaults.segment_index_bytes == 8);
  CHECK(defaults.timestamp_type == protocol::TimestampType::log_append_time);
  CHECK(defaults.timestamp_before_max_ms == 9);
  CHECK(defaults.timestamp_after_max_ms == 10);
  CHECK(defaults.preallocate);
  CHECK(defaults.file_delete_delay_ms == 11);
  CHECK(defaults.max_message_bytes == 12);
  CHECK(defaults.write_caching);
}

TEST_CASE("config: -1 for queued.max.request.bytes is without limit") {
  CHECK(load({{"queued.max.request.bytes", "-1"}}).config.in_flight_bytes_max == storage::kForever);
}

TEST_CASE(
    "config: the table of settings is sorted, complete, and its defaults are values of their settings") {
  CHECK(std::ranges::is_sorted(broker::settings(), {}, &broker::Setting::name));
  for (const broker::Setting& setting : broker::settings()) {
    INFO(setting.name);
    CHECK(broker::find_setting(setting.name) == &setting);
    CHECK_FALSE(setting.doc.empty());
    CHECK_FALSE(broker::is_foreign_setting(setting.name));
    const auto value = broker::default_value(setting);
    if (value) {
      CHECK(broker::value_fault(setting.rule, *value).value_or("") == "");
    }
    if (!setting.topic_config.empty()) {
      CHECK(broker::find_topic_config(setting.topic_config) != nullptr);
    }
  }
}

TEST_CASE("config: every setting's default can be set, and changes nothing") {
  std::vector<NameValue> all;
  for (const broker::Setting& setting : broker::settings()) {
    if (const auto value = broker::default_value(setting)) all.emplace_back(setting.name, *value);
  }
  const Config config = load(all).config;
  for (const broker::Setting& setting : broker::settings()) {
    INFO(setting.name);
    if (setting.text != nullptr) CHECK(setting.text(config) == setting.text(Config{}));
  }
  CHECK(config.listeners.size() == 2);
}

TEST_CASE("config: every setting that is a number or a switch reaches its member") {
  for (const broker::Setting& setting : broker::settings()) {
    if (setting.text == nullptr || setting.rule.type == broker::ValueType::text) continue;
    INFO(setting.name);
    const std::string before = setting.text(Config{});
    std::string other;
    if (setting.rule.type == broker::ValueType::boolean) {
      other = before == "true" ? "false" : "true";
    } else {
      other = before == "1234" ? "1235" : "1234";
      if (setting.name == "sillok.checkpoint.bytes" || setting.name.ends_with(".bytes.max"))
        other = "2000000";
      if (setting.rule.range.max == 256) other = "13";
      if (setting.rule.range.min == setting.rule.range.max) continue;
    }
    const LoadedConfig loaded = load({{std::string(setting.name), other}});
    CHECK(setting.text(loaded.config) == other);
  }
}

TEST_CASE("config: --help-config prints every setting with type, default and range") {
  const std::string text = broker::describe_settings();
  for (const broker::Setting& setting : broker::settings()) {
    INFO(setting.name);
    CHECK(contains(text, setting.doc));
    if (!setting.has_effect) continue;
    CHECK(contains(text, "\n" + std::string(setting.name) + " (" + to_string(setting.rule.type)));
  }
  for (const broker::Setting& setting : broker::settings_without_effect())
    CHECK(contains(text, setting.name));
  for (std::string_view name : broker::foreign_settings()) CHECK(contains(text, name));
  CHECK(contains(text, "num.partitions (int, default 1, 1 to 10000)"));
  CHECK(contains(text, "log.dirs (list, default ./data)"));
}

TEST_CASE("config: units are told for every setting of time or size") {
  for (const broker::Setting& setting : broker::settings()) {
    if (!setting.has_effect) continue;
    INFO(setting.name);
    if (setting.name.ends_with(".ms")) {
      CHECK((contains(setting.doc, "ms") || contains(setting.doc, "Milliseconds")));
    }
    if (setting.name.ends_with(".bytes")) CHECK((contains(setting.doc, "ytes")));
  }
}

}  // namespace
}  // namespace sillok::tests
