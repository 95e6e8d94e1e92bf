// The broker's settings, resolved: Kafka's names and meanings; what is only ours begins with "sillok.".
// Where a setting comes from: default, file, environment (KAFKA_FOO_BAR is foo.bar), --set, and what
// AlterConfigs made of it since (of all brokers, of this one), in rising order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "protocol/messages/values.h"
#include "storage/log_config.h"

namespace sillok::broker {

// One address to listen on, and what clients are told to connect to.
struct Listener {
  std::string name;  // "PLAINTEXT", or a name of the user's that maps to it
  std::string host;  // empty: all addresses; of a Unix domain socket: its "/path" or "@name"
  std::uint16_t port = 9092;
  std::string advertised_host;
  std::uint16_t advertised_port = 0;  // 0: the port that was bound (listening on port 0 takes a free one)
  bool is_default = false;            // of the built-in pair: may fail to bind where the machine lacks IPv6
  bool is_unix = false;               // a Unix domain socket, which is advertised as unix://host and port 0
};

inline constexpr std::size_t kLogDirsMax = 256;

struct Config {
  BrokerId node_id{1};                         // node.id
  std::string cluster_id;                      // from meta.properties, or made once
  std::vector<Listener> listeners;             // listeners, advertised.listeners
  std::uint32_t unix_socket_mode = 0600;       // sillok.unix.socket.mode
  std::vector<std::string> log_dirs;           // log.dirs, log.dir; the first has the metadata
  std::vector<std::string> cordoned_log_dirs;  // cordoned.log.dirs: of log_dirs, as they stand there
  std::vector<Uuid> lost_log_dirs;             // sillok.lost.log.dirs
  std::int64_t move_bytes_per_second = storage::kForever;  // kMoveRateSetting
  std::string rack;                                        // broker.rack
  std::int32_t num_network_threads = 0;         // num.network.threads; 0: one per core of the affinity mask
  std::int32_t num_partitions = 1;              // num.partitions
  std::int16_t default_replication_factor = 1;  // default.replication.factor
  bool auto_create_topics = true;               // auto.create.topics.enable
  bool delete_topic_enable = true;              // delete.topic.enable
  storage::LogConfig log_defaults;              // log.* and write.caching
  std::int32_t num_recovery_threads = 2;        // num.recovery.threads.per.data.dir
  std::int64_t retention_check_interval_ms = 300'000;  // log.retention.check.interval.ms
  std::int64_t flush_checkpoint_interval_ms =
      5'000;                                     // log.flush.offset.checkpoint.interval.ms (Kafka: 60000)
  ByteCount checkpoint_bytes_max = 256 << 20;    // sillok.checkpoint.bytes
  std::int32_t flusher_threads = 4;              // sillok.flusher.threads
  ByteCount cold_read_memory_bytes = 128 << 20;  // sillok.cold.read.memory.bytes; -1: without limit
  ByteCount journal_bytes_max = 512 << 20;       // sillok.journal.bytes.max, per log directory; 0: none
  ByteCount unflushed_bytes_max = 1 << 30;       // sillok.unflushed.bytes.max, per log directory
  ByteCount disk_free_bytes_min = -1;            // sillok.disk.free.min.bytes; -1: kFreeSpaceKeptMax or 5 %
  // Limits of connections and requests.
  std::int32_t socket_request_max_bytes = 104'857'600;        // socket.request.max.bytes
  std::int32_t socket_send_buffer_bytes = 256 << 10;          // socket.send.buffer.bytes; -1: the kernel's
  std::int32_t socket_receive_buffer_bytes = -1;              // socket.receive.buffer.bytes
  std::int32_t listen_backlog = 512;                          // socket.listen.backlog.size (Kafka: 50)
  std::int32_t max_connections = 10'000;                      // max.connections (Kafka: no limit)
  std::int32_t max_connections_per_ip = 2'147'483'647;        // max.connections.per.ip
  std::map<std::string, std::int32_t> max_connections_of_ip;  // max.connections.per.ip.overrides
  std::int64_t connections_max_idle_ms = 600'000;             // connections.max.idle.ms
  ByteCount in_flight_bytes_max = 512 << 20;  // queued.max.request.bytes: received frames, all connections
  std::int32_t max_in_flight_per_connection = 100;  // sillok.max.in.flight.requests.per.connection
  ByteCount response_bytes_max = 64 << 20;          // sillok.unsent.bytes.max, per connection
  std::int32_t fetch_max_bytes = 57'671'680;        // fetch.max.bytes
  std::int32_t fetch_session_slots = 1000;          // max.incremental.fetch.session.cache.slots
  std::int32_t request_partition_limit = 2'000;     // max.request.partition.size.limit
  bool client_telemetry_enable = false;             // sillok.client.telemetry.enable
  std::int32_t telemetry_bytes_max = 1 << 20;       // telemetry.max.bytes
  std::int64_t frame_timeout_ms = 30'000;  // sillok.frame.timeout.ms: from first to last byte of a frame
  std::int32_t cached_file_limit = 1024;   // sillok.cached.files
  std::int32_t io_threads = 4;             // num.io.threads: cold reads and other blocking work
  bool allow_remote_plaintext = false;     // sillok.allow.remote.plaintext
  bool abort_on_blocking = false;          // sillok.debug.abort.on.blocking
  std::string log_level = "info";          // sillok.log.level
  // Taking over from Apache Kafka.
  std::string metadata_log_dir;          // metadata.log.dir
  bool adopt_incomplete_topics = false;  // sillok.adopt.incomplete.topics
};

using NameValue = std::pair<std::string, std::string>;

struct ConfigSources {
  std::string file;                    // server.properties; empty: none
  std::vector<NameValue> environment;  // KAFKA_* variables
  std::vector<NameValue> overrides;    // --set
};

// One value as it was given.
struct GivenSetting {
  std::string name;
  std::string value;
  protocol::ConfigSource source;  // static_broker_config, or one of the two dynamic ones
  std::string place;              // for people: "server.properties, line 3"
  bool is_variable = false;       // of the environment, where many an image has others that begin like ours
};

struct LoadedConfig {
  Config config;
  std::vector<GivenSetting> given;  // by name, the strongest first; of the static sources one a name
  std::vector<std::string> notes;   // one line per known name that has no effect here
};

// What the sources say, not judged yet. Errc::invalid_config where the file does not read.
Result<std::vector<GivenSetting>> read_sources(const ConfigSources& sources);
// `given` in any order. Errc::invalid_config with every fault in it, one a line, each naming the setting, its
// place and the fix; unknown names come with the nearest known one.
Result<LoadedConfig> resolve_config(std::vector<GivenSetting> given);
// Both.
Result<LoadedConfig> load_config(const ConfigSources& sources);

// Every setting: name, type, default, unit, effect; what `sillokd --help-config` prints.
std::string describe_settings();

// KAFKA_FOO_BAR is foo.bar, __ is _, ___ is -. Empty where the variable is none of ours.
std::string setting_name_of_environment_variable(std::string_view variable);

}  // namespace sillok::broker
