#include "broker/partitions.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "broker/thread_executor.h"

namespace sillok::broker {
namespace {

constexpr LeaderEpoch kLeaderEpochMax{std::numeric_limits<std::int32_t>::max()};
// For what mostly waits for the disk.
constexpr std::int32_t kWaitingThreads = 16;
// For what does nothing else.
constexpr std::int32_t kSyncingThreads = 64;
// Each has two files open until they are synced.
constexpr std::size_t kCreationsAtATime = 64;

// As Kafka tells the paths of log directories.
std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

storage::TopicPartition name_of(const PartitionHost::Opening& opening) {
  return {opening.topic, opening.partition};
}

// Calls `work(i)` for 0 to count - 1 on up to `thread_count` threads.
template <class Work>
void in_parallel(std::size_t count, std::int32_t thread_count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::thread> helpers;
  const auto helper_count = std::min<std::size_t>(static_cast<std::size_t>(std::max(thread_count, 1)), count);
  try {
    for (std::size_t i = 1; i < helper_count; ++i) helpers.emplace_back(run);
  } catch (const std::system_error& error) {
    spdlog::warn("{} threads instead of {}: {}", helpers.size() + 1, helper_count, error.what());
  }
  run();
  for (std::thread& helper : helpers) helper.join();
}

// The same with work that can fail: the first failure, after which no more is begun.
template <class Work>
Result<void> try_in_parallel(std::size_t count, std::int32_t thread_count, const Work& work) {
  std::mutex mutex;  // guards `failure`
  std::optional<Error> failure;
  std::atomic<bool> has_failed{false};
  in_parallel(count, thread_count, [&](std::size_t i) {
    if (has_failed) return;
    Result<void> done = work(i);
    if (done.ok()) return;
    has_failed = true;
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(done).error();
  });
  if (failure) return *std::move(failure);
  return {};
}

}  // namespace

std::shared_ptr<const Partitions::Table> Partitions::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

Partitions::Lookup Partitions::look_up(const Topic& topic, PartitionIndex partition) {
  const auto index = static_cast<std::size_t>(partition.value);
  if (partition.value < 0 || index >= topic.partitions.size()) {
    return {Lookup::State::unknown_partition, nullptr};
  }
  const std::shared_ptr<Partition>& found = topic.partitions[index];
  if (!found) return {Lookup::State::offline, nullptr};
  return {Lookup::State::found, found};
}

Partitions::Lookup Partitions::find(std::string_view topic, PartitionIndex partition) const {
  const std::shared_ptr<const Table> now = table();
  const auto found = now->by_name.find(topic);
  return found == now->by_name.end() ? Lookup{} : look_up(*found->second, partition);
}

Partitions::Lookup Partitions::find(const TopicId& topic, PartitionIndex partition) const {
  const std::shared_ptr<const Table> now = table();
  const auto found = now->by_id.find(topic);
  return found == now->by_id.end() ? Lookup{} : look_up(*found->second, partition);
}

std::vector<std::shared_ptr<Partition>> Partitions::all() const {
  const std::shared_ptr<const Table> now = table();
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const auto& [name, topic] : now->by_name) {
    for (const std::shared_ptr<Partition>& partition : topic->partitions) {
      if (partition) partitions.push_back(partition);
    }
  }
  return partitions;
}

bool Partitions::have_fine_retention() const {
  const std::shared_ptr<const Table> now = table();
  for (const auto& [name, topic] : now->by_name) {
    for (const std::shared_ptr<Partition>& partition : topic->partitions) {
      if (partition && partition->has_fine_retention()) return true;
    }
  }
  return false;
}

PartitionsView::State Partitions::state(std::string_view topic, PartitionIndex partition) const {
  const Lookup found = find(topic, partition);
  if (!found.partition) return {};
  return {found.partition->leader_epoch(), found.partition->is_online()};
}

Result<std::vector<PartitionHost::Found>> Partitions::find() {
  std::vector<Found> found;
  for (storage::FoundPartition& partition : TRY(log_dir_.find_partitions())) {
    found.push_back({std::move(partition.name.topic), partition.name.partition, partition.topic_id});
  }
  return found;
}

