// Where partitions are, and are to be: what goes over all log directories.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "broker/absolute_path.h"
#include "broker/in_parallel.h"
#include "broker/partitions.h"
#include "protocol/base/check.h"

namespace sillok::broker {
namespace {

constexpr std::int32_t kClosingThreads = 16;

Error unclosed(const storage::LogDir& log_dir) {
  return {Errc::io_error,
          log_dir.path() + ": not every log could be closed: the next start will recover them"};
}

std::vector<std::string> paths_of(const std::vector<Partitions::Place>& places) {
  std::vector<std::string> paths;
  for (const Partitions::Place& place : places) paths.push_back(absolute_path(place.log_dir->path()));
  return paths;
}

}  // namespace

Partitions::Partitions(Places places, std::int32_t recovery_threads)
    : places_(std::move(places)),
      paths_(paths_of(places_.open)),
      recovery_threads_(recovery_threads),
      table_(std::make_shared<const Table>()),
      cordoned_(places_.open.size()),
      failing_(places_.open.size()),
      holding_(places_.open.size()) {}

std::size_t Partitions::place_of(const Partition& partition) const {
  const auto found = std::ranges::find(places_.open, &partition.device(), &Place::device);
  return static_cast<std::size_t>(found - places_.open.begin());
}

std::size_t Partitions::place_of(const Opening& opening) const {
  CHECK(opening.directory || places_.open.size() == 1);
  return opening.directory.value_or(0);
}

// Those with the topic's id; else one that does not say its id, if it is the only one of that name.
std::vector<std::size_t> Partitions::places_of_folder(const storage::TopicPartition& name,
                                                      const TopicId& id) const {
  if (places_.open.size() == 1) return {0};
  std::vector<std::size_t> of_topic;
  std::vector<std::size_t> all;
  bool is_unsaid = false;
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    const storage::LogDir& log_dir = *places_.open[p].log_dir;
    if (!log_dir.has_folder(name)) continue;
    const auto said = log_dir.topic_id_of(name);
    all.push_back(p);
    is_unsaid = !said;
    if (said == id) of_topic.push_back(p);
  }
  return of_topic.empty() && all.size() == 1 && is_unsaid ? all : of_topic;
}

// A folder may have been moved by hand since the last stop: frames of it are kept in whichever journal has
// them.
Result<std::vector<PartitionHost::Found>> Partitions::find() {
  using Frames = storage::LogDir::FramesOfOthers;
  const bool are_several = places_.open.size() > 1;
  std::vector<Found> found;
  std::vector<storage::JournalKey> keys;
  bool all_read = true;
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    const Place& place = places_.open[p];
    const Frames frames = are_several || !is_complete() ? Frames::keep : Frames::drop;
    for (storage::FoundPartition& one : TRY(place.log_dir->find_partitions(frames))) {
      all_read = all_read && one.is_read;
      if (are_several) keys.push_back({one.topic_id, one.name.partition});
      found.push_back(
          {std::move(one.name.topic), one.name.partition, one.topic_id, p, paths_[p], false, place.id});
    }
  }
  if (!are_several || !all_read || !is_complete()) return found;
  for (const Place& place : places_.open) place.log_dir->journal().keep_only(keys);
  return found;
}

// Why the log is not all that was acknowledged; nullopt: it is. A clean mark would drop the journal.
std::optional<std::string> Partitions::records_left_behind(const Place& place, const storage::Log& log,
                                                           const storage::TopicPartition& name) {
  if (places_.open.size() == 1) return std::nullopt;
  const storage::JournalKey key{log.topic_id(), name.partition};
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    const Place& other = places_.open[p];
    if (&other == &place) continue;
    if (other.log_dir->has_folder(name) && other.log_dir->topic_id_of(name) == log.topic_id())
      continue;  // of that folder
    storage::Journal& journal = other.log_dir->journal();
    const auto end = journal.replay().end_of(key);
    if (!end) continue;
    if (end->offset > log.log_end().offset) {
      const std::lock_guard lock(mutex_);
      holding_[p] = true;
      return fmt::format(
          "its folder was moved from {} before the last records were in it; move it back, start, stop and "
          "move it then",
          other.log_dir->path());
    }
    journal.release(key);
  }
  return std::nullopt;
}

void Partitions::hold_unopened() {
  if (is_complete()) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t p = 0; p < places_.open.size(); ++p)
    holding_[p] = holding_[p] || !places_.open[p].log_dir->journal().replay().all().empty();
}

