// One log directory: its lock and identity, the checkpoints over all its partitions, and the partition
// folders in it. Files: storage/FORMAT.md. Only partition folders and plain files are ever made in it, so
// that Apache Kafka can start on it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/clock.h"
#include "storage/file_system.h"
#include "storage/journal.h"
#include "storage/log.h"

namespace sillok::storage {

struct TopicPartition {
  std::string topic;
  PartitionIndex partition;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// "orders-3" is partition 3 of "orders". nullopt for names that are no partition folder (deleted ones
// included).
std::optional<TopicPartition> parse_partition_folder(std::string_view name);

struct LogDirOptions {
  FileSystem* file_system = nullptr;
  const Clock* clock = nullptr;
  std::string path;
  // Empty: what meta.properties says, or a random one for a directory without it. Else it must be what the
  // file says.
  std::string cluster_id;
  BrokerId node_id{1};
  std::size_t cached_file_limit = 1024;
  // The most that the commit journal takes; 0: there is none.
  ByteCount journal_size_max = 0;
  ByteCount journal_file_size = 32 << 20;
};

struct FoundPartition {
  TopicPartition name;
  TopicId topic_id;         // all zero where partition.metadata is missing
  bool is_read = true;      // false: it is there, and does not read
  bool is_settled = false;  // of find_futures(): settle_future() was called
};

// Threading: open_log(), complete_creation() and begin_log() for different partitions may run at once, so may
// the checkpoint calls; the rest is for one thread.
//
// Failure: errors name path and call. A malformed checkpoint counts as absent, with a warning in warnings().
class LogDir {
 public:
  // Makes the directory if need be, locks it (Errc::lock_held), checks meta.properties (Errc::invalid_config
  // where node or cluster are others), reads the checkpoints and the clean-shutdown mark, and durably starts
  // a new incarnation. Deletions that a crash interrupted are due at the next remove_deleted_partitions().
  // Partition folders without a meta.properties beside them are taken over, with a warning.
  static Result<std::unique_ptr<LogDir>> open(const LogDirOptions& options);
  // Where no log was opened or created, the clean-shutdown mark is what it was before open().
  ~LogDir();

  const std::string& path() const;
  const std::string& cluster_id() const;
  bool was_clean() const;  // the last stop was, so nothing will be scanned
  // Apache Kafka ran on the directory since Sillok last did: known from a clean stop of Kafka, or from
  // note_kafka_ran().
  bool has_kafka_run() const;
  std::int64_t incarnation() const;
  const std::vector<std::string>& warnings() const;
  FileCache& file_cache();
  // Started and stopped by whoever flushes the logs; until then it only knows what the last run left.
  Journal& journal();

  // What tells the directory from the others of its broker; made, durably, where meta.properties has none
  // yet.
  Result<Uuid> require_directory_id();
  // Durably; for one whose meta.properties was lost and made anew.
  Result<void> set_directory_id(const Uuid& id);

  // What the recovery points say of places in the files is not believed any more, so that logs are read
  // whole; what was on disk still is known. True where the next start will do so too, should this one end
  // before it has recovery points of its own; `notes` says why not. Requires: no log was opened.
  bool note_kafka_ran(std::vector<std::string>& notes);

