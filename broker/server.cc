#include "broker/server.h"

#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <limits>
#include <thread>
#include <utility>

#include "broker/absolute_path.h"
#include "broker/broker_configs.h"
#include "broker/client_telemetry.h"
#include "broker/cold_reads.h"
#include "broker/data_directory.h"
#include "broker/devices.h"
#include "broker/fetch_sessions.h"
#include "broker/housekeeping.h"
#include "broker/kafka_runs.h"
#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/known_directories.h"
#include "broker/metadata/local_store.h"
#include "broker/metadata/topics.h"
#include "broker/net/listener.h"
#include "broker/open_log_dirs.h"
#include "broker/partition_moves.h"
#include "broker/partitions.h"
#include "broker/producer_ids.h"
#include "broker/resource_configs.h"
#include "broker/thread_executor.h"
#include "storage/blocking_guard.h"
#include "storage/log_dir.h"
#include "storage/meta_properties.h"
#include "storage/posix_file_system.h"
#include "storage/thread_priority.h"

namespace sillok::broker {
namespace {

// The first write of a stall may hold one reactor: with two, the others' clients go on.
constexpr std::size_t kReactorsMin = 2;

std::size_t core_count() {
  cpu_set_t affinity;
  CPU_ZERO(&affinity);
  const bool known = sched_getaffinity(0, sizeof affinity, &affinity) == 0;
  return known ? static_cast<std::size_t>(CPU_COUNT(&affinity)) : 1;
}

std::size_t reactor_count(const Config& config) {
  if (config.num_network_threads > 0) return static_cast<std::size_t>(config.num_network_threads);
  return std::max(kReactorsMin, core_count());
}

// Log files need descriptors too: connections get what is left of them.
std::int32_t connections_max(const Config& config) {
  constexpr rlim_t kReserved = 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return config.max_connections;
  const rlim_t files = static_cast<rlim_t>(config.cached_file_limit) + kReserved;
  const rlim_t left = limit.rlim_cur > 2 * files ? limit.rlim_cur - files : limit.rlim_cur / 2;
  return static_cast<std::int32_t>(std::min(left, static_cast<rlim_t>(config.max_connections)));
}

ConnectionLimits::Limits connection_limits(const Config& config) {
  return {connections_max(config), config.max_connections_per_ip, config.max_connections_of_ip};
}

// A directory that has a number keeps it, where no setting gives one.
Result<void> take_node_id(LoadedConfig& settings, storage::FileSystem& file_system) {
  for (const GivenSetting& given : settings.given) {
    if (given.name == "node.id" || given.name == "broker.id") return {};
  }
  const auto meta = TRY(storage::read_meta_properties(file_system, settings.config.log_dirs.front()));
  if (!meta) return {};
  std::vector<GivenSetting> given = settings.given;
  given.push_back({"node.id", std::to_string(meta->node_id.value),
                   protocol::ConfigSource::static_broker_config, "meta.properties", false});
  settings = TRY(resolve_config(std::move(given)));
  return {};
}

struct Opened {
  OpenLogDirs directories;
  std::unique_ptr<LocalStore> store;
  std::unique_ptr<BrokerConfigs> broker_configs;
  SettledDirectories settled;
  std::unique_ptr<KafkaTakeover> kafkas;
};

// Before any log is opened: what Kafka did since it was here last is no damage.
Result<void> find_kafkas(Opened& opened, storage::FileSystem& file_system) {
  const Config& config = opened.broker_configs->current()->config;
  std::vector<std::string> notes;
  auto found = find_kafka_takeover(file_system, config, *opened.store, notes);
  for (const std::string& note : notes) spdlog::info("{}", note);
  opened.kafkas = TRY(std::move(found));
  notes.clear();
  auto noted = note_kafka_runs(file_system, config, *opened.store, opened.directories.opened, notes);
  for (const std::string& note : notes) spdlog::warn("{}", note);
  return noted;
}

void tell_failures(const Opened& opened) {
  for (const FailedDirectory& failed : opened.directories.failed) {
    spdlog::error("the log directory {} is not used, and its partitions are offline: {}", failed.path,
                  failed.error.describe());
  }
  for (const KnownDirectory& missing : opened.settled.missing) {
    const auto is_it = [&](const FailedDirectory& one) { return absolute_path(one.path) == missing.path; };
    if (std::ranges::any_of(opened.directories.failed, is_it)) continue;
    spdlog::error(
        "a log directory of this broker is missing, and what it has is offline: directory.id {}, last seen "
        "as {}",
        missing.id.to_string(), missing.path);
  }
}

LeaderEpoch epoch_of(std::int64_t incarnation) {
  constexpr std::int64_t kEpochMax = std::numeric_limits<std::int32_t>::max();
  return LeaderEpoch(static_cast<std::int32_t>(std::min(incarnation, kEpochMax)));
}

}  // namespace

// Members are in the order in which they need each other; destruction goes the other way.
class Server::Parts {
 public:
  Parts(std::unique_ptr<storage::FileSystem> file_system, Opened opened)
      : broker_configs_(std::move(opened.broker_configs)),
        config_(broker_configs_->current()->config),
        file_system_(std::move(file_system)),
        settled_(std::move(opened.settled)),
        directories_(make_directories(config_, clock_, opened.directories.opened)),
        store_(std::move(opened.store)),
        control_("control", 1),
        io_("io", static_cast<std::size_t>(config_.io_threads), storage::ThreadPriority::background),
        devices_(devices_of(directories_)),
        partitions_(places(opened.directories), config_.num_recovery_threads),
        moving_("moves", 1, storage::ThreadPriority::background),
        moves_(partitions_, clock_, moving_, control_),
        topics_(config_, *store_, partitions_),
        resource_configs_(*store_),
        producer_ids_(*store_),
        fetch_sessions_(clock_, static_cast<std::size_t>(config_.fetch_session_slots), random_session_ids()),
        housekeeping_(config_, clock_, partitions_, directories_),
        client_telemetry_(clock_, config_.telemetry_bytes_max),
        services_{config_,     *broker_configs_, resource_configs_, clock_,   topics_,
                  partitions_, producer_ids_,    fetch_sessions_,   control_, io_,
                  partitions_, *store_,          client_telemetry_},
        budget_(config_.in_flight_bytes_max),
        limits_(connection_limits(config_)),
        cold_reads_(config_.cold_read_memory_bytes),
        environment_{services_, budget_, limits_, devices_, cold_reads_} {
    for (const auto& directory : directories_) directory->start(config_.disk_free_bytes_min);
    topics_.take_over(std::move(opened.kafkas), [this](const KafkaMetadata& metadata, auto& notes) {
      return adopt_configs(metadata, notes);
    });
    partitions_.cordon(config_.cordoned_log_dirs);
    partitions_.use(moves_);
    moves_.use(topics_);
    moves_.set_rate(config_.move_bytes_per_second);
    if (const std::int32_t most = connections_max(config_); most < config_.max_connections) {
      spdlog::warn("max.connections is {} instead of {}: the process may have no more open files", most,
                   config_.max_connections);
    }
    broker_configs_->when_changed(
        [this](const LoadedConfig& before, const LoadedConfig& now) { apply(before.config, now.config); });
    const std::size_t count = reactor_count(config_);
    for (std::size_t i = 0; i < count + 1; ++i) {
      reactors_.push_back(std::make_unique<Reactor>(i, clock_));
      slots_.push_back({reactors_.back().get(), std::make_shared<ConnectionSet>(*reactors_.back())});
    }
    environment_.replays = &slots_.back();
    // On one core, those who produce share a reactor: two that take turns cost a fifth more a request, and a
    // stalled write holds only whoever would wait for the disk anyway.
    if (count > 1 && core_count() == 1) environment_.producers = &slots_[count - 1];
  }

