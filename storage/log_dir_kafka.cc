// A log directory on which Apache Kafka ran since Sillok last did. Kafka appends, compacts and deletes
// without a word to what only Sillok writes, so of that only what holds all the same is believed any more.
#include "storage/log_dir_impl.h"

namespace sillok::storage {

bool LogDir::Impl::note_kafka_ran(std::vector<std::string>& notes) {
  // Kafka takes the mark away when it starts, so it has not been here.
  if (was_clean_) return true;
  has_kafka_run_ = true;
  const std::lock_guard one_writer(checkpoint_mutex_);
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, known] : known_) {
      if (!known.recovery_point) continue;
      known.recovery_point.reset();
      mark_changed(CheckpointFile::recovery_points);
    }
  }
  const auto written = write_changed();
  if (!written.ok())
    notes.push_back(options_.path +
                    ": it could not be noted that Apache Kafka ran here: " + written.error().describe());
  return written.ok();
}

}  // namespace sillok::storage
