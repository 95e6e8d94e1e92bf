#include "broker/partitions.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "broker/in_parallel.h"
#include "broker/partition_moves.h"

namespace sillok::broker {
namespace {

constexpr LeaderEpoch kLeaderEpochMax{std::numeric_limits<std::int32_t>::max()};
// For what mostly waits for the disk.
constexpr std::int32_t kWaitingThreads = 16;
// For what does nothing else.
constexpr std::int32_t kSyncingThreads = 64;
// Each has two files open until they are synced.
constexpr std::size_t kCreationsAtATime = 64;

storage::TopicPartition name_of(const PartitionHost::Opening& opening) {
  return {opening.topic, opening.partition};
}

// What moves that failed have left.
void drop_futures(const Partitions::Places& places, const storage::TopicPartition& name,
                  const TopicId& topic_id) {
  for (const Partitions::Place& place : places.open) {
    if (!place.log_dir->has_future(name)) continue;
    const auto futures = place.log_dir->find_futures();
    if (!futures.ok()) continue;
    const auto is_it = [&](const storage::FoundPartition& one) {
      return one.name == name && one.topic_id == topic_id;
    };
    if (std::ranges::none_of(*futures, is_it)) continue;
    if (const auto dropped = place.log_dir->drop_future(name); !dropped.ok())
      spdlog::error("{}-{}: {}", name.topic, name.partition.value, dropped.error().describe());
  }
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

Partitions::Opened Partitions::open_in(const Place& place, const Opening& opening) {
  storage::LogDir& log_dir = *place.log_dir;
  const Result<bool> completed = log_dir.complete_creation(name_of(opening), opening.topic_id);
  if (!completed.ok()) {
    spdlog::error("partition {}-{} is offline: {}", opening.topic, opening.partition.value,
                  completed.error().describe());
    return {&opening, nullptr};
  }
  if (*completed)
    spdlog::warn("{}-{}: its creation was interrupted, and is complete now", opening.topic,
                 opening.partition.value);
  storage::RecoveryReport report;
  Result<std::unique_ptr<storage::Log>> log = log_dir.open_log(name_of(opening), opening.config, report);
  for (const std::string& note : report.notes)
    spdlog::warn("{}-{}: {}", opening.topic, opening.partition.value, note);
  if (!log.ok()) {
    spdlog::error("partition {}-{} is offline: {}", opening.topic, opening.partition.value,
                  log.error().describe());
    return {&opening, nullptr};
  }
  if (const auto fault = records_left_behind(place, **log, name_of(opening))) {
    spdlog::error("partition {}-{} is offline: {}", opening.topic, opening.partition.value, *fault);
    return {&opening, nullptr};
  }
  if ((*log)->health() == storage::LogHealth::degraded) {
    spdlog::error(
        "partition {}-{} is damaged: it takes no records, and serves what lies before and after the damage",
        opening.topic, opening.partition.value);
  }
  auto partition = std::make_shared<Partition>(opening.topic, opening.partition, std::move(log).value(),
                                               *place.device, opening.config);
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
  std::vector<std::vector<std::size_t>> of_place(places_.open.size());
  for (std::size_t i = 0; i < partitions.size(); ++i) of_place[place_of(partitions[i])].push_back(i);
  in_parallel(of_place.size(), static_cast<std::int32_t>(of_place.size()), [&](std::size_t p) {
    const Place& place = places_.open[p];
    const std::vector<std::size_t>& here = of_place[p];
    in_parallel(here.size(), recovery_threads_,
                [&](std::size_t i) { opened[here[i]] = open_in(place, partitions[here[i]]); });
    // New epochs are made durable, which are waits that go well together.
    in_parallel(here.size(), place.log_dir->was_clean() ? recovery_threads_ : kWaitingThreads,
                [&](std::size_t i) {
                  Opened& one = opened[here[i]];
                  if (one.partition && !begin_to_lead(one)) one.partition = nullptr;
                });
  });
  hold_unopened();
  for (std::size_t p = 0; p < of_place.size(); ++p) {
    const storage::LogDir& log_dir = *places_.open[p].log_dir;
    if (log_dir.was_clean() || of_place[p].empty()) continue;
    spdlog::warn("{}: {}: {} partitions were recovered", log_dir.path(),
                 log_dir.has_kafka_run() ? "Apache Kafka ran here since the last start"
                                         : "the last stop was not clean",
                 of_place[p].size());
  }
  publish(opened);
  return {};
}

void Partitions::keep_offline(const std::vector<Opening>& partitions) {
  std::vector<Opened> offline;
  for (const Opening& one : partitions) offline.push_back({&one, nullptr});
  publish(offline);
}

Result<void> Partitions::create(const std::vector<Opening>& partitions) {
  std::vector<Opened> opened(partitions.size());
  std::vector<std::size_t> chosen = choose_places(partitions);
  for (std::size_t first = 0; first < partitions.size(); first += kCreationsAtATime) {
    const std::size_t count = std::min(kCreationsAtATime, partitions.size() - first);
    TRY(create_some(std::span(partitions).subspan(first, count), std::span(chosen).subspan(first, count),
                    std::span(opened).subspan(first, count)));
  }
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    if (std::ranges::find(chosen, p) != chosen.end()) TRY(places_.open[p].log_dir->sync_folder_names());
  }
  publish(opened);
  return {};
}

Result<storage::LogCreation> Partitions::begin_in(const Opening& opening, std::size_t& place) {
  std::vector<std::size_t> tried;
  for (;;) {
    storage::LogDir& log_dir = *places_.open[place].log_dir;
    auto begun =
        log_dir.begin_log(name_of(opening), opening.topic_id, opening.config, opening.leader_epoch_min);
    if (begun.ok() || begun.error().code == Errc::already_exists) return begun;
    tried.push_back(place);
    const auto other = other_place(tried);
    if (!other) return begun;
    spdlog::error("{}-{} could not be made in {}, which gets no new partitions until the next start: {}",
                  opening.topic, opening.partition.value, log_dir.path(), begun.error().describe());
    const std::lock_guard lock(mutex_);
    failing_[place] = true;
    place = *other;
  }
}

Result<void> Partitions::create_some(std::span<const Opening> openings, std::span<std::size_t> chosen,
                                     std::span<Opened> opened) {
  std::vector<storage::LogCreation> begun(openings.size());
  TRY(try_in_parallel(openings.size(), recovery_threads_, [&](std::size_t i) -> Result<void> {
    begun[i] = TRY(begin_in(openings[i], chosen[i]));
    return {};
  }));
  // All of them wait for the same few commits of the file system's journal.
  TRY(try_in_parallel(begun.size(), kSyncingThreads, [&](std::size_t i) { return begun[i].sync(); }));
  for (std::size_t i = 0; i < openings.size(); ++i) {
    const Opening& one = openings[i];
    auto partition = std::make_shared<Partition>(one.topic, one.partition, begun[i].take(),
                                                 *places_.open[chosen[i]].device, one.config);
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

std::shared_ptr<Partition> Partitions::take_out(const std::string& topic, PartitionIndex partition,
                                                const TopicId& topic_id) {
  auto next = std::make_shared<Table>(*table());
  const auto entry = next->by_name.find(topic);
  if (entry == next->by_name.end() || entry->second->id != topic_id) return nullptr;
  auto changed = std::make_shared<Topic>(*entry->second);
  const auto index = static_cast<std::size_t>(partition.value);
  std::shared_ptr<Partition> taken;
  if (index < changed->partitions.size()) taken = std::exchange(changed->partitions[index], nullptr);
  const bool is_last = std::none_of(changed->partitions.begin(), changed->partitions.end(),
                                    [](const auto& one) { return one != nullptr; });
  if (is_last) {
    next->by_id.erase(changed->id);
    next->by_name.erase(entry);
  } else {
    next->by_id[changed->id] = changed;
    entry->second = changed;
  }
  const std::lock_guard lock(mutex_);
  table_ = std::move(next);
  return taken;
}

Result<void> Partitions::remove(const std::string& topic, PartitionIndex partition) {
  const std::shared_ptr<const Table> now = table();
  const auto entry = now->by_name.find(topic);
  return remove_folder(topic, partition, entry == now->by_name.end() ? TopicId{} : entry->second->id);
}

Result<void> Partitions::remove_folder(const std::string& topic, PartitionIndex partition,
                                       const TopicId& topic_id) {
  const storage::TopicPartition name{topic, partition};
  if (moves_ != nullptr) moves_->cancel(name, topic_id);
  drop_futures(places_, name, topic_id);
  if (const auto served = take_out(topic, partition, topic_id)) {
    served->stop(protocol::ErrorCode::unknown_topic_or_partition);
    served->log().retire();
  }
  std::optional<Error> failure;
  const std::vector<std::size_t> with_folder = places_of_folder(name, topic_id);
  for (const std::size_t place : with_folder) {
    auto removed = places_.open[place].log_dir->delete_log(name);
    if (!removed.ok() && !failure) failure = std::move(removed).error();
  }
  if (failure) return *std::move(failure);
  if (with_folder.empty()) return Error{Errc::not_found, topic + "-" + std::to_string(partition.value)};
  return {};
}

void Partitions::set_config(const std::string& topic, PartitionIndex partition,
                            const storage::LogConfig& config) {
  if (const Lookup found = find(topic, partition); found.partition) found.partition->set_config(config);
  if (moves_ != nullptr) moves_->set_config({topic, partition}, config);
}

}  // namespace sillok::broker
