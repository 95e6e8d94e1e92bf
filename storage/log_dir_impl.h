// What is behind LogDir: log_dir.cc opens, creates and deletes, log_dir_checkpoints.cc reads and writes what
// is known of all partitions together, log_dir_futures.cc has those that come from other log directories,
// log_dir_kafka.cc what becomes of it all when Kafka ran in between.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown.h"
#include "storage/file_cache.h"
#include "storage/log_dir.h"
#include "storage/recovery_points.h"

namespace sillok::storage {

// Whether a clean mark may vouch for a partition.
enum class Soundness {
  settled,      // it was closed in good health, now or before the last clean stop
  opened,       // and has to be closed first
  unrecovered,  // it lay there at an unclean stop, and nobody opened it since
};

struct OwnedRecoveryPoint {
  TopicId topic_id;
  RecoveryPoint point;
  friend bool operator==(const OwnedRecoveryPoint&, const OwnedRecoveryPoint&) = default;
};

// What the checkpoints say of one partition.
struct KnownPartition {
  std::optional<OwnedRecoveryPoint> recovery_point;
  // All below was on disk, as Kafka's file of recovery points has it. Where there is no point of ours, nobody
  // knows where in the files that is.
  std::optional<Offset> durable_end;
  bool has_kafka_written = false;  // that line, when it was read
  Offset log_start{0};
  std::optional<Offset> high_watermark;
  std::optional<TopicId> topic_id;  // once find_partitions() has read it
  Soundness soundness = Soundness::settled;
  bool is_listed = false;     // in a file of recovery points: whoever stopped last knew the partition
  bool is_as_closed = false;  // it was settled before it became a partition, and not opened since
};

// What the checkpoints say of the future of one name.
struct KnownFuture {
  std::vector<std::string> folders;                  // one, but for what somebody else made
  std::optional<OwnedRecoveryPoint> recovery_point;  // once it is settled
  Offset log_start{0};
};

// For names that no other folder has. log_dir.cc has it.
std::array<std::uint8_t, 16> random_bytes();

// The files that the checkpoints of a log directory are.
enum class CheckpointFile : unsigned { recovery_points = 1, log_starts = 2, high_watermarks = 4 };

class LogDir::Impl {
 public:
  explicit Impl(const LogDirOptions& options);
  // A run that ends before it opened a log, for whatever reason, leaves the clean-shutdown mark as it was.
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // log_dir.cc
  Result<void> open();
  Result<Uuid> require_directory_id();
  Result<void> set_directory_id(const Uuid& id);
  Result<std::vector<FoundPartition>> find_partitions(FramesOfOthers frames);
  bool has_folder(const TopicPartition& name) const;
  std::optional<TopicId> topic_id_of(const TopicPartition& name) const;
  std::size_t folder_count() const;
  Result<std::unique_ptr<Log>> open_log(const TopicPartition& name, const LogConfig& config,
                                        RecoveryReport& report);
  Result<bool> complete_creation(const TopicPartition& name, const TopicId& topic_id);
  Result<LogCreation> begin_log(const TopicPartition& name, const TopicId& topic_id, const LogConfig& config,
                                LeaderEpoch first_epoch);
  Result<void> sync_folder_names() { return file_system().sync_directory(options_.path); }
  Result<void> delete_log(const TopicPartition& name);
  Result<void> remove_deleted_partitions(SteadyTime now, std::int64_t delay_ms);
  Result<void> balance_reserve();
  Journal& journal() { return *journal_; }

  // log_dir_kafka.cc
  bool note_kafka_ran(std::vector<std::string>& notes);

  // log_dir_futures.cc
  std::vector<FoundPartition> find_futures() const;
  bool has_future(const TopicPartition& name) const;
  Result<std::unique_ptr<Log>> begin_future(const TopicPartition& name, const TopicId& topic_id,
                                            const LogConfig& config, Offset start);
  Result<void> settle_future(const TopicPartition& name, const Log& log);
  Result<void> drop_future(const TopicPartition& name);
  Result<void> promote_future(const TopicPartition& name);

  // log_dir_checkpoints.cc
  Result<void> write_checkpoints(std::span<const CheckpointEntry> entries);
  Result<void> forget_recovery_point(const TopicPartition& name);
  Result<void> close_clean(std::span<const CheckpointEntry> entries);
  std::vector<std::string> unrecovered_folders() const;

  const LogDirOptions options_;
  FileCache file_cache_;
  std::string cluster_id_;
  bool was_clean_ = false;
  bool has_kafka_run_ = false;        // since the last run of ours
  bool has_recovery_points_ = false;  // a file of our own: what it lacks is not lost
  std::int64_t incarnation_ = 0;
  std::vector<std::string> warnings_;

 private:
  struct DeletedFolder {
    std::string name;
    std::optional<SteadyTime> since;  // none: of an earlier run, so nobody reads it any more
  };

  FileSystem& file_system() const { return *options_.file_system; }
  std::string path_of(std::string_view name) const { return join_path(options_.path, name); }
  LogOptions log_options(std::string_view folder, const LogConfig& config);

  Result<void> make_directory();
  // Whether the directory may be used at all. Nothing is written before it.
  Result<void> check_identity();
  Result<void> write_identity();
  Result<void> give_reserve_away();
  Result<void> list_folders();
  Result<void> open_journal();
  // None where the folder does not say its topic's id: then nothing of it was ever journaled.
  std::optional<JournalKey> journal_key(const TopicPartition& name) const;
  Result<bool> is_halved_creation(const std::string& folder);
  // Whatever the checkpoint files say of an earlier partition of that name is durably gone.
  Result<void> forget_old_lines(const TopicPartition& name);
  void forget_files(const std::string& folder, const std::string& deleted);
  // Of the future with `name`, none where there is no such.
  std::optional<KnownFuture> known_future(const TopicPartition& name) const;

  // A file that is not as it should be counts as absent; but a disk that does not read is an error.
  template <class Entries>
  Result<Entries> or_absent(Result<Entries> read);
  // Requires: list_folders() was called.
  Result<void> read_checkpoints();
  void note_checkpoint(const CheckpointEntry& entry);
  Result<void> write_changed();
  Result<void> write_recovery_points();
  Result<void> write_log_starts();
  Result<void> write_high_watermarks();
  void mark_changed(CheckpointFile file) { changed_files_ |= static_cast<unsigned>(file); }
  bool is_changed(CheckpointFile file) const { return (changed_files_ & static_cast<unsigned>(file)) != 0; }

  std::unique_ptr<FileLock> lock_;
  std::optional<CleanShutdownMark> mark_as_it_was_;
  std::atomic<bool> has_opened_log_ = false;
  bool is_first_run_ = false;
  std::optional<std::string> known_cluster_id_;  // of meta.properties
  std::unique_ptr<Journal> journal_;

  std::mutex checkpoint_mutex_;                     // while checkpoint files are written; taken before mutex_
  mutable std::mutex mutex_;                        // all below; never held across a call to the file system
  std::map<TopicPartition, KnownPartition> known_;  // one for each partition folder
  std::map<TopicPartition, KnownFuture> futures_;
  // Partitions that are gone, but still have lines in the files.
  std::set<TopicPartition> stale_;
  std::vector<DeletedFolder> deleted_;
  unsigned changed_files_ = 0;
};

}  // namespace sillok::storage
