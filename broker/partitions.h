// All partitions of this broker, by topic.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/device.h"
#include "broker/partition.h"
#include "broker/partition_host.h"
#include "broker/partition_view.h"
#include "protocol/error_code.h"
#include "storage/log_dir.h"

namespace sillok::broker {

class PartitionMoves;

// Threading: lookups and for_each() from any thread; the PartitionHost part on one thread at a time.
class Partitions final : public PartitionHost, public PartitionsView {
 public:
  struct Lookup {
    // unknown: no such topic. offline: it exists, and its log cannot be served.
    enum class State { found, unknown, unknown_partition, offline };
    State state = State::unknown;
    std::shared_ptr<Partition> partition;  // set where found

    bool is_unknown() const { return state == State::unknown || state == State::unknown_partition; }
  };

  struct Place {
    storage::LogDir* log_dir;
    Device* device;
    Uuid id = {};  // its directory.id; all zero where it is alone, and may have none
  };
  // The log directories, as far as they could be opened, and at least one of them.
  struct Places {
    std::vector<Place> open;
    std::vector<std::string> failed;  // paths of those that could not
    std::vector<Uuid> missing;        // those that there were, and that are not open
    bool are_several = false;         // or were

    // False: others may have partitions.
    bool is_complete() const { return failed.empty() && missing.empty(); }
  };

  // `recovery_threads` is for each log directory.
  Partitions(Places places, std::int32_t recovery_threads);
  Partitions(storage::LogDir& log_dir, Device& device, std::int32_t recovery_threads)
      : Partitions({{{&log_dir, &device}}, {}, {}}, recovery_threads) {}

  Lookup find(std::string_view topic, PartitionIndex partition) const;
  Lookup find(const TopicId& topic, PartitionIndex partition) const;
  std::vector<std::shared_ptr<Partition>> all() const;  // those that could be opened
  bool have_fine_retention() const;                     // any of them; allocates nothing

  // PartitionsView.
  State state(std::string_view topic, PartitionIndex partition) const override;

  // PartitionHost.
  Result<std::vector<Found>> find() override;
  bool is_complete() const override { return places_.is_complete(); }
  bool are_directories_several() const override { return places_.are_several; }
  DirectoryState directory_state(const Uuid& id) const override;
  std::optional<Uuid> directory_of(const std::string& topic, PartitionIndex partition) const override;
  bool is_sound(const std::string& topic, PartitionIndex partition) const override;
  std::optional<std::string> placement_fault() const override;
  Result<void> open(const std::vector<Opening>& partitions) override;
  Result<void> create(const std::vector<Opening>& partitions) override;
  Result<void> remove(const std::string& topic, PartitionIndex partition) override;
  Result<void> remove_folder(const std::string& topic, PartitionIndex partition,
                             const TopicId& topic_id) override;
  Result<void> remove_from(const Uuid& directory, const std::string& topic,
                           PartitionIndex partition) override;
  void keep_offline(const std::vector<Opening>& partitions) override;
  void set_config(const std::string& topic, PartitionIndex partition,
                  const storage::LogConfig& config) override;
  Result<std::vector<Found>> find_futures() override;
  Result<void> promote_future(const std::string& topic, PartitionIndex partition,
                              std::size_t directory) override;
  Result<void> drop_future(const std::string& topic, PartitionIndex partition,
                           std::size_t directory) override;
  void resume_move(const std::string& topic, PartitionIndex partition, std::size_t directory) override;

  // The directories with these paths get no new partitions.
  void cordon(const std::vector<std::string>& paths);

  // Writes the recovery points and the other checkpoints of the directories.
  Result<void> write_checkpoints();
  // Of these partitions only.
  Result<void> write_checkpoints(const std::vector<std::shared_ptr<Partition>>& partitions);

  struct LogDirView {
    std::string path;
    Result<storage::SpaceUse> space;  // an error also for one that could not be opened, or failed since
    std::vector<std::shared_ptr<Partition>> partitions;  // that are served from it
    bool is_cordoned = false;
    struct Future {
      std::string topic;
      PartitionIndex partition;
      ByteCount size = 0;
      std::int64_t offset_lag = 0;
    };
    std::vector<Future> futures = {};  // that are copied to it
  };
  // May block.
  std::vector<LogDirView> log_dirs() const;
  // As log_dirs() calls it. Does not block.
  enum class PathState { unknown, failed, open };
  PathState path_state(std::string_view path) const;

