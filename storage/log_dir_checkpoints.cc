#include <utility>

#include "storage/clean_shutdown.h"
#include "storage/log_dir_impl.h"
#include "storage/partition_folder.h"

namespace sillok::storage {
namespace {

template <class T>
bool replace(T& old, const T& with) {
  if (old == with) return false;
  old = with;
  return true;
}

}  // namespace

template <class Entries>
Result<Entries> LogDir::Impl::or_absent(Result<Entries> read) {
  if (read.ok()) return read;
  switch (read.error().code) {
    case Errc::malformed:
    case Errc::corrupt:
    case Errc::truncated:
    case Errc::unsupported_version:
    case Errc::too_large:
      warnings_.push_back("counted as absent: " + read.error().describe());
      return Entries{};
    default:
      return read;
  }
}

Result<void> LogDir::Impl::read_checkpoints() {
  const std::size_t warning_count = warnings_.size();
  const auto points = TRY(or_absent(storage::read_recovery_points(file_system(), options_.path)));
  has_recovery_points_ =
      warnings_.size() == warning_count && TRY(file_system().exists(path_of(kRecoveryPointsName)));
  const auto listed =
      TRY(or_absent(read_offset_checkpoint(file_system(), path_of(kRecoveryPointCheckpointName))));
  const auto starts = TRY(or_absent(read_offset_checkpoint(file_system(), path_of(kLogStartCheckpointName))));
  const auto marks =
      TRY(or_absent(read_offset_checkpoint(file_system(), path_of(kHighWatermarkCheckpointName))));
  const std::lock_guard lock(mutex_);
  // Lines about partitions without a folder go with the next write; a new partition of that name waits for
  // it. A future's are those of its partition: nobody has both.
  const auto find = [this](const auto& line) {
    const TopicPartition name{line.topic, line.partition};
    const auto entry = known_.find(name);
    if (entry != known_.end()) return &entry->second;
    if (!futures_.contains(name)) stale_.insert(name);
    return static_cast<KnownPartition*>(nullptr);
  };
  const auto find_future = [this](const auto& line) {
    const TopicPartition name{line.topic, line.partition};
    const auto future = known_.contains(name) ? futures_.end() : futures_.find(name);
    return future == futures_.end() ? nullptr : &future->second;
  };
  for (const PartitionRecoveryPoint& line : points) {
    if (KnownPartition* known = find(line)) {
      known->recovery_point = OwnedRecoveryPoint{line.topic_id, line.point};
      known->is_listed = true;
    }
    if (KnownFuture* future = find_future(line))
      future->recovery_point = OwnedRecoveryPoint{line.topic_id, line.point};
  }
  for (const PartitionOffset& line : listed) {
    if (KnownPartition* known = find(line)) {
      known->is_listed = true;
      known->durable_end = line.offset;
      // We write this file second, so that it is never ahead. Then Kafka wrote it, and may have compacted
      // what our point tells of.
      known->has_kafka_written = known->recovery_point && line.offset > known->recovery_point->point.offset;
      if (known->has_kafka_written) known->recovery_point.reset();
    }
  }
  for (const PartitionOffset& line : starts) {
    if (KnownPartition* known = find(line)) known->log_start = line.offset;
    if (KnownFuture* future = find_future(line)) future->log_start = line.offset;
  }
  for (const PartitionOffset& line : marks) {
    if (KnownPartition* known = find(line)) known->high_watermark = line.offset;
  }
  if (!stale_.empty()) {
    mark_changed(CheckpointFile::recovery_points);
    mark_changed(CheckpointFile::log_starts);
    mark_changed(CheckpointFile::high_watermarks);
  }
  return {};
}

void LogDir::Impl::note_checkpoint(const CheckpointEntry& entry) {
  {
    const std::lock_guard lock(mutex_);
    if (known_.count(entry.name) == 0) return;
  }
  const OwnedRecoveryPoint point{entry.log->topic_id(), entry.log->recovery_point()};
  const Offset start = entry.log->log_start();
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(entry.name);
  // A deleted log is retired before a new one can have its name.
  if (found == known_.end() || entry.log->is_retired()) return;
  KnownPartition& known = found->second;
  // The point of a damaged log stays as it was, for the next start to find that the files do not fit it. And
  // so it does until the log is synced as far as it was before.
  const bool is_less = known.durable_end && point.point.offset < *known.durable_end;
  if (entry.log->health() != LogHealth::degraded && !is_less) {
    known.durable_end = point.point.offset;
    if (replace(known.recovery_point, std::optional(point))) mark_changed(CheckpointFile::recovery_points);
  }
  if (replace(known.log_start, start)) mark_changed(CheckpointFile::log_starts);
  if (replace(known.high_watermark, std::optional(entry.high_watermark))) {
    mark_changed(CheckpointFile::high_watermarks);
  }
}

Result<void> LogDir::Impl::write_checkpoints(std::span<const CheckpointEntry> entries) {
  const std::lock_guard one_writer(checkpoint_mutex_);
  for (const CheckpointEntry& entry : entries) note_checkpoint(entry);
  return write_changed();
}

Result<void> LogDir::Impl::forget_recovery_point(const TopicPartition& name) {
  const std::lock_guard one_writer(checkpoint_mutex_);
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known != known_.end()) {
      const bool had_point = replace(known->second.recovery_point, std::optional<OwnedRecoveryPoint>());
      const bool had_end = replace(known->second.durable_end, std::optional<Offset>());
      if (had_point || had_end) mark_changed(CheckpointFile::recovery_points);
    }
  }
  TRY(write_changed());
  const std::optional<JournalKey> key = journal_key(name);
  return key ? journal_->forget(*key) : Result<void>();
}

