#include "broker/topic_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "broker/name_suggestion.h"

namespace sillok::broker {
namespace {

using storage::LogConfig;

constexpr ValueRange kInt64 = {};
constexpr std::int64_t kRetentionBoundMsMin = 1000;  // it is looked twice as often
constexpr std::size_t kFaultsSizeMax = 4096;         // of the text; more faults are not told
constexpr std::string_view kThrottledReplicasDoc =
    "Replicas whose replication is throttled, as partition:broker pairs or *. Kept only: there is one "
    "replica.";

// The entry of a config that is a member of LogConfig.
template <auto Member>
constexpr TopicConfig honoured(std::string_view name, ValueRange range, std::string_view broker_settings,
                               std::string_view doc) {
  using Value = std::remove_cvref_t<decltype(LogConfig{}.*Member)>;
  constexpr ValueType kType = std::is_same_v<Value, bool>           ? ValueType::boolean
                              : std::is_same_v<Value, std::int32_t> ? ValueType::int32
                                                                    : ValueType::int64;
  return {name,
          {kType, range, {}},
          broker_settings,
          doc,
          [](LogConfig& config, std::string_view value) {
            if constexpr (std::is_same_v<Value, bool>) {
              config.*Member = parse_boolean(value).value_or(config.*Member);
            } else {
              config.*Member = static_cast<Value>(parse_integer(value).value_or(config.*Member));
            }
          },
          [](const LogConfig& config) { return fmt::format("{}", config.*Member); },
          {}};
}

// As honoured(), for members that are wider than Kafka's "int".
template <auto Member>
constexpr TopicConfig honoured_int(std::string_view name, ValueRange range, std::string_view broker_settings,
                                   std::string_view doc) {
  TopicConfig config = honoured<Member>(name, range, broker_settings, doc);
  config.rule.type = ValueType::int32;
  return config;
}

// Storage has it, to be judged with others, and makes nothing of it.
constexpr TopicConfig without_effect(TopicConfig config) {
  config.has_effect = false;
  return config;
}

constexpr TopicConfig kept(std::string_view name, ValueRule rule, std::string_view default_text,
                           std::string_view broker_settings, std::string_view doc) {
  return {name, rule, broker_settings, doc, nullptr, nullptr, default_text, false};
}

constexpr TopicConfig kept_number(std::string_view name, ValueType type, ValueRange range,
                                  std::string_view default_text, std::string_view broker_settings,
                                  std::string_view doc) {
  return kept(name, {type, range, {}}, default_text, broker_settings, doc);
}

constexpr TopicConfig kept_boolean(std::string_view name, std::string_view broker_settings,
                                   std::string_view doc) {
  return kept(name, {ValueType::boolean, {}, {}}, "false", broker_settings, doc);
}

void set_cleanup_policy(LogConfig& config, std::string_view value) {
  config.cleanup_delete = false;
  config.cleanup_compact = false;
  for (std::string_view element : parse_list(value)) {
    config.cleanup_delete |= element == "delete";
    config.cleanup_compact |= element == "compact";
  }
}

std::string cleanup_policy_text(const LogConfig& config) {
  if (config.cleanup_delete && config.cleanup_compact) return "compact,delete";
  if (config.cleanup_compact) return "compact";
  return config.cleanup_delete ? "delete" : "";
}

constexpr std::string_view kUncompressed = "uncompressed";  // what none is called here

void set_codec(LogConfig& config, std::string_view value) {
  using protocol::Codec;
  config.codec.reset();
  if (trim(value) == kUncompressed) config.codec = Codec::none;
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    if (trim(value) == protocol::to_string(codec)) config.codec = codec;
  }
}

std::string codec_text(const LogConfig& config) {
  if (!config.codec) return "producer";
  return std::string(*config.codec == protocol::Codec::none ? kUncompressed
                                                            : protocol::to_string(*config.codec));
}

void set_timestamp_type(LogConfig& config, std::string_view value) {
  config.timestamp_type = trim(value) == "LogAppendTime" ? protocol::TimestampType::log_append_time
                                                         : protocol::TimestampType::create_time;
}

std::string timestamp_type_text(const LogConfig& config) {
  return config.timestamp_type == protocol::TimestampType::log_append_time ? "LogAppendTime" : "CreateTime";
}

void set_retention_bytes(LogConfig& config, std::string_view value) {
  config.retention_bytes = std::max<std::int64_t>(parse_integer(value).value_or(config.retention_bytes), -1);
}

std::string retention_bytes_text(const LogConfig& config) {
  return fmt::format("{}", config.retention_bytes);
}

// By name; a test holds it to that.
constexpr TopicConfig kTopicConfigs[] = {
    {"cleanup.policy",
     {ValueType::list, {}, "compact|delete"},
     "log.cleanup.policy",
     "What becomes of old segments: delete them after the retention, or (compact alone, or empty) keep them. "
     "Compaction is kept only: records without a key are refused, and nothing is compacted.",
     set_cleanup_policy,
     cleanup_policy_text,
     {}},
    honoured<&LogConfig::gzip_level>("compression.gzip.level", {-1, 9}, "compression.gzip.level",
                                     "Level of gzip where the broker compresses; -1 is the codec's own."),
    honoured<&LogConfig::lz4_level>("compression.lz4.level", {1, 17}, "compression.lz4.level",
                                    "Level of lz4 where the broker compresses."),
    {"compression.type",
     {ValueType::text, {}, "uncompressed|zstd|lz4|snappy|gzip|producer"},
     "compression.type",
     "Codec that the topic's batches are kept in: the broker compresses those anew that come in another. "
     "\"producer\" leaves each as it was sent.",
     set_codec,
     codec_text,
     {}},
    honoured<&LogConfig::zstd_level>("compression.zstd.level", {-131072, 22}, "compression.zstd.level",
                                     "Level of zstd where the broker compresses."),
    kept_number(
        "delete.retention.ms", ValueType::int64, at_least(0), "86400000", "log.cleaner.delete.retention.ms",
        "How long, in ms, compaction keeps records that delete a key. No effect: nothing is compacted."),
    honoured<&LogConfig::file_delete_delay_ms>(
        "file.delete.delay.ms", at_least(0), "log.segment.delete.delay.ms",
        "How long, in ms, deleted files stay on the disk under another name."),
    honoured<&LogConfig::flush_messages>(
        "flush.messages", at_least(1), "log.flush.interval.messages",
        "How many records of acks=0 and acks=1 may wait before they are flushed to the disk."),
    honoured<&LogConfig::flush_ms>("flush.ms", at_least(0), "log.flush.interval.ms",
                                   "How long, in ms, records of acks=0 and acks=1 may wait before they are "
                                   "flushed to the disk. 9223372036854775807 "
                                   "leaves it to the kernel, as Apache Kafka does."),
    kept("follower.replication.throttled.replicas", {ValueType::list, {}, {}}, "", "", kThrottledReplicasDoc),
    honoured_int<&LogConfig::index_interval_bytes>("index.interval.bytes", at_least(0),
                                                   "log.index.interval.bytes",
                                                   "Bytes of log between two entries of the offset index."),
    kept("leader.replication.throttled.replicas", {ValueType::list, {}, {}}, "", "", kThrottledReplicasDoc),
    kept_number(
        "local.retention.bytes", ValueType::int64, at_least(-2), "-2", "log.local.retention.bytes",
        "Bytes that stay here of a partition in tiered storage; -2 is retention.bytes. No effect: there "
        "is none."),
    kept_number(
        "local.retention.ms", ValueType::int64, at_least(-2), "-2", "log.local.retention.ms",
        "How long, in ms, segments in tiered storage stay here too; -2 is retention.ms. No effect: there "
        "is none."),
    without_effect(honoured<&LogConfig::max_compaction_lag_ms>(
        "max.compaction.lag.ms", at_least(1), "log.cleaner.max.compaction.lag.ms",
        "How long, in ms, a record may stay uncompacted. No effect: nothing is compacted.")),
    honoured<&LogConfig::max_message_bytes>(
        "max.message.bytes", at_least(0), "message.max.bytes",
        "Bytes of the largest record batch (as compressed) that is taken."),
    honoured<&LogConfig::timestamp_after_max_ms>(
        "message.timestamp.after.max.ms", at_least(0), "log.message.timestamp.after.max.ms",
        "How far, in ms, the timestamp of a record may be ahead of the broker's clock."),
    honoured<&LogConfig::timestamp_before_max_ms>(
        "message.timestamp.before.max.ms", at_least(0), "log.message.timestamp.before.max.ms",
        "How far, in ms, the timestamp of a record may be behind the broker's clock."),
    {"message.timestamp.type",
     {ValueType::text, {}, "CreateTime|LogAppendTime"},
     "log.message.timestamp.type",
     "Whether records keep the producer's timestamp or get the time of their append.",
     set_timestamp_type,
     timestamp_type_text,
     {}},
    kept_number("min.cleanable.dirty.ratio", ValueType::float64, {0, 1}, "0.5",
                "log.cleaner.min.cleanable.ratio",
                "The uncompacted part of a log from which on it is compacted. No effect: nothing is."),
    without_effect(honoured<&LogConfig::min_compaction_lag_ms>(
        "min.compaction.lag.ms", at_least(0), "log.cleaner.min.compaction.lag.ms",
        "How long, in ms, a record stays uncompacted at least. No effect: nothing is compacted.")),
    kept_number("min.insync.replicas", ValueType::int32, at_least(1), "1", "min.insync.replicas",
                "In-sync replicas that acks=all needs. Kept only: there is one replica, and it counts as "
                "min(value, 1)."),
    honoured<&LogConfig::preallocate>("preallocate", {}, "log.preallocate",
                                      "Whether a new segment gets all its disk space at once."),
    kept_boolean("remote.log.copy.disable", "",
                 "Whether segments are no longer copied to tiered storage. No effect: there is none."),
    kept_boolean("remote.log.delete.on.disable", "",
                 "Whether turning tiered storage off deletes what is in it. No effect: there is none."),
    kept_boolean("remote.storage.enable", "",
                 "Whether the topic has tiered storage. Only false is possible here."),
    {"retention.bytes",
     {ValueType::int64, kInt64, {}},
     "log.retention.bytes",
     "Bytes of a partition from which on its oldest segments are deleted; -1 is without limit.",
     set_retention_bytes,
     retention_bytes_text,
     {}},
    honoured<&LogConfig::retention_ms>(
        "retention.ms", at_least(-1), "log.retention.ms log.retention.minutes log.retention.hours",
        "How long, in ms, segments are kept, by their records' time; -1 is for ever."),
    honoured_int<&LogConfig::segment_bytes>("segment.bytes", at_least(1 << 20), "log.segment.bytes",
                                            "Bytes of a segment file, after which the next one starts."),
    honoured_int<&LogConfig::segment_index_bytes>(
        "segment.index.bytes", at_least(4), "log.index.size.max.bytes",
        "Bytes of a segment's offset index, after which the next segment starts."),
    honoured<&LogConfig::segment_jitter_ms>(
        "segment.jitter.ms", at_least(0), "log.roll.jitter.ms log.roll.jitter.hours",
        "The most, in ms, that is taken off segment.ms by chance, so that segments do "
        "not all roll at once."),
    honoured<&LogConfig::segment_ms>(
        "segment.ms", at_least(1), "log.roll.ms log.roll.hours",
        "How much record time, in ms, a segment holds before the next one starts."),
    honoured<&LogConfig::retention_bound_ms>(
        "sillok.retention.bound.ms", at_least(-1), "",
        "How much later than its time and retention.ms, in ms, a record can still be read, at the most; it "
        "goes "
        "alone, without its segment. At least 1000; -1 lets it stay for as long as its segment, as in Apache "
        "Kafka."),
    honoured<&LogConfig::retention_topic_bytes>(
        "sillok.retention.topic.bytes", at_least(-1), "",
        "Bytes of all partitions of the topic together, past which the oldest segments of any of them are "
        "deleted. -1 is without limit."),
    kept_boolean("unclean.leader.election.enable", "unclean.leader.election.enable",
                 "Whether a replica that is behind may lead. Kept only: there is one replica."),
    honoured<&LogConfig::write_caching>("write.caching", {}, "write.caching",
                                        "Whether acks=all is answered from the page cache, as Apache Kafka "
                                        "does, in place of after the disk's flush."),
};

bool is_throttled_replicas(std::string_view name) {
  return name.ends_with(".replication.throttled.replicas");
}

// "*", or "0:1,1:1".
bool is_replica_list(std::string_view value) {
  if (trim(value) == "*") return true;
  for (std::string_view element : parse_list(value)) {
    const std::size_t colon = element.find(':');
    if (colon == std::string_view::npos) return false;
    if (!parse_integer(element.substr(0, colon)) || !parse_integer(element.substr(colon + 1))) return false;
  }
  return true;
}

std::optional<std::string> config_fault(std::string_view name, std::string_view value) {
  const TopicConfig* config = find_topic_config(name);
  if (config == nullptr) {
    std::vector<std::string_view> names;
    for (const TopicConfig& known : kTopicConfigs) names.push_back(known.name);
    return fmt::format("Unknown topic config name: {}{}", excerpt(name), did_you_mean(name, names));
  }
  if (const auto fault = topic_config_fault(name, value)) {
    return fmt::format("Invalid value {} for configuration {}: {}", excerpt(value), name, *fault);
  }
  return std::nullopt;
}

}  // namespace

