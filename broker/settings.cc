#include "broker/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "broker/topic_config.h"

namespace sillok::broker {
namespace {

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

// A setting that is a member of Config.
template <auto Member>
constexpr Setting of(std::string_view name, ValueRange range, std::string_view doc,
                     std::string_view choices = {}) {
  using Value = std::remove_cvref_t<decltype(Config{}.*Member)>;
  constexpr ValueType kType = std::is_same_v<Value, bool>           ? ValueType::boolean
                              : std::is_same_v<Value, std::string>  ? ValueType::text
                              : std::is_same_v<Value, std::int16_t> ? ValueType::int16
                              : std::is_same_v<Value, std::int32_t> || std::is_same_v<Value, BrokerId>
                                  ? ValueType::int32
                                  : ValueType::int64;
  return {name,
          {kType, range, choices},
          doc,
          [](Config& config, std::string_view value) {
            if constexpr (std::is_same_v<Value, bool>) {
              config.*Member = parse_boolean(value).value_or(config.*Member);
            } else if constexpr (std::is_same_v<Value, std::string>) {
              config.*Member = std::string(trim(value));
            } else if constexpr (std::is_same_v<Value, BrokerId>) {
              config.*Member = BrokerId(static_cast<std::int32_t>(parse_integer(value).value_or(0)));
            } else {
              config.*Member = static_cast<Value>(parse_integer(value).value_or(config.*Member));
            }
          },
          [](const Config& config) -> std::string {
            if constexpr (std::is_same_v<Value, BrokerId>) {
              return fmt::format("{}", (config.*Member).value);
            } else {
              return fmt::format("{}", config.*Member);
            }
          },
          {},
          {}};
}

constexpr Setting live(Setting setting) {
  setting.update = Update::live;
  return setting;
}

// Kafka's type, where the member is wider.
constexpr Setting as_int(Setting setting) {
  setting.rule.type = ValueType::int32;
  return setting;
}

// A setting that gives the default of a topic config, in the same unit. All of them change at run time.
constexpr Setting topic_default(std::string_view name, std::string_view topic_config) {
  return {name, {}, {}, nullptr, nullptr, {}, topic_config, Update::live};
}

// A setting that config.cc resolves.
constexpr Setting resolved(std::string_view name, ValueType type, ValueRange range,
                           std::optional<std::string_view> default_text, std::string_view doc) {
  return {name, {type, range, {}}, doc, nullptr, nullptr, default_text, {}};
}

constexpr Setting producer_id_expiration() {
  return {
      "producer.id.expiration.ms",
      {ValueType::int32, at_least(1), {}},
      "How long, in ms, an idempotent producer that is silent is remembered.",
      [](Config& config, std::string_view value) {
        std::int32_t& member = config.log_defaults.producer_id_expiration_ms;
        member = static_cast<std::int32_t>(parse_integer(value).value_or(member));
      },
      [](const Config& config) { return fmt::format("{}", config.log_defaults.producer_id_expiration_ms); }};
}

// By name; a test holds it to that.
constexpr Setting kSettings[] = {
    resolved(
        "advertised.listeners", ValueType::list, {}, {},
        "What clients are told to connect to, as NAME://host:port, where it is not the listener itself."),
    resolved("authorizer.class.name", ValueType::text, {}, "",
             "The class that decides who may do what. There is none: everybody may do everything."),
    of<&Config::auto_create_topics>("auto.create.topics.enable", {},
                                    "Whether a client that asks for a topic makes it."),
    resolved("broker.id", ValueType::int32, {0, kInt32Max}, {}, "The older name of node.id."),
    of<&Config::rack>("broker.rack", {}, "The rack of this broker, as metadata answers name it."),
    topic_default("compression.gzip.level", "compression.gzip.level"),
    topic_default("compression.lz4.level", "compression.lz4.level"),
    topic_default("compression.type", "compression.type"),
    topic_default("compression.zstd.level", "compression.zstd.level"),
    of<&Config::connections_max_idle_ms>(
        "connections.max.idle.ms", at_least(-1),
        "How long, in ms, a connection may be idle before it is closed; -1 is for ever."),
    live(resolved("cordoned.log.dirs", ValueType::list, {}, "",
                  "Those of log.dirs that get no partitions, neither new ones nor by a move; * is all.")),
    as_int(of<&Config::default_replication_factor>("default.replication.factor", {1, 1},
                                                   "Replicas of a topic that is made without a count.")),
    of<&Config::delete_topic_enable>("delete.topic.enable", {}, "Whether topics can be deleted."),
    of<&Config::fetch_max_bytes>(
        "fetch.max.bytes", at_least(1024),
        "Bytes of the largest answer to a fetch, but for a first batch that is larger."),
    resolved(
        "listener.security.protocol.map", ValueType::text, {}, "PLAINTEXT:PLAINTEXT,UNIX:UNIX",
        "The protocol of each listener name, as NAME:PROTOCOL. Only PLAINTEXT is available, and UNIX for "
        "Unix domain sockets."),
    resolved(
        "listeners", ValueType::list, {}, "PLAINTEXT://127.0.0.1:9092,PLAINTEXT://[::1]:9092",
        "Addresses to listen on, as NAME://host:port. An address that is not of this machine alone needs "
        "sillok.allow.remote.plaintext=true. For processes of this machine, UNIX:///path is a Unix domain "
        "socket "
        "(sillok.unix.socket.mode says whose), and UNIX://@name one that has no file and is open to all "
        "users, as "
        "127.0.0.1 is."),
    topic_default("log.cleanup.policy", "cleanup.policy"),
    resolved("log.dir", ValueType::list, {}, {}, "The older name of log.dirs."),
    resolved("log.dirs", ValueType::list, {}, "./data",
             "The directories of the data. The first has the metadata too; a new partition comes to the one "
             "with the fewest."),
    topic_default("log.flush.interval.messages", "flush.messages"),
    topic_default("log.flush.interval.ms", "flush.ms"),
    as_int(of<&Config::flush_checkpoint_interval_ms>(
        "log.flush.offset.checkpoint.interval.ms", at_least(0),
        "How often, in ms, the recovery points are written, which bound the work "
        "after a crash.")),
    topic_default("log.index.interval.bytes", "index.interval.bytes"),
    topic_default("log.index.size.max.bytes", "segment.index.bytes"),
    topic_default("log.message.timestamp.after.max.ms", "message.timestamp.after.max.ms"),
    topic_default("log.message.timestamp.before.max.ms", "message.timestamp.before.max.ms"),
    topic_default("log.message.timestamp.type", "message.timestamp.type"),
    topic_default("log.preallocate", "preallocate"),
    topic_default("log.retention.bytes", "retention.bytes"),
    of<&Config::retention_check_interval_ms>("log.retention.check.interval.ms", at_least(1),
                                             "How often, in ms, old segments are looked for."),
    resolved(
        "log.retention.hours", ValueType::int32, at_least(-1), "168",
        "How long, in hours, segments are kept; log.retention.minutes and log.retention.ms come before it."),
    resolved("log.retention.minutes", ValueType::int32, at_least(-1), {},
             "How long, in minutes, segments are kept; log.retention.ms comes before it."),
    live(resolved("log.retention.ms", ValueType::int64, at_least(-1), {},
                  "How long, in ms, segments are kept; -1 is for ever.")),
    resolved("log.roll.hours", ValueType::int32, {1, kInt32Max}, "168",
             "Hours of record time that a segment holds; log.roll.ms comes before it."),
    resolved("log.roll.jitter.hours", ValueType::int32, {0, kInt32Max}, "0",
             "The most, in hours, that is taken off log.roll.hours by chance; log.roll.jitter.ms comes "
             "before it."),
    live(resolved("log.roll.jitter.ms", ValueType::int64, at_least(0), {},
                  "The most, in ms, that is taken off log.roll.ms by chance.")),
    live(resolved("log.roll.ms", ValueType::int64, at_least(1), {},
                  "Milliseconds of record time that a segment holds.")),
    topic_default("log.segment.bytes", "segment.bytes"),
    topic_default("log.segment.delete.delay.ms", "file.delete.delay.ms"),
    live(of<&Config::max_connections>("max.connections", at_least(0), "Connections at a time.")),
    live(of<&Config::max_connections_per_ip>("max.connections.per.ip", at_least(0),
                                             "Connections at a time from one address.")),
    live(resolved("max.connections.per.ip.overrides", ValueType::text, {}, "",
                  "Connections at a time from addresses that have a limit of their own, as ADDRESS:COUNT.")),
    of<&Config::fetch_session_slots>(
        "max.incremental.fetch.session.cache.slots", at_least(0),
        "Fetch sessions at a time; clients without one send all their partitions with each fetch."),
    of<&Config::request_partition_limit>(
        "max.request.partition.size.limit", at_least(1),
        "Partitions that one answer to DescribeTopicPartitions describes, at most."),
    topic_default("message.max.bytes", "max.message.bytes"),
    of<&Config::metadata_log_dir>(
        "metadata.log.dir", {},
        "Where an Apache Kafka that ran on log.dirs had its metadata, if not there; it is only read."),
    topic_default("min.insync.replicas", "min.insync.replicas"),
    of<&Config::node_id>("node.id", {0, kInt32Max}, "The number of this broker in its cluster."),
    live(of<&Config::io_threads>("num.io.threads", {1, 256}, "Threads for reads that wait for the disk.")),
    of<&Config::num_network_threads>(
        "num.network.threads", {0, 256},
        "Threads that serve connections; 0 is one per core of the CPU affinity mask."),
    of<&Config::num_partitions>("num.partitions", {1, 10'000},
                                "Partitions of a topic that is made without a count."),
    live(of<&Config::num_recovery_threads>("num.recovery.threads.per.data.dir", {1, 256},
                                           "Threads that open the logs at the next start.")),
    live(producer_id_expiration()),
    of<&Config::in_flight_bytes_max>(
        "queued.max.request.bytes", at_least(-1),
        "Bytes of requests that are being received or served, over all connections; past "
        "them, reading stops. -1 is without limit."),
    of<&Config::adopt_incomplete_topics>("sillok.adopt.incomplete.topics", {},
                                         "Whether topics of an Apache Kafka are taken over of which some "
                                         "partitions are not in log.dirs (these are "
                                         "offline then), or not in sync there."),
    of<&Config::allow_remote_plaintext>(
        "sillok.allow.remote.plaintext", {},
        "Whether a listener without TLS and authentication may be reached from other "
        "machines: anybody who reaches it can read, write and delete everything."),
    of<&Config::cached_file_limit>(
        "sillok.cached.files", {16, 1'000'000},
        "Files of segments that are kept open though nothing is appended to them."),
    of<&Config::checkpoint_bytes_max>(
        "sillok.checkpoint.bytes", at_least(1 << 20),
        "Bytes appended over all partitions, after which the recovery points are written."),
    of<&Config::client_telemetry_enable>("sillok.client.telemetry.enable", {},
                                         "Whether clients are offered to send their own metrics (KIP-714). "
                                         "Nothing asks them for any yet, and what "
                                         "they send all the same is dropped."),
    of<&Config::cold_read_memory_bytes>(
        "sillok.cold.read.memory.bytes", at_least(-1),
        "Bytes of page cache that reads of data which was not in memory may fill, before the oldest of it is "
        "given back; -1: nothing is given back."),
    of<&Config::abort_on_blocking>(
        "sillok.debug.abort.on.blocking", {},
        "Whether the process aborts where a thread that serves connections waits for the disk."),
    of<&Config::disk_free_bytes_min>("sillok.disk.free.min.bytes", at_least(-1),
                                     "Bytes of the file system of log.dirs that stay free: with less, "
                                     "records are refused, and all else goes "
                                     "on. 0 is none; -1 is 5 % of it, but no more than 1 GiB."),
    of<&Config::flusher_threads>("sillok.flusher.threads", {1, 256}, "Threads that flush to the disk."),
    of<&Config::frame_timeout_ms>("sillok.frame.timeout.ms", at_least(1),
                                  "How long, in ms, a request may take from its first to its last byte."),
    of<&Config::journal_bytes_max>(
        "sillok.journal.bytes.max", at_least(0),
        "Bytes of the commit journal of a log directory: files beside the partitions that make acks=all "
        "durable "
        "with one write for all of them, and are gone after a clean stop. Made in steps of 32 MiB as need "
        "arises. 0 is none: each partition's own files are synced."),
    live(of<&Config::log_level>("sillok.log.level", {}, "What is logged: this and everything graver.",
                                "trace|debug|info|warning|error")),
    resolved("sillok.lost.log.dirs", ValueType::list, {}, "",
             "The directory.id of each log directory that will never come back: the partitions that were in "
             "it are made anew, empty."),
    of<&Config::max_in_flight_per_connection>("sillok.max.in.flight.requests.per.connection", {1, 10'000},
                                              "Requests of one connection that are served at the same time."),
    of<&Config::unflushed_bytes_max>(
        "sillok.unflushed.bytes.max", at_least(1 << 20),
        "Bytes in a log directory that wait for their flush, past which producers wait."),
    resolved(
        "sillok.unix.socket.mode", ValueType::text, {}, "0600",
        "The octal mode of the files of Unix domain sockets: whoever may write to one may connect. 0600 is "
        "the user of the server and root, 0660 the group too."),
    of<&Config::response_bytes_max>(
        "sillok.unsent.bytes.max", at_least(1 << 20),
        "Bytes of answers that wait to be sent on a connection, past which its requests wait."),
    of<&Config::listen_backlog>("socket.listen.backlog.size", {1, 65'535},
                                "Connections that the kernel holds before they are accepted."),
    of<&Config::socket_receive_buffer_bytes>(
        "socket.receive.buffer.bytes", at_least(-1),
        "Bytes of a socket's receive buffer; -1 is the kernel's choice."),
    of<&Config::socket_request_max_bytes>("socket.request.max.bytes", at_least(1024),
                                          "Bytes of the largest request."),
    of<&Config::socket_send_buffer_bytes>(
        "socket.send.buffer.bytes", at_least(-1),
        "Bytes of a socket's send buffer: more for consumers that are far away. -1 is the "
        "kernel's choice, which is large where many read much: their answers then leave the processor's "
        "caches."),
    of<&Config::telemetry_bytes_max>("telemetry.max.bytes", at_least(1),
                                     "Bytes of metrics that a client may send at once."),
    topic_default("write.caching", "write.caching"),
};

// Both tables, with what topic_default() leaves out.
std::vector<Setting> complete_settings() {
  std::vector<Setting> all(std::begin(kSettings), std::end(kSettings));
  for (Setting& setting : all) {
    const TopicConfig* topic_config = find_topic_config(setting.topic_config);
    if (topic_config == nullptr) continue;
    setting.rule = topic_config->rule;
    setting.doc = topic_config->doc;
  }
  const auto without_effect = settings_without_effect();
  all.insert(all.end(), without_effect.begin(), without_effect.end());
  std::ranges::sort(all, {}, &Setting::name);
  return all;
}

std::string describe(const Setting& setting) {
  std::string line = fmt::format("{} ({}", setting.name, to_string(setting.rule.type));
  if (const auto value = default_value(setting))
    line += fmt::format(", default {}", value->empty() ? "empty" : *value);
  if (const std::string range = describe_range(setting.rule); !range.empty())
    line += fmt::format(", {}", range);
  if (setting.update == Update::live) line += ", live";
  return line + fmt::format(")\n    {}\n", setting.doc);
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> all = complete_settings();
  return all;
}

const Setting* find_setting(std::string_view name) {
  const auto all = settings();
  const auto found = std::ranges::lower_bound(all, name, {}, &Setting::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::optional<std::string> setting_value(const LoadedConfig& settings, std::string_view name) {
  const auto given = std::ranges::lower_bound(settings.given, name, {}, &GivenSetting::name);
  if (given != settings.given.end() && given->name == name) return given->value;
  const Setting* setting = find_setting(name);
  return setting == nullptr ? std::nullopt : default_value(*setting);
}

std::optional<std::string> default_value(const Setting& setting) {
  if (setting.text != nullptr) {
    std::string text = setting.text(Config{});
    return text.empty() ? std::nullopt : std::optional(std::move(text));
  }
  if (const TopicConfig* topic_config = find_topic_config(setting.topic_config)) {
    return topic_config->text != nullptr ? topic_config->text(Config{}.log_defaults)
                                         : std::string(topic_config->kept_default);
  }
  if (!setting.default_text) return std::nullopt;
  return std::string(*setting.default_text);
}

std::optional<std::string> setting_fault(const Setting& setting, std::string_view value) {
  if (auto fault = value_fault(setting.rule, value)) return fault;
  if (setting.name == "authorizer.class.name" && !trim(value).empty()) {
    return "authorization is not available; without this setting everybody may do everything";
  }
  if (setting.topic_config.empty()) return std::nullopt;
  return topic_config_fault(setting.topic_config, value);
}

std::string describe_settings() {
  std::string text =
      "Settings, from a file of name=value lines, from environment variables (KAFKA_LOG_DIRS is log.dirs) "
      "and from\n"
      "--set name=value; the later ones win. \"Live\" ones can be altered while the broker runs.\n\n";
  for (const Setting& setting : settings()) {
    if (setting.has_effect) text += describe(setting);
  }
  text += "\nKnown from Apache Kafka, and without effect here:\n";
  for (const Setting& setting : settings_without_effect()) {
    text += fmt::format("    {}: {}\n", setting.name, setting.doc);
  }
  text += "\nOf other versions of Apache Kafka, and without effect here:\n";
  for (std::string_view name : foreign_settings()) {
    text += fmt::format("    {}{}\n", name, name.ends_with('.') ? "*" : "");
  }
  return text;
}

}  // namespace sillok::broker