  ~Parts() {
    for (const auto& directory : directories_) directory->stop_journal();
  }

  Result<void> load() {
    for (const auto& directory : directories_) {
      for (const std::string& warning : directory->log_dir().warnings()) spdlog::warn("{}", warning);
    }
    TRY(resource_configs_.load());
    std::vector<std::string> notes;
    const Result<void> loaded = topics_.load(notes);
    for (const std::string& note : notes) spdlog::info("{}", note);
    if (!loaded.ok()) return loaded;
    std::vector<KnownDirectory> gone = settled_.missing;
    std::erase_if(gone, [&](const KnownDirectory& one) { return topics_.may_be_in(one.id); });
    return forget_directories(*store_, gone);
  }

  // All listeners are bound before one is served, so that a start either works or leaves nothing behind.
  Result<void> listen() {
    for (const Listener& listener : config_.listeners) {
      auto loop = std::make_shared<AcceptLoop>(listener, first_slots(), environment_);
      const Result<void> opened = loop->open();
      if (!opened.ok()) {
        if (!listener.is_default || accept_loops_.empty()) return opened.error();
        spdlog::info("not listening there: {}", opened.error().detail);
        continue;
      }
      accept_loops_.push_back(std::move(loop));
    }
    return {};
  }

  void run() {
    housekeeping_.start();
    moves_.run();
    for (const auto& loop : accept_loops_) loop->start();
    for (const auto& reactor : reactors_) {
      const bool is_for_replays = reactor.get() == environment_.replays->reactor;
      threads_.emplace_back([&reactor = *reactor, is_for_replays] {
        name_this_thread(is_for_replays ? "replays" : "reactor-" + std::to_string(reactor.index()));
        storage::set_thread_priority(is_for_replays ? storage::ThreadPriority::background
                                                    : storage::ThreadPriority::prompt);
        reactor.run();
      });
    }
  }

