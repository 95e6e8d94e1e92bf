#include "broker/server.h"

#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <limits>
#include <thread>
#include <utility>

#include "broker/broker_configs.h"
#include "broker/client_telemetry.h"
#include "broker/cold_reads.h"
#include "broker/device.h"
#include "broker/fetch_sessions.h"
#include "broker/housekeeping.h"
#include "broker/metadata/kafka_takeover.h"
#include "broker/metadata/local_store.h"
#include "broker/metadata/topics.h"
#include "broker/net/listener.h"
#include "broker/partitions.h"
#include "broker/producer_ids.h"
#include "broker/resource_configs.h"
#include "broker/thread_executor.h"
#include "storage/blocking_guard.h"
#include "storage/flusher.h"
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

storage::LogDirOptions log_dir_options(const Config& config, storage::FileSystem& file_system) {
  storage::LogDirOptions options;
  options.file_system = &file_system;
  options.clock = &storage::system_clock();
  options.path = config.log_dirs.front();
  options.cluster_id = config.cluster_id;
  options.node_id = config.node_id;
  options.cached_file_limit = static_cast<std::size_t>(config.cached_file_limit);
  options.journal_size_max = config.journal_bytes_max;
  return options;
}

// A predecessor that was killed may hold its lock while its last thread is in an fdatasync.
constexpr std::chrono::seconds kLockWait{5};
constexpr std::chrono::milliseconds kLockRetryDelay{50};

Result<std::unique_ptr<storage::LogDir>> open_log_dir(const storage::LogDirOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + kLockWait;
  for (bool is_first = true;; is_first = false) {
    auto opened = storage::LogDir::open(options);
    const bool is_locked = !opened.ok() && opened.error().code == Errc::lock_held;
    if (!is_locked || std::chrono::steady_clock::now() >= deadline) return opened;
    if (is_first)
      spdlog::info("{}: locked by another process; waiting {} s for it", options.path, kLockWait.count());
    std::this_thread::sleep_for(kLockRetryDelay);
  }
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

LeaderEpoch epoch_of(std::int64_t incarnation) {
  constexpr std::int64_t kEpochMax = std::numeric_limits<std::int32_t>::max();
  return LeaderEpoch(static_cast<std::int32_t>(std::min(incarnation, kEpochMax)));
}

}  // namespace

// Members are in the order in which they need each other; destruction goes the other way.
class Server::Parts {
 public:
  Parts(std::unique_ptr<storage::FileSystem> file_system, std::unique_ptr<storage::LogDir> log_dir,
        std::unique_ptr<LocalStore> store, std::unique_ptr<BrokerConfigs> broker_configs)
      : broker_configs_(std::move(broker_configs)),
        config_(broker_configs_->current()->config),
        file_system_(std::move(file_system)),
        log_dir_(std::move(log_dir)),
        store_(std::move(store)),
        flusher_(static_cast<std::size_t>(config_.flusher_threads), clock_),
        control_("control", 1),
        writer_("writer", 1, storage::ThreadPriority::prompt),
        io_("io", static_cast<std::size_t>(config_.io_threads), storage::ThreadPriority::background),
        device_(clock_, flusher_, writer_, config_.unflushed_bytes_max),
        partitions_(*log_dir_, device_, config_.num_recovery_threads),
        topics_(config_, *store_, partitions_),
        resource_configs_(*store_),
        producer_ids_(*store_),
        fetch_sessions_(clock_, static_cast<std::size_t>(config_.fetch_session_slots), random_session_ids()),
        housekeeping_(config_, clock_, partitions_, device_, *log_dir_),
        client_telemetry_(clock_, config_.telemetry_bytes_max),
        services_{config_,     *broker_configs_, resource_configs_, clock_,   topics_,
                  partitions_, producer_ids_,    fetch_sessions_,   control_, io_,
                  partitions_, *store_,          client_telemetry_},
        budget_(config_.in_flight_bytes_max),
        limits_(connection_limits(config_)),
        cold_reads_(config_.cold_read_memory_bytes),
        environment_{services_, budget_, limits_, device_, cold_reads_} {
    log_dir_->journal().start(flusher_, clock_);
    device_.use(log_dir_->journal());
    device_.space().watch(log_dir_->path(), config_.disk_free_bytes_min,
                          [this] { return log_dir_->space(); });
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

  ~Parts() { log_dir_->journal().stop(); }

  Result<void> load() {
    for (const std::string& warning : log_dir_->warnings()) spdlog::warn("{}", warning);
    TRY(resource_configs_.load());
    std::vector<std::string> notes;
    const Result<void> loaded = load_topics(notes);
    for (const std::string& note : notes) spdlog::info("{}", note);
    return loaded;
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
    if (const Result<void> closed = store_->close(); !closed.ok()) {
      spdlog::warn("metadata store: {}", closed.error().describe());
    }
    housekeeping_.stop();
    io_.stop();
    writer_.stop();
    log_dir_->journal().stop();
    flusher_.stop();
    Result<void> closed = partitions_.close();
    for (const auto& reactor : reactors_) reactor->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return closed;
  }

  std::vector<std::string> addresses() const {
    std::vector<std::string> all;
    for (const auto& loop : accept_loops_) all.push_back(loop->address());
    return all;
  }

 private:
  // On the control thread: what changes while the broker runs. The level of the log only where its setting
  // changed, since it has another way to be changed.
  void apply(const Config& before, const Config& now) {
    topics_.set_defaults(now.log_defaults);
    limits_.set(connection_limits(now));
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

  Result<void> load_topics(std::vector<std::string>& notes) {
    auto kafkas = TRY(find_kafka_takeover(*file_system_, config_, *store_, notes));
    topics_.take_over(std::move(kafkas), [this](const KafkaMetadata& metadata, auto& adoption_notes) {
      return adopt_configs(metadata, adoption_notes);
    });
    return topics_.load(notes);
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
  std::unique_ptr<storage::LogDir> log_dir_;
  std::unique_ptr<LocalStore> store_;
  storage::Flusher flusher_;
  ThreadExecutor control_;
  ThreadExecutor writer_;
  ThreadExecutor io_;
  Device device_;
  Partitions partitions_;
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
  auto log_dir = TRY(open_log_dir(log_dir_options(config, *file_system)));
  LoadedConfig settings = settings_;
  settings.config.cluster_id = log_dir->cluster_id();
  std::vector<std::string> notes;
  LocalStore::Options store_options{file_system.get(), &storage::system_clock(), log_dir->path()};
  store_options.epoch = epoch_of(log_dir->incarnation());
  auto store = TRY(LocalStore::open(store_options, notes));
  auto broker_configs = std::make_unique<BrokerConfigs>(std::move(settings), *store);
  TRY(broker_configs->load(notes));
  for (const std::string& note : notes) spdlog::warn("{}", note);
  parts_ = std::make_unique<Parts>(std::move(file_system), std::move(log_dir), std::move(store),
                                   std::move(broker_configs));
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
const std::string& Server::data_directory() const { return settings_.config.log_dirs.front(); }

}  // namespace sillok::broker