Partitions::Opened Partitions::open_one(const Opening& opening) {
  const Result<bool> completed = log_dir_.complete_creation(name_of(opening), opening.topic_id);
  if (!completed.ok()) {
    spdlog::error("partition {}-{} is offline: {}", opening.topic, opening.partition.value,
                  completed.error().describe());
    return {&opening, nullptr};
  }
  if (*completed)
    spdlog::warn("{}-{}: its creation was interrupted, and is complete now", opening.topic,
                 opening.partition.value);
  storage::RecoveryReport report;
  Result<std::unique_ptr<storage::Log>> log = log_dir_.open_log(name_of(opening), opening.config, report);
  for (const std::string& note : report.notes)
    spdlog::warn("{}-{}: {}", opening.topic, opening.partition.value, note);
  if (!log.ok()) {
    spdlog::error("partition {}-{} is offline: {}", opening.topic, opening.partition.value,
                  log.error().describe());
    return {&opening, nullptr};
  }
  if ((*log)->health() == storage::LogHealth::degraded) {
    spdlog::error(
        "partition {}-{} is damaged: it takes no records, and serves what lies before and after the damage",
        opening.topic, opening.partition.value);
  }
  auto partition = std::make_shared<Partition>(opening.topic, opening.partition, std::move(log).value(),
                                               device_, opening.config);
  return {&opening, std::move(partition), report.was_clean};
}

// After an unclean stop a new epoch tells clients to check what they have read (KIP-320).
bool Partitions::begin_to_lead(const Opened& opened) {
  Partition& partition = *opened.partition;
  const LeaderEpoch least = opened.opening->leader_epoch_min;
  const LeaderEpoch latest = partition.log().latest_leader_epoch();
  const bool same_epoch = (opened.was_clean && latest > kNoLeaderEpoch) || latest == kLeaderEpochMax;
  const LeaderEpoch epoch = std::max(same_epoch ? latest : LeaderEpoch(latest.value + 1), least);
  Result<void> led = partition.lead(epoch);
  if (!led.ok() && led.error().code == Errc::no_space && latest >= least) {
    spdlog::warn("{}-{}: no room to begin a new leader epoch; it goes on with {}", partition.topic(),
                 partition.index().value, latest.value);
    led = partition.lead(latest);
  }
  if (led.ok()) return true;
  spdlog::error("partition {}-{} is offline: {}", partition.topic(), partition.index().value,
                led.error().describe());
  return false;
}

Result<void> Partitions::open(const std::vector<Opening>& partitions) {
  std::vector<Opened> opened(partitions.size());
  in_parallel(partitions.size(), recovery_threads_,
              [&](std::size_t i) { opened[i] = open_one(partitions[i]); });
  // New epochs are made durable, which are waits that go well together.
  in_parallel(opened.size(), log_dir_.was_clean() ? recovery_threads_ : kWaitingThreads, [&](std::size_t i) {
    std::shared_ptr<Partition>& partition = opened[i].partition;
    if (partition && !begin_to_lead(opened[i])) partition = nullptr;
  });
  if (!log_dir_.was_clean() && !partitions.empty())
    spdlog::warn("the last stop was not clean: {} partitions were recovered", partitions.size());
  publish(opened);
  return {};
}

Result<void> Partitions::create(const std::vector<Opening>& partitions) {
  std::vector<Opened> opened(partitions.size());
  for (std::size_t first = 0; first < partitions.size(); first += kCreationsAtATime) {
    const std::size_t count = std::min(kCreationsAtATime, partitions.size() - first);
    TRY(create_some(std::span(partitions).subspan(first, count), std::span(opened).subspan(first, count)));
  }
  TRY(log_dir_.sync_folder_names());
  publish(opened);
  return {};
}

Result<void> Partitions::create_some(std::span<const Opening> openings, std::span<Opened> opened) {
  std::vector<storage::LogCreation> begun(openings.size());
  TRY(try_in_parallel(openings.size(), recovery_threads_, [&](std::size_t i) -> Result<void> {
    const Opening& one = openings[i];
    begun[i] = TRY(log_dir_.begin_log(name_of(one), one.topic_id, one.config, one.leader_epoch_min));
    return {};
  }));
  // All of them wait for the same few commits of the file system's journal.
  TRY(try_in_parallel(begun.size(), kSyncingThreads, [&](std::size_t i) { return begun[i].sync(); }));
  for (std::size_t i = 0; i < openings.size(); ++i) {
    const Opening& one = openings[i];
    auto partition =
        std::make_shared<Partition>(one.topic, one.partition, begun[i].take(), device_, one.config);
    TRY(partition->lead(one.leader_epoch_min));
    opened[i] = {&one, std::move(partition)};
  }
  return {};
}