std::span<const TopicConfig> topic_configs() { return kTopicConfigs; }

const TopicConfig* find_topic_config(std::string_view name) {
  const auto found = std::ranges::lower_bound(kTopicConfigs, name, {}, &TopicConfig::name);
  return found != std::end(kTopicConfigs) && found->name == name ? &*found : nullptr;
}

std::optional<std::string> topic_config_fault(std::string_view name, std::string_view value) {
  const TopicConfig* config = find_topic_config(name);
  if (auto fault = value_fault(config->rule, value)) return fault;
  if (is_throttled_replicas(name) && !is_replica_list(value)) return "must be * or pairs like 0:1,1:1";
  if (name == "remote.storage.enable" && parse_boolean(value).value_or(false)) {
    return "tiered storage is not available";
  }
  if (name == "sillok.retention.bound.ms" && parse_integer(value) != -1 &&
      parse_integer(value).value_or(0) < kRetentionBoundMsMin) {
    return fmt::format("must be at least {}, or -1", kRetentionBoundMsMin);
  }
  if (name == "compression.gzip.level" && parse_integer(value) == 0) return "must be 1 to 9, or -1";
  return std::nullopt;
}

std::optional<std::string> topic_values_fault(const std::map<std::string, std::string>& configs) {
  std::string faults;
  for (const auto& [name, value] : configs) {
    const auto fault = config_fault(name, value);
    if (!fault) continue;
    if (!faults.empty()) faults += "; ";
    faults += *fault;
    if (faults.size() > kFaultsSizeMax) break;
  }
  return faults.empty() ? std::nullopt : std::optional(std::move(faults));
}

std::optional<std::string> topic_configs_conflict(const LogConfig& resolved) {
  if (resolved.min_compaction_lag_ms <= resolved.max_compaction_lag_ms) return std::nullopt;
  return fmt::format("min.compaction.lag.ms ({}) must not be greater than max.compaction.lag.ms ({})",
                     resolved.min_compaction_lag_ms, resolved.max_compaction_lag_ms);
}

std::optional<std::string> topic_configs_fault(const std::map<std::string, std::string>& configs,
                                               const LogConfig& defaults) {
  if (auto fault = topic_values_fault(configs)) return fault;
  return topic_configs_conflict(resolve_log_config(defaults, configs));
}

LogConfig resolve_log_config(const LogConfig& defaults, const std::map<std::string, std::string>& configs) {
  LogConfig resolved = defaults;
  for (const auto& [name, value] : configs) {
    const TopicConfig* config = find_topic_config(name);
    if (config != nullptr && config->set != nullptr) config->set(resolved, value);
  }
  return resolved;
}

}  // namespace sillok::broker