  // Moves between the directories; partitions_moving.cc has these. Before anything is moved, and for as long.
  void use(PartitionMoves& moves) { moves_ = &moves; }
  // On the control executor: the partition shall be in the directory with that path. Kafka's error; none
  // where it is there, or on its way. A move to another one is given up.
  protocol::ErrorCode move(const std::string& topic, PartitionIndex partition, std::string_view path);
  // On the control executor: a move that resume_move() named.
  void begin_again(const std::string& topic, PartitionIndex partition, std::size_t directory);
  const Place& place(std::size_t index) const { return places_.open[index]; }
  const std::string& path(std::size_t index) const { return paths_[index]; }  // absolute
  std::size_t place_of(const Partition& partition) const;
  // Another directory that has a folder of it, too.
  std::optional<std::size_t> other_folder_of(const Partition& partition) const;
  // On the control executor: `next` is served in the place of `served`; null is offline.
  void replace(const Partition& served, std::shared_ptr<Partition> next);

  // The orderly end: nothing is appended any more, every log is flushed and closed, and each directory is
  // marked clean if all of its logs could be.
  Result<void> close();

 private:
  struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  // By partition index; null is one that is offline.
  struct Topic {
    TopicId id;
    std::vector<std::shared_ptr<Partition>> partitions;
  };
  struct Table {
    std::unordered_map<std::string, std::shared_ptr<const Topic>, StringHash, std::equal_to<>> by_name;
    std::unordered_map<TopicId, std::shared_ptr<const Topic>> by_id;
  };
  struct Opened {
    const Opening* opening = nullptr;
    std::shared_ptr<Partition> partition;
    bool was_clean = false;  // its last stop was
  };

  std::shared_ptr<const Table> table() const;
  static Lookup look_up(const Topic& topic, PartitionIndex partition);
  void publish(const std::vector<Opened>& opened);
  Opened open_in(const Place& place, const Opening& opening);
  // False where it cannot.
  static bool begin_to_lead(const Opened& opened);
  // Durable but for the names of the folders. Where a directory fails the next one is tried: `chosen` says
  // then which it was.
  Result<void> create_some(std::span<const Opening> openings, std::span<std::size_t> chosen,
                           std::span<Opened> opened);
  Result<storage::LogCreation> begin_in(const Opening& opening, std::size_t& place);

  // partitions_places.cc has these. Places are told by their index.
  std::size_t place_of(const Opening& opening) const;
  std::vector<std::size_t> choose_places(const std::vector<Opening>& openings) const;
  std::optional<std::size_t> other_place(std::span<const std::size_t> tried) const;
  // Which of the places must get no new partitions, as far as others can.
  std::vector<bool> closed_places() const;
  // Keeps the journals that have something of partitions that may be in directories which are missing.
  void hold_unopened();
  std::optional<std::string> records_left_behind(const Place& place, const storage::Log& log,
                                                 const storage::TopicPartition& name);
  std::vector<std::size_t> places_of_folder(const storage::TopicPartition& name, const TopicId& id) const;
  std::vector<bool> cordoned() const;
  void add_futures(std::vector<LogDirView>& views) const;
  using CheckpointEntries = std::vector<storage::LogDir::CheckpointEntry>;
  // By place, of those that are not stopped.
  std::vector<CheckpointEntries> entries_of(const std::vector<std::shared_ptr<Partition>>& partitions) const;
  bool holds_records(std::size_t place) const;
  // By place; which of its logs could be closed too.
  std::vector<bool> close_logs(const std::vector<std::shared_ptr<Partition>>& partitions);
  static Result<void> mark_clean(storage::LogDir& log_dir, const CheckpointEntries& entries);
  // What is served of that topic; it is not any more.
  std::shared_ptr<Partition> take_out(const std::string& topic, PartitionIndex partition,
                                      const TopicId& topic_id);

  const Places places_;
  const std::vector<std::string> paths_;  // of places_.open, absolute
  const std::int32_t recovery_threads_;
  PartitionMoves* moves_ = nullptr;  // null: nothing is moved
  mutable std::mutex mutex_;         // guards what follows, for as long as it is copied
  std::shared_ptr<const Table> table_;
  std::vector<bool> cordoned_;  // by place
  std::vector<bool> failing_;   // by place: a partition could not be made there
  std::vector<bool> holding_;   // by place: its journal has what a folder that was moved away lacks
};

}  // namespace sillok::broker