Result<void> LogDir::Impl::write_changed() {
  unsigned changed = 0;
  std::set<TopicPartition> stale;
  {
    const std::lock_guard lock(mutex_);
    changed = std::exchange(changed_files_, 0);
    stale = stale_;
  }
  const auto write = [&](CheckpointFile file, Result<void> (Impl::*write_file)()) -> Result<void> {
    if ((changed & static_cast<unsigned>(file)) == 0) return {};
    TRY((this->*write_file)());
    changed &= ~static_cast<unsigned>(file);
    return {};
  };
  auto written = write(CheckpointFile::recovery_points, &Impl::write_recovery_points);
  if (written.ok()) written = write(CheckpointFile::log_starts, &Impl::write_log_starts);
  if (written.ok()) written = write(CheckpointFile::high_watermarks, &Impl::write_high_watermarks);
  const std::lock_guard lock(mutex_);
  changed_files_ |= changed;
  if (written.ok()) {
    for (const TopicPartition& name : stale) stale_.erase(name);
  }
  return written;
}

Result<void> LogDir::Impl::write_recovery_points() {
  std::vector<PartitionRecoveryPoint> points;
  std::vector<PartitionOffset> offsets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : known_) {
      if (known.durable_end) offsets.push_back({name.topic, name.partition, *known.durable_end});
      if (!known.recovery_point) continue;
      const auto& [topic_id, point] = *known.recovery_point;
      points.push_back({name.topic, name.partition, topic_id, point});
      if (!known.durable_end) offsets.push_back({name.topic, name.partition, point.offset});
    }
    for (const auto& [name, future] : futures_) {
      if (!future.recovery_point || known_.contains(name)) continue;
      const auto& [topic_id, point] = *future.recovery_point;
      points.push_back({name.topic, name.partition, topic_id, point});
      offsets.push_back({name.topic, name.partition, point.offset});
    }
  }
  TRY(storage::write_recovery_points(file_system(), options_.path, points));
  return write_offset_checkpoint(file_system(), path_of(kRecoveryPointCheckpointName), offsets);
}

Result<void> LogDir::Impl::write_log_starts() {
  std::vector<PartitionOffset> offsets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : known_) {
      // Kafka leaves out logs that start with their first segment as well; a line for one does no harm.
      if (known.log_start > Offset(0)) offsets.push_back({name.topic, name.partition, known.log_start});
    }
    for (const auto& [name, future] : futures_) {
      const bool is_told = future.recovery_point && !known_.contains(name);
      if (is_told && future.log_start > Offset(0))
        offsets.push_back({name.topic, name.partition, future.log_start});
    }
  }
  return write_offset_checkpoint(file_system(), path_of(kLogStartCheckpointName), offsets);
}

Result<void> LogDir::Impl::write_high_watermarks() {
  std::vector<PartitionOffset> offsets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : known_) {
      if (known.high_watermark) offsets.push_back({name.topic, name.partition, *known.high_watermark});
    }
  }
  return write_offset_checkpoint(file_system(), path_of(kHighWatermarkCheckpointName), offsets);
}

Result<void> LogDir::Impl::close_clean(std::span<const CheckpointEntry> entries) {
  TRY(write_checkpoints(entries));
  {
    const std::lock_guard lock(mutex_);
    for (const CheckpointEntry& entry : entries) {
      const bool is_whole = !entry.log->is_retired() && entry.log->health() != LogHealth::offline &&
                            entry.log->synced_end() == entry.log->log_end();
      const auto known = known_.find(entry.name);
      if (known != known_.end() && is_whole) known->second.soundness = Soundness::settled;
    }
    for (const auto& [name, known] : known_) {
      if (known.soundness == Soundness::opened) {
        return Error{Errc::offline, options_.path + ": no clean-shutdown mark, because " +
                                        partition_folder_name(name) + " is not closed in good health"};
      }
    }
  }
  // What nobody recovered may have batches in the journal and nowhere else.
  if (!unrecovered_folders().empty()) return {};
  // After a clean stop the directory is as Kafka would leave it.
  TRY(journal_->close());
  return write_clean_shutdown_mark(file_system(), options_.path, incarnation_);
}

std::vector<std::string> LogDir::Impl::unrecovered_folders() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> folders;
  for (const auto& [name, known] : known_) {
    if (known.soundness == Soundness::unrecovered) folders.push_back(partition_folder_name(name));
  }
  return folders;
}

}  // namespace sillok::storage