PartitionHost::DirectoryState Partitions::directory_state(const Uuid& id) const {
  if (std::ranges::find(places_.open, id, &Place::id) != places_.open.end()) return DirectoryState::open;
  const bool is_missing = std::ranges::find(places_.missing, id) != places_.missing.end();
  return is_missing ? DirectoryState::missing : DirectoryState::unknown;
}

std::optional<Uuid> Partitions::directory_of(const std::string& topic, PartitionIndex partition) const {
  const Lookup found = Partitions::find(topic, partition);
  if (!found.partition) return std::nullopt;
  return places_.open[place_of(*found.partition)].id;
}

bool Partitions::is_sound(const std::string& topic, PartitionIndex partition) const {
  const Lookup found = Partitions::find(topic, partition);
  return found.partition && found.partition->log().health() == storage::LogHealth::healthy;
}

Result<void> Partitions::remove_from(const Uuid& directory, const std::string& topic,
                                     PartitionIndex partition) {
  const auto place = std::ranges::find(places_.open, directory, &Place::id);
  if (place == places_.open.end()) return Error{Errc::not_found, directory.to_string()};
  return place->log_dir->delete_log({topic, partition});
}

std::vector<bool> Partitions::cordoned() const {
  const std::lock_guard lock(mutex_);
  return cordoned_;
}

void Partitions::cordon(const std::vector<std::string>& paths) {
  std::vector<bool> cordoned(places_.open.size());
  for (const std::string& path : paths) {
    const auto place = std::ranges::find(paths_, absolute_path(path));
    if (place != paths_.end()) cordoned[static_cast<std::size_t>(place - paths_.begin())] = true;
  }
  const std::lock_guard lock(mutex_);
  cordoned_ = std::move(cordoned);
}

// Cordoned ones, and as far as that leaves any, those that have no room or where one could not be made.
std::vector<bool> Partitions::closed_places() const {
  std::vector<bool> closed = cordoned();
  if (std::ranges::find(closed, false) == closed.end()) closed.assign(closed.size(), false);
  std::vector<bool> avoided = closed;
  const std::lock_guard lock(mutex_);
  for (std::size_t p = 0; p < avoided.size(); ++p)
    avoided[p] = avoided[p] || failing_[p] || places_.open[p].device->space().is_short();
  return std::ranges::find(avoided, false) == avoided.end() ? closed : avoided;
}

std::optional<std::size_t> Partitions::other_place(std::span<const std::size_t> tried) const {
  const std::vector<bool> closed = closed_places();
  std::optional<std::size_t> best;
  for (std::size_t p = 0; p < closed.size(); ++p) {
    if (closed[p] || std::ranges::find(tried, p) != tried.end()) continue;
    const bool is_better =
        !best || places_.open[p].log_dir->folder_count() < places_.open[*best].log_dir->folder_count();
    if (is_better) best = p;
  }
  return best;
}

std::optional<std::string> Partitions::placement_fault() const {
  const std::vector<bool> closed = cordoned();
  if (std::ranges::find(closed, false) != closed.end()) return std::nullopt;
  return "every log directory that works is cordoned (cordoned.log.dirs)";
}

// Kafka's rule: the one with the fewest partitions. One that has a folder of that name already is to judge
// it, so that no name is in two of them. Where all are cordoned it was for whoever asks to refuse; what is
// due at the start must come to lie somewhere.
std::vector<std::size_t> Partitions::choose_places(const std::vector<Opening>& openings) const {
  std::vector<std::size_t> chosen(openings.size(), 0);
  if (places_.open.size() == 1) return chosen;
  const std::vector<bool> closed = closed_places();
  std::vector<std::size_t> counts;
  for (const Place& place : places_.open) counts.push_back(place.log_dir->folder_count());
  for (std::size_t i = 0; i < openings.size(); ++i) {
    std::optional<std::size_t> best;
    for (std::size_t p = 0; p < counts.size(); ++p) {
      if (places_.open[p].log_dir->has_folder({openings[i].topic, openings[i].partition})) {
        best = p;
        break;
      }
      if (!closed[p] && (!best || counts[p] < counts[*best])) best = p;
    }
    chosen[i] = *best;
    ++counts[*best];
  }
  return chosen;
}

std::vector<Partitions::CheckpointEntries> Partitions::entries_of(
    const std::vector<std::shared_ptr<Partition>>& partitions) const {
  std::vector<CheckpointEntries> entries(places_.open.size());
  for (const std::shared_ptr<Partition>& partition : partitions) {
    if (partition->is_stopped()) continue;
    entries[place_of(*partition)].push_back(
        {{partition->topic(), partition->index()}, &partition->log(), partition->high_watermark().offset});
  }
  return entries;
}