  Result<void> stop() {
    close_connections();
    control_.stop();
    moves_.stop_copying();
    moving_.stop();
    moves_.stop();
    if (const Result<void> closed = store_->close(); !closed.ok()) {
      spdlog::warn("metadata store: {}", closed.error().describe());
    }
    housekeeping_.stop();
    io_.stop();
    for (const auto& directory : directories_) directory->stop();
    Result<void> closed = partitions_.close();
    for (const auto& reactor : reactors_) reactor->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return closed;
  }

  std::vector<std::string> data_directories() const {
    std::vector<std::string> all;
    for (const auto& directory : directories_) all.push_back(directory->path());
    return all;
  }

  std::vector<std::string> addresses() const {
    std::vector<std::string> all;
    for (const auto& loop : accept_loops_) all.push_back(loop->address());
    return all;
  }

 private:
  using Directories = Housekeeping::Directories;

  static Directories make_directories(const Config& config, const storage::Clock& clock,
                                      std::vector<OpenedDirectory>& opened) {
    Directories directories;
    for (OpenedDirectory& one : opened)
      directories.push_back(std::make_unique<DataDirectory>(config, clock, std::move(one.log_dir)));
    return directories;
  }

  static std::vector<Device*> devices_of(const Directories& directories) {
    std::vector<Device*> devices;
    for (const auto& directory : directories) devices.push_back(&directory->device());
    return devices;
  }

  Partitions::Places places(const OpenLogDirs& opened) const {
    Partitions::Places places;
    for (std::size_t i = 0; i < directories_.size(); ++i)
      places.open.push_back({&directories_[i]->log_dir(), &directories_[i]->device(), opened.opened[i].id});
    for (const FailedDirectory& one : opened.failed) places.failed.push_back(one.path);
    for (const KnownDirectory& one : settled_.missing) places.missing.push_back(one.id);
    places.are_several = settled_.are_several;
    return places;
  }

  // On the control thread: what changes while the broker runs. The level of the log only where its setting
  // changed, since it has another way to be changed.
  void apply(const Config& before, const Config& now) {
    topics_.set_defaults(now.log_defaults);
    limits_.set(connection_limits(now));
    partitions_.cordon(now.cordoned_log_dirs);
    moves_.set_rate(now.move_bytes_per_second);
    housekeeping_.set_deletion_delay_ms(now.log_defaults.file_delete_delay_ms);
    io_.resize(static_cast<std::size_t>(now.io_threads));
    if (now.log_level != before.log_level) {
      spdlog::default_logger()->set_level(spdlog::level::from_str(now.log_level));
    }
  }

  Result<void> adopt_configs(const KafkaMetadata& metadata, std::vector<std::string>& notes) {
    const auto configs_of = [&](const std::string& name) {
      const auto found = metadata.broker_configs.find(name);
      return found == metadata.broker_configs.end() ? KafkaConfigs() : found->second;
    };
    TRY(broker_configs_->adopt(BrokerConfigs::Scope::all_brokers, configs_of(""), notes));
    return broker_configs_->adopt(BrokerConfigs::Scope::this_broker,
                                  configs_of(std::to_string(config_.node_id.value)), notes);
  }

