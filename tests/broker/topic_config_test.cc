#include "broker/topic_config.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "broker/settings.h"
#include "tests/support/cpu_time.h"

namespace sillok::tests {
namespace {

using broker::find_topic_config;
using broker::resolve_log_config;
using broker::topic_configs;
using Configs = std::map<std::string, std::string>;

std::string fault(const Configs& configs) { return broker::topic_configs_fault(configs).value_or(""); }

TEST_CASE("topic config: the table is sorted, and every entry has a default that is a value of it") {
  CHECK(std::ranges::is_sorted(topic_configs(), {}, &broker::TopicConfig::name));
  for (const broker::TopicConfig& config : topic_configs()) {
    INFO(config.name);
    CHECK(find_topic_config(config.name) == &config);
    CHECK_FALSE(config.doc.empty());
    const std::string value = config.text != nullptr ? config.text({}) : std::string(config.kept_default);
    CHECK(broker::value_fault(config.rule, value).value_or("") == "");
    CHECK((config.text == nullptr) == (config.set == nullptr));
  }
}

TEST_CASE("topic config: every config of Kafka 4.3 is known") {
  for (const char* name : {"cleanup.policy",
                           "compression.gzip.level",
                           "compression.lz4.level",
                           "compression.type",
                           "compression.zstd.level",
                           "delete.retention.ms",
                           "file.delete.delay.ms",
                           "flush.messages",
                           "flush.ms",
                           "follower.replication.throttled.replicas",
                           "index.interval.bytes",
                           "leader.replication.throttled.replicas",
                           "local.retention.bytes",
                           "local.retention.ms",
                           "max.compaction.lag.ms",
                           "max.message.bytes",
                           "message.timestamp.after.max.ms",
                           "message.timestamp.before.max.ms",
                           "message.timestamp.type",
                           "min.cleanable.dirty.ratio",
                           "min.compaction.lag.ms",
                           "min.insync.replicas",
                           "preallocate",
                           "remote.log.copy.disable",
                           "remote.log.delete.on.disable",
                           "remote.storage.enable",
                           "retention.bytes",
                           "retention.ms",
                           "segment.bytes",
                           "segment.index.bytes",
                           "segment.jitter.ms",
                           "segment.ms",
                           "unclean.leader.election.enable"}) {
    INFO(name);
    CHECK(find_topic_config(name) != nullptr);
  }
  CHECK(find_topic_config("write.caching") != nullptr);
  CHECK(topic_configs().size() == 36);
  // Removed in Kafka 4.0.
  CHECK(find_topic_config("message.format.version") == nullptr);
  CHECK(find_topic_config("message.timestamp.difference.max.ms") == nullptr);
}

TEST_CASE("topic config: the defaults are Kafka's, but for flush.ms") {
  const Configs expected = {{"cleanup.policy", "delete"},
                            {"compression.type", "producer"},
                            {"delete.retention.ms", "86400000"},
                            {"file.delete.delay.ms", "60000"},
                            {"flush.messages", "9223372036854775807"},
                            {"flush.ms", "1000"},
                            {"index.interval.bytes", "4096"},
                            {"max.compaction.lag.ms", "9223372036854775807"},
                            {"max.message.bytes", "1048588"},
                            {"message.timestamp.type", "CreateTime"},
                            {"message.timestamp.before.max.ms", "9223372036854775807"},
                            {"message.timestamp.after.max.ms", "3600000"},
                            {"min.cleanable.dirty.ratio", "0.5"},
                            {"min.compaction.lag.ms", "0"},
                            {"min.insync.replicas", "1"},
                            {"preallocate", "false"},
                            {"retention.bytes", "-1"},
                            {"retention.ms", "604800000"},
                            {"segment.bytes", "1073741824"},
                            {"segment.index.bytes", "10485760"},
                            {"segment.jitter.ms", "0"},
                            {"segment.ms", "604800000"},
                            {"local.retention.ms", "-2"},
                            {"unclean.leader.election.enable", "false"},
                            {"write.caching", "false"}};
  for (const auto& [name, value] : expected) {
    INFO(name);
    const broker::TopicConfig* config = find_topic_config(name);
    REQUIRE(config != nullptr);
    CHECK((config->text != nullptr ? config->text({}) : std::string(config->kept_default)) == value);
  }
}

TEST_CASE("topic config: what storage honours is resolved over the broker's defaults") {
  storage::LogConfig defaults;
  defaults.retention_bytes = 5;
  defaults.segment_ms = 6;
  const storage::LogConfig resolved =
      resolve_log_config(defaults, {{"cleanup.policy", "compact, delete"},
                                    {"file.delete.delay.ms", "1"},
                                    {"flush.messages", "2"},
                                    {"flush.ms", "3"},
                                    {"index.interval.bytes", "4"},
                                    {"max.message.bytes", "5"},
                                    {"message.timestamp.after.max.ms", "6"},
                                    {"message.timestamp.before.max.ms", "7"},
                                    {"message.timestamp.type", "LogAppendTime"},
                                    {"preallocate", "TRUE"},
                                    {"retention.ms", " 8 "},
                                    {"segment.bytes", "1048576"},
                                    {"segment.index.bytes", "9"},
                                    {"segment.jitter.ms", "10"},
                                    {"write.caching", "true"},
                                    {"min.insync.replicas", "2"}});
  CHECK(resolved.cleanup_compact);
  CHECK(resolved.cleanup_delete);
  CHECK(resolved.file_delete_delay_ms == 1);
  CHECK(resolved.flush_messages == 2);
  CHECK(resolved.flush_ms == 3);
  CHECK(resolved.index_interval_bytes == 4);
  CHECK(resolved.max_message_bytes == 5);
  CHECK(resolved.timestamp_after_max_ms == 6);
  CHECK(resolved.timestamp_before_max_ms == 7);
  CHECK(resolved.timestamp_type == protocol::TimestampType::log_append_time);
  CHECK(resolved.preallocate);
  CHECK(resolved.retention_ms == 8);
  CHECK(resolved.segment_bytes == 1 << 20);
  CHECK(resolved.segment_index_bytes == 9);
  CHECK(resolved.segment_jitter_ms == 10);
  CHECK(resolved.write_caching);
  CHECK(resolved.retention_bytes == 5);
  CHECK(resolved.segment_ms == 6);
}

TEST_CASE("topic config: the text of a resolved config reads back as itself") {
  for (const char* policy : {"delete", "compact", "compact,delete", ""}) {
    const auto resolved = resolve_log_config({}, {{"cleanup.policy", policy}});
    CHECK(find_topic_config("cleanup.policy")->text(resolved) == policy);
  }
  CHECK(find_topic_config("cleanup.policy")
            ->text(resolve_log_config({}, {{"cleanup.policy", "delete,compact"}})) == "compact,delete");
  CHECK(find_topic_config("retention.bytes")->text(resolve_log_config({}, {{"retention.bytes", "-5"}})) ==
        "-1");
}

TEST_CASE("topic config: values outside their type or range are refused, with the name") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"segment.bytes", "1048575"},
      {"segment.bytes", "2147483648"},
      {"segment.bytes", "1.5"},
      {"segment.bytes", ""},
      {"segment.ms", "0"},
      {"segment.index.bytes", "3"},
      {"retention.ms", "-2"},
      {"retention.ms", "9223372036854775808"},
      {"retention.bytes", "x"},
      {"flush.messages", "0"},
      {"flush.ms", "-1"},
      {"max.message.bytes", "-1"},
      {"cleanup.policy", "delete,shred"},
      {"cleanup.policy", "delete,"},
      {"compression.type", "brotli"},
      {"compression.gzip.level", "10"},
      {"compression.lz4.level", "0"},
      {"compression.zstd.level", "23"},
      {"message.timestamp.type", "createtime"},
      {"min.cleanable.dirty.ratio", "1.1"},
      {"min.cleanable.dirty.ratio", "nan"},
      {"min.insync.replicas", "0"},
      {"local.retention.ms", "-3"},
      {"preallocate", "yes"},
      {"remote.storage.enable", "true"},
      {"leader.replication.throttled.replicas", "1-2"},
      {"write.caching", "1"},
  };
  for (const auto& [name, value] : bad) {
    INFO(name << "=" << value);
    CHECK(fault({{name, value}}).find(name) != std::string::npos);
  }
  CHECK(fault({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "9"}})
            .find("max.compaction.lag.ms") != std::string::npos);
}