// Each directory, since what was deleted there has to leave the files too.
Result<void> Partitions::write_checkpoints() {
  const std::vector<std::shared_ptr<Partition>> partitions = all();
  const std::vector<CheckpointEntries> entries = entries_of(partitions);
  Result<void> outcome;
  for (std::size_t p = 0; p < entries.size(); ++p) {
    auto written = places_.open[p].log_dir->write_checkpoints(entries[p]);
    if (!written.ok() && outcome.ok()) outcome = std::move(written);
  }
  return outcome;
}

Result<void> Partitions::write_checkpoints(const std::vector<std::shared_ptr<Partition>>& partitions) {
  const std::vector<CheckpointEntries> entries = entries_of(partitions);
  for (std::size_t p = 0; p < entries.size(); ++p) {
    if (!entries[p].empty()) TRY(places_.open[p].log_dir->write_checkpoints(entries[p]));
  }
  return {};
}

std::vector<Partitions::LogDirView> Partitions::log_dirs() const {
  std::vector<LogDirView> views;
  const std::vector<bool> closed = cordoned();
  for (std::size_t p = 0; p < places_.open.size(); ++p)
    views.push_back({paths_[p], places_.open[p].log_dir->space(), {}, closed[p]});
  for (std::shared_ptr<Partition>& partition : all()) {
    LogDirView& view = views[place_of(*partition)];
    if (partition->log().health() == storage::LogHealth::offline)
      view.space = Error{Errc::offline, partition->log().directory() + ": an operation failed"};
    view.partitions.push_back(std::move(partition));
  }
  add_futures(views);
  for (const std::string& path : places_.failed)
    views.push_back({absolute_path(path), Error{Errc::offline, path}, {}});
  return views;
}

Partitions::PathState Partitions::path_state(std::string_view path) const {
  if (std::ranges::find(paths_, path) != paths_.end()) return PathState::open;
  const auto is_it = [&](const std::string& failed) { return absolute_path(failed) == path; };
  return std::ranges::any_of(places_.failed, is_it) ? PathState::failed : PathState::unknown;
}

std::vector<bool> Partitions::close_logs(const std::vector<std::shared_ptr<Partition>>& partitions) {
  std::vector<std::atomic<bool>> failed(places_.open.size());
  in_parallel(partitions.size(), kClosingThreads, [&](std::size_t i) {
    Partition& partition = *partitions[i];
    partition.stop(protocol::ErrorCode::not_leader_or_follower);
    const bool was_offline = partition.log().health() == storage::LogHealth::offline;
    if (const Result<void> closed = partition.log().close(); !closed.ok() || was_offline) {
      failed[place_of(partition)] = true;
      if (!was_offline)
        spdlog::error("{}-{}: {}", partition.topic(), partition.index().value, closed.error().describe());
    }
  });
  return {failed.begin(), failed.end()};
}

bool Partitions::holds_records(std::size_t place) const {
  const std::lock_guard lock(mutex_);
  if (!holding_[place]) return false;
  spdlog::warn("{}: no clean-shutdown mark, so that its commit journal is kept",
               places_.open[place].log_dir->path());
  return true;
}

Result<void> Partitions::mark_clean(storage::LogDir& log_dir, const CheckpointEntries& entries) {
  TRY(log_dir.close_clean(entries));
  if (const std::vector<std::string> left = log_dir.unrecovered_folders(); !left.empty()) {
    spdlog::warn(
        "{}: no clean-shutdown mark, since the last records of folders that are left alone may be torn since "
        "an unclean stop: {}; the next start recovers everything, and the commit journal keeps what it has "
        "of them",
        log_dir.path(), fmt::join(left, ", "));
  }
  return {};
}

Result<void> Partitions::close() {
  const std::vector<std::shared_ptr<Partition>> partitions = all();
  const std::vector<bool> failed = close_logs(partitions);
  std::vector<CheckpointEntries> entries(places_.open.size());
  for (const std::shared_ptr<Partition>& partition : partitions) {
    entries[place_of(*partition)].push_back(
        {{partition->topic(), partition->index()}, &partition->log(), partition->log().log_end().offset});
  }
  Result<void> outcome;
  for (std::size_t p = 0; p < entries.size(); ++p) {
    storage::LogDir& log_dir = *places_.open[p].log_dir;
    if (holds_records(p)) continue;
    Result<void> marked = failed[p] ? unclosed(log_dir) : mark_clean(log_dir, entries[p]);
    if (marked.ok()) continue;
    if (outcome.ok()) {
      outcome = std::move(marked);
    } else {
      spdlog::error("{}", marked.error().describe());
    }
  }
  return outcome;
}

}  // namespace sillok::broker