  // Where connections begin.
  std::vector<ReactorSlot> first_slots() const {
    std::vector<ReactorSlot> first;
    for (const ReactorSlot& slot : slots_) {
      if (&slot != environment_.producers && &slot != environment_.replays) first.push_back(slot);
    }
    return first;
  }

  // On the reactors' threads, and waits for them.
  void close_connections() {
    if (threads_.empty()) return;
    std::vector<std::future<void>> done;
    for (const ReactorSlot& slot : slots_) {
      auto closed = std::make_shared<std::promise<void>>();
      done.push_back(closed->get_future());
      const bool is_first = slot.reactor->index() == 0;
      boost::asio::post(slot.reactor->context(), [this, closed, is_first, connections = slot.connections] {
        if (is_first) {
          for (const auto& loop : accept_loops_) loop->close();
        }
        connections->close_all();
        closed->set_value();
      });
    }
    for (std::future<void>& one : done) one.wait();
  }

  std::unique_ptr<BrokerConfigs> broker_configs_;
  const Config config_;  // as of the start
  const storage::Clock& clock_ = storage::system_clock();
  std::unique_ptr<storage::FileSystem> file_system_;
  const SettledDirectories settled_;
  Directories directories_;
  std::unique_ptr<LocalStore> store_;
  ThreadExecutor control_;
  ThreadExecutor io_;
  Devices devices_;
  Partitions partitions_;
  ThreadExecutor moving_;
  PartitionMoves moves_;
  Topics topics_;
  ResourceConfigs resource_configs_;
  ProducerIds producer_ids_;
  FetchSessions fetch_sessions_;
  Housekeeping housekeeping_;
  ClientTelemetry client_telemetry_;
  Services services_;
  FrameBudget budget_;
  ConnectionLimits limits_;
  ColdReads cold_reads_;
  ConnectionEnvironment environment_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<ReactorSlot> slots_;
  std::vector<std::shared_ptr<AcceptLoop>> accept_loops_;
  std::vector<std::thread> threads_;
};

Server::Server(LoadedConfig settings) : settings_(std::move(settings)) {}
Server::~Server() = default;

Result<void> Server::start() {
  const Config& config = settings_.config;
  storage::abort_on_forbidden_blocking(config.abort_on_blocking);
  auto file_system = storage::make_posix_file_system();
  TRY(take_node_id(settings_, *file_system));
  Opened opened;
  opened.directories = TRY(open_log_dirs(config, *file_system));
  const storage::LogDir& first = *opened.directories.opened.front().log_dir;
  LoadedConfig settings = settings_;
  settings.config.cluster_id = first.cluster_id();
  std::vector<std::string> notes;
  LocalStore::Options store_options{file_system.get(), &storage::system_clock(), first.path()};
  store_options.epoch = epoch_of(first.incarnation());
  opened.store = TRY(LocalStore::open(store_options, notes));
  opened.settled = TRY(settle_log_dirs(config, *file_system, *opened.store, opened.directories));
  opened.broker_configs = std::make_unique<BrokerConfigs>(std::move(settings), *opened.store);
  TRY(opened.broker_configs->load(notes));
  for (const std::string& note : notes) spdlog::warn("{}", note);
  tell_failures(opened);
  TRY(find_kafkas(opened, *file_system));
  parts_ = std::make_unique<Parts>(std::move(file_system), std::move(opened));
  Result<void> started = parts_->load();
  if (started.ok()) started = parts_->listen();
  if (started.ok()) {
    parts_->run();
    return {};
  }
  // What was opened is closed in order, so that the next start need not recover it.
  if (const auto stopped = stop(); !stopped.ok()) spdlog::warn("{}", stopped.error().describe());
  return started;
}

Result<void> Server::stop() {
  if (!parts_) return {};
  Result<void> stopped = parts_->stop();
  parts_.reset();
  return stopped;
}

std::vector<std::string> Server::addresses() const { return parts_->addresses(); }
std::vector<std::string> Server::data_directories() const { return parts_->data_directories(); }

}  // namespace sillok::broker