TEST_CASE("topic config: a text of many unknown names is soon full, and then no more are looked at") {
  const auto cost = [](int count) {
    std::map<std::string, std::string> configs;
    for (int i = 0; i < count; ++i) configs["retention.nonsense." + std::to_string(i)] = "1";
    return cpu_time_of([&] { CHECK(broker::topic_configs_fault(configs).value_or("").size() < 5000); });
  };
  CHECK(cost(16'000) < 4 * cost(1000));  // all of them are 16 times as much
}

TEST_CASE("topic config: values at the ends of their ranges are fine") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"segment.bytes", "1048576"},
           {"segment.bytes", "2147483647"},
           {"retention.ms", "-1"},
           {"retention.bytes", "-1"},
           {"cleanup.policy", ""},
           {"cleanup.policy", "compact"},
           {"compression.type", "zstd"},
           {"compression.gzip.level", "-1"},
           {"min.cleanable.dirty.ratio", "0"},
           {"min.cleanable.dirty.ratio", "1"},
           {"leader.replication.throttled.replicas", "*"},
           {"follower.replication.throttled.replicas", "0:1,1:1"},
           {"remote.storage.enable", "false"},
           {"flush.ms", "0"},
       }) {
    INFO(name << "=" << value);
    CHECK(fault({{name, value}}) == "");
  }
}

TEST_CASE(
    "topic config: an unknown name is refused, with the nearest known one; all faults are told at once") {
  const std::string both = fault({{"retention.mss", "1"}, {"segment.bytes", "1"}});
  CHECK(both.find("retention.mss") != std::string::npos);
  CHECK(both.find("did you mean retention.ms?") != std::string::npos);
  CHECK(both.find("segment.bytes") != std::string::npos);
}

TEST_CASE("topic config: a fault's text has a limit, whatever was sent") {
  Configs many;
  for (int i = 0; i < 1000; ++i) many["unknown." + std::to_string(i)] = std::string(1000, 'x');
  many[std::string(30'000, 'n')] = "";
  CHECK(fault(many).size() < 10'000);
  CHECK(fault({{"segment.bytes", std::string(40'000, '1')}}).size() < 1000);
}

TEST_CASE("topic config: what has no effect says so in its description, and why") {
  for (const broker::TopicConfig& config : topic_configs()) {
    CAPTURE(config.name);
    const bool says_so = config.doc.find("No effect") != std::string_view::npos ||
                         config.doc.find("Kept only: there is one") != std::string_view::npos ||
                         config.doc.find("Only false is possible") != std::string_view::npos;
    CHECK(says_so != config.has_effect);
    if (config.has_effect) CHECK(config.set != nullptr);
  }
}

TEST_CASE("topic config: the broker settings that it names are known") {
  for (const broker::TopicConfig& config : topic_configs()) {
    std::string_view names = config.broker_settings;
    while (!names.empty()) {
      const std::string_view name = names.substr(0, names.find(' '));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      INFO(name);
      CHECK(broker::find_setting(name) != nullptr);
    }
  }
}

}  // namespace
}  // namespace sillok::tests
