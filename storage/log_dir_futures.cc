// Copies of partitions that are to move here from another log directory of the broker, under Kafka's names
// for them. Until one is promoted nothing depends on it: it can be dropped at any time, and begun anew.
#include <utility>

#include "storage/log_dir_impl.h"
#include "storage/partition_folder.h"
#include "storage/partition_metadata.h"

namespace sillok::storage {

std::optional<KnownFuture> LogDir::Impl::known_future(const TopicPartition& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = futures_.find(name);
  if (found == futures_.end()) return std::nullopt;
  return found->second;
}

bool LogDir::Impl::has_future(const TopicPartition& name) const { return known_future(name).has_value(); }

std::vector<FoundPartition> LogDir::Impl::find_futures() const {
  std::map<TopicPartition, KnownFuture> futures;
  {
    const std::lock_guard lock(mutex_);
    futures = futures_;
  }
  std::vector<FoundPartition> found;
  for (const auto& [name, future] : futures) {
    if (future.folders.empty()) continue;
    FoundPartition& one = found.emplace_back(FoundPartition{name, TopicId{}});
    const auto id = read_partition_metadata(file_system(), path_of(future.folders.front()));
    if (id.ok() && *id) one.topic_id = **id;
    one.is_settled = future.recovery_point && future.recovery_point->topic_id == one.topic_id;
  }
  return found;
}

Result<std::unique_ptr<Log>> LogDir::Impl::begin_future(const TopicPartition& name, const TopicId& topic_id,
                                                        const LogConfig& config, Offset start) {
  const auto folder = future_folder_name(name, random_bytes());
  if (!folder) return Error{Errc::too_large, path_of(partition_folder_name(name)) + ": too long to be moved"};
  if (has_folder(name)) return Error{Errc::already_exists, path_of(partition_folder_name(name))};
  if (has_future(name)) TRY(drop_future(name));
  TRY(forget_old_lines(name));
  // What the partition had here before it moved away.
  if (!topic_id.is_zero()) TRY(journal_->forget(JournalKey{topic_id, name.partition}));
  {
    const std::lock_guard lock(mutex_);
    futures_[name] = {{*folder}, std::nullopt, start};
  }
  LogOptions options = log_options(*folder, config);
  options.log_start_offset = start;
  const auto make = [&]() -> Result<std::unique_ptr<Log>> {
    auto creation = TRY(Log::begin_creation(options, topic_id, kNoLeaderEpoch));
    TRY(creation.sync());
    TRY(sync_folder_names());
    return creation.take();
  };
  auto made = make();
  if (made.ok()) return made;
  if (const auto dropped = drop_future(name); !dropped.ok() && dropped.error().code == Errc::not_found) {
    const std::lock_guard lock(mutex_);
    futures_.erase(name);
  }
  return made;
}

Result<void> LogDir::Impl::settle_future(const TopicPartition& name, const Log& log) {
  if (log.health() != LogHealth::healthy || log.synced_end() != log.log_end())
    return Error{Errc::offline, log.directory() + ": not all of it is on disk"};
  const OwnedRecoveryPoint point{log.topic_id(), log.recovery_point()};
  const std::lock_guard one_writer(checkpoint_mutex_);
  {
    const std::lock_guard lock(mutex_);
    const auto future = futures_.find(name);
    if (future == futures_.end()) return Error{Errc::not_found, log.directory()};
    future->second.recovery_point = point;
    future->second.log_start = log.log_start();
    mark_changed(CheckpointFile::recovery_points);
    mark_changed(CheckpointFile::log_starts);
  }
  return write_changed();
}

Result<void> LogDir::Impl::drop_future(const TopicPartition& name) {
  const auto future = known_future(name);
  if (!future) return Error{Errc::not_found, path_of(partition_folder_name(name)) + ": has no future"};
  for (const std::string& folder : future->folders) {
    const std::string deleted = deleted_folder_name(name, random_bytes());
    TRY(file_system().rename(path_of(folder), path_of(deleted)));
    forget_files(path_of(folder), deleted);
    const std::lock_guard lock(mutex_);
    std::erase(futures_[name].folders, folder);
    deleted_.push_back({deleted, std::nullopt});
  }
  TRY(sync_folder_names());
  const std::lock_guard lock(mutex_);
  futures_.erase(name);
  if (!future->recovery_point || known_.contains(name)) return {};
  stale_.insert(name);
  mark_changed(CheckpointFile::recovery_points);
  mark_changed(CheckpointFile::log_starts);
  return {};
}

Result<void> LogDir::Impl::promote_future(const TopicPartition& name) {
  const std::string folder = path_of(partition_folder_name(name));
  const auto future = known_future(name);
  if (!future) return Error{Errc::not_found, folder + ": has no future"};
  if (future->folders.size() != 1)
    return Error{Errc::corrupt, folder + ": has several futures, and none can be told to be right"};
  if (has_folder(name) || TRY(file_system().exists(folder))) return Error{Errc::already_exists, folder};
  const auto id = TRY(read_partition_metadata(file_system(), path_of(future->folders.front())));
  TRY(file_system().rename(path_of(future->folders.front()), folder));
  TRY(sync_folder_names());
  const std::lock_guard lock(mutex_);
  const bool is_settled =
      future->recovery_point && future->recovery_point->topic_id == id.value_or(TopicId{});
  KnownPartition& known = known_[name];
  if (is_settled) {
    known.recovery_point = future->recovery_point;
    known.log_start = future->log_start;
  }
  known.topic_id = id;
  known.soundness = is_settled ? Soundness::settled : Soundness::unrecovered;
  known.is_listed = is_settled;
  known.is_as_closed = is_settled;
  futures_.erase(name);
  stale_.erase(name);
  return {};
}

}  // namespace sillok::storage