void Partitions::publish(const std::vector<Opened>& opened) {
  auto next = std::make_shared<Table>(*table());
  std::unordered_map<std::string, std::shared_ptr<Topic>> changed;
  for (const Opened& one : opened) {
    std::shared_ptr<Topic>& topic = changed[one.opening->topic];
    if (!topic) {
      const auto before = next->by_name.find(one.opening->topic);
      topic = before == next->by_name.end() ? std::make_shared<Topic>()
                                            : std::make_shared<Topic>(*before->second);
      topic->id = one.opening->topic_id;
    }
    const auto index = static_cast<std::size_t>(one.opening->partition.value);
    if (topic->partitions.size() <= index) topic->partitions.resize(index + 1);
    topic->partitions[index] = one.partition;
  }
  for (const auto& [name, topic] : changed) {
    next->by_name[name] = topic;
    next->by_id[topic->id] = topic;
  }
  const std::lock_guard lock(mutex_);
  table_ = std::move(next);
}

Result<void> Partitions::remove(const std::string& topic, PartitionIndex partition) {
  const Lookup found = find(topic, partition);
  auto next = std::make_shared<Table>(*table());
  if (const auto entry = next->by_name.find(topic); entry != next->by_name.end()) {
    auto changed = std::make_shared<Topic>(*entry->second);
    const auto index = static_cast<std::size_t>(partition.value);
    if (index < changed->partitions.size()) changed->partitions[index] = nullptr;
    const bool is_last = std::none_of(changed->partitions.begin(), changed->partitions.end(),
                                      [](const auto& one) { return one != nullptr; });
    if (is_last) {
      next->by_id.erase(changed->id);
      next->by_name.erase(entry);
    } else {
      next->by_id[changed->id] = changed;
      entry->second = changed;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    table_ = std::move(next);
  }
  if (found.partition) {
    found.partition->stop(protocol::ErrorCode::unknown_topic_or_partition);
    found.partition->log().retire();
  }
  return log_dir_.delete_log({topic, partition});
}

void Partitions::set_config(const std::string& topic, PartitionIndex partition,
                            const storage::LogConfig& config) {
  if (const Lookup found = find(topic, partition); found.partition) found.partition->set_config(config);
}

Result<void> Partitions::write_checkpoints() { return write_checkpoints(all()); }

Result<void> Partitions::write_checkpoints(const std::vector<std::shared_ptr<Partition>>& partitions) {
  std::vector<storage::LogDir::CheckpointEntry> entries;
  for (const std::shared_ptr<Partition>& partition : partitions) {
    if (partition->is_stopped()) continue;
    entries.push_back(
        {{partition->topic(), partition->index()}, &partition->log(), partition->high_watermark().offset});
  }
  return log_dir_.write_checkpoints(entries);
}

std::vector<Partitions::LogDirView> Partitions::log_dirs() const {
  return {{absolute_path(log_dir_.path()), log_dir_.space(), all()}};
}

bool Partitions::is_log_dir(std::string_view path) const { return path == absolute_path(log_dir_.path()); }

Result<void> Partitions::close() {
  const std::vector<std::shared_ptr<Partition>> partitions = all();
  std::atomic<bool> all_closed{true};
  in_parallel(partitions.size(), kWaitingThreads, [&](std::size_t i) {
    Partition& partition = *partitions[i];
    partition.stop(protocol::ErrorCode::not_leader_or_follower);
    const bool failed = partition.log().health() == storage::LogHealth::offline;
    if (const Result<void> closed = partition.log().close(); !closed.ok() || failed) {
      all_closed = false;
      if (!failed)
        spdlog::error("{}-{}: {}", partition.topic(), partition.index().value, closed.error().describe());
    }
  });
  if (!all_closed)
    return Error{Errc::io_error, "not every log could be closed: the next start will recover them"};
  std::vector<storage::LogDir::CheckpointEntry> entries;
  for (const std::shared_ptr<Partition>& partition : partitions) {
    entries.push_back(
        {{partition->topic(), partition->index()}, &partition->log(), partition->log().log_end().offset});
  }
  TRY(log_dir_.close_clean(entries));
  if (const std::vector<std::string> left = log_dir_.unrecovered_folders(); !left.empty()) {
    spdlog::warn(
        "no clean-shutdown mark, since the last records of folders that are left alone may be torn since an "
        "unclean stop: {}; the next start recovers everything, and the commit journal keeps what it has of "
        "them",
        fmt::join(left, ", "));
  }
  return {};
}

}  // namespace sillok::broker