  // What the commit journal has of partitions that are not there is dropped with it, unless other directories
  // have some: then it is for who knows them all to call Journal::keep_only().
  enum class FramesOfOthers { drop, keep };
  Result<std::vector<FoundPartition>> find_partitions(FramesOfOthers frames = FramesOfOthers::drop) const;
  // Whether there is a partition folder of that name, and its topic as far as find_partitions() has read it.
  bool has_folder(const TopicPartition& name) const;
  std::optional<TopicId> topic_id_of(const TopicPartition& name) const;
  std::size_t folder_count() const;
  Result<std::unique_ptr<Log>> open_log(const TopicPartition& name, const LogConfig& config,
                                        RecoveryReport& report);
  // For a folder that find_partitions() named, before it is opened: one that a crash left of a creation,
  // without records or a readable partition.metadata, durably gets the id. False where nothing was to be
  // done.
  Result<bool> complete_creation(const TopicPartition& name, const TopicId& topic_id);
  // New partitions, many at a time, in steps that are better taken for all of them together: begin_log() for
  // each, sync() for each, sync_folder_names() once; they are durable then. What was begun and failed later
  // is there, and to be deleted. Errc::already_exists, but a folder without records or partition.metadata, as
  // a crash during a creation leaves it, is moved out of the way. Whatever the checkpoints say about an
  // earlier partition of that name is durably gone before.
  Result<LogCreation> begin_log(const TopicPartition& name, const TopicId& topic_id, const LogConfig& config,
                                LeaderEpoch first_epoch);
  Result<void> sync_folder_names();
  // Renames the folder so that it is no partition any more, durably; its files go later
  // (remove_deleted_partitions). Requires: the Log is destroyed, or retired.
  Result<void> delete_log(const TopicPartition& name);
  // Removes folders whose file.delete.delay.ms is over.
  Result<void> remove_deleted_partitions(SteadyTime now, std::int64_t delay_ms);

  // Futures: copies of partitions of other log directories, that come to be partitions of this one once they
  // are whole. Nothing else here counts them. log_dir_futures.cc has these.
  Result<std::vector<FoundPartition>> find_futures() const;
  bool has_future(const TopicPartition& name) const;
  // An empty log, durably; what there was of a future of that name is dropped before. Errc::already_exists
  // where there is a partition folder of that name, too_large where the name is too long for a future's.
  Result<std::unique_ptr<Log>> begin_future(const TopicPartition& name, const TopicId& topic_id,
                                            const LogConfig& config, Offset start);
  // Durably notes where it ends and starts, so that promote_future() finds next to nothing to scan, also
  // after a power cut. Requires: `log` is the future's, closed without an error.
  Result<void> settle_future(const TopicPartition& name, const Log& log);
  // Renames it so that it is no future any more, durably; its files go with remove_deleted_partitions().
  // Errc::not_found where there is none. Requires: nobody writes to the Log any more.
  Result<void> drop_future(const TopicPartition& name);
  // Makes it the partition of its name, durably. Where it was not settled, open_log() scans all of it.
  // Errc::already_exists where there is a partition folder of that name, not_found where there is no future,
  // corrupt where there are several. Requires: the Log is closed.
  Result<void> promote_future(const TopicPartition& name);

  struct CheckpointEntry {
    TopicPartition name;
    const Log* log;
    Offset high_watermark;
  };
  // Writes the recovery points (ours and Kafka's file), the log starts and the high watermarks of these
  // partitions, and keeps what the files said about others. Entries of partitions that were deleted meanwhile
  // are left out. A file without anything new is not written.
  Result<void> write_checkpoints(std::span<const CheckpointEntry> entries);
  // To be called before truncate_to() and truncate_fully_and_start_at(), which cut durable bytes on purpose:
  // durably forgets the partition's recovery point, and what the commit journal has of it, so that the next
  // start neither takes them for lost nor brings them back. No checkpoint of the partition may be written,
  // and nothing of it journaled, until the log is cut. Requires: the log was flushed, and nothing was
  // appended since, or what was may get lost.
  Result<void> forget_recovery_point(const TopicPartition& name);
  // After every log was closed: the last checkpoints and the clean-shutdown mark. No mark where a partition
  // is not healthy, or was opened but is not among the entries (Errc::offline), and, which is no error, where
  // there are unrecovered_folders(): the next start then scans what lies above the recovery points, which is
  // next to nothing.
  Result<void> close_clean(std::span<const CheckpointEntry> entries);
  // Partition folders that lay there at an unclean stop and that nobody opened since. Their last bytes may be
  // torn, and a mark would tell Kafka that they are not. Kafka's own metadata does not count.
  std::vector<std::string> unrecovered_folders() const;

  Result<SpaceUse> space() const;
  // A small file holds space that nothing else gets. It goes where the disk is full, as it does in open(), so
  // that the small writes without which nothing can be deleted have room; and comes back when there is some.
  // Not from two threads at once.
  Result<void> balance_reserve();

 private:
  class Impl;
  explicit LogDir(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sillok::storage
