// Logs that are new. Their files are first all written, then all synced, so that many logs share what a sync
// costs: most of that is the commit of the file system's own journal, which takes along whatever waits for
// it. Not by syncfs(2): it would wait for everything that is dirty in the file system, other programs'
// gigabytes too, and tell their errors to us.
#include "storage/log_impl.h"
#include "storage/partition_metadata.h"

namespace sillok::storage {

Result<std::unique_ptr<Log::Impl>> Log::Impl::create(const LogOptions& options, const TopicId& topic_id,
                                                     LeaderEpoch first_epoch,
                                                     std::vector<std::shared_ptr<File>>& unsynced) {
  FileSystem& file_system = *options.file_system;
  TRY(file_system.make_directory(options.directory));
  auto log = std::make_unique<Impl>(options, topic_id);
  if (!topic_id.is_zero()) {
    unsynced.push_back(TRY(write_new_file(file_system, join_path(options.directory, kPartitionMetadataName),
                                          serialize_partition_metadata(topic_id))));
  }
  log->hold_empty(TRY(Segment::create(&log->files_, options.log_start_offset)));
  if (first_epoch > kNoLeaderEpoch) {
    log->epochs_.assign(first_epoch, options.log_start_offset);
    unsynced.push_back(TRY(write_new_file(file_system, join_path(options.directory, kLeaderEpochFileName),
                                          log->epochs_.serialize())));
  }
  // Nothing is in its files that a close would have to write.
  const LogPosition end = log->log_end();
  log->last_point_ = RecoveryPoint{end.offset, end.segment_base, end.position, kNoLeaderEpoch, {}, {}};
  log->closed_end_ = end;
  return log;
}

Result<LogCreation> Log::begin_creation(const LogOptions& options, const TopicId& topic_id,
                                        LeaderEpoch first_epoch) {
  LogCreation creation;
  creation.file_system_ = options.file_system;
  auto impl = TRY(Impl::create(options, topic_id, first_epoch, creation.unsynced_));
  creation.log_.reset(new Log(std::move(impl)));
  return creation;
}

Result<std::unique_ptr<Log>> Log::create(const LogOptions& options, const TopicId& topic_id) {
  auto creation = TRY(begin_creation(options, topic_id, kNoLeaderEpoch));
  TRY(creation.sync());
  TRY(options.file_system->sync_directory(parent_path(options.directory)));
  return creation.take();
}

Result<void> LogCreation::sync() {
  for (const auto& file : unsynced_) TRY(file->sync_data());
  unsynced_.clear();
  return file_system_->sync_directory(log_->directory());
}

std::unique_ptr<Log> LogCreation::take() {
  CHECK(unsynced_.empty());
  return std::move(log_);
}

}  // namespace sillok::storage
