// A log directory on which Apache Kafka ran since Sillok last did. Kafka compacts, deletes and appends
// without a word to what only Sillok writes, so of that only what holds all the same is believed any more.
#include <utility>

#include "storage/journaled_tail.h"
#include "storage/log_dir_impl.h"
#include "storage/partition_folder.h"
#include "storage/partition_metadata.h"

namespace sillok::storage {

Result<void> LogDir::Impl::note_kafka_ran(std::vector<std::string>& notes) {
  if (std::exchange(has_kafka_run_, true)) return {};
  if (!journal_->replay().all().empty()) TRY(put_journal_aside(notes));
  const std::lock_guard one_writer(checkpoint_mutex_);
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, known] : known_) {
      if (!known.recovery_point) continue;
      known.recovery_point.reset();
      mark_changed(CheckpointFile::recovery_points);
    }
  }
  auto written = write_changed();
  if (written.ok() || written.error().code != Errc::no_space) return written;
  notes.push_back(options_.path +
                  ": no room to note that Apache Kafka ran here: " + written.error().describe());
  return {};
}

// After Kafka, the place where a batch was may hold another one of the same size.
Result<void> LogDir::Impl::put_journal_aside(std::vector<std::string>& notes) {
  std::map<TopicPartition, std::optional<OwnedRecoveryPoint>> points;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : known_) points[name] = known.recovery_point;
  }
  for (const auto& [name, point] : points) {
    const std::string folder = path_of(partition_folder_name(name));
    const auto id = read_partition_metadata(file_system(), folder);
    if (!id.ok() && id.error().code == Errc::io_error) return id.error();
    if (!id.ok() || !*id) continue;
    const JournalKey key{**id, name.partition};
    const auto journaled = journal_->replay().end_of(key);
    const Offset synced = point && point->topic_id == **id ? point->point.offset : Offset(0);
    if (!journaled || journaled->offset <= synced) continue;
    const std::string path = journaled_tail_path(folder, synced, incarnation_);
    TRY(keep_journaled_tail(file_system(), journal_->replay(), key, synced, path));
    notes.push_back(folder +
                    ": Apache Kafka ran here after a stop that was not clean, so what the commit journal "
                    "has of offsets up to " +
                    std::to_string(journaled->offset.value) +
                    " is not written back; where the log lacks them, they are in " + path);
  }
  return empty_journal();
}

}  // namespace sillok::storage
