// All partitions of this broker, by topic.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/device.h"
#include "broker/partition.h"
#include "broker/partition_host.h"
#include "broker/partition_view.h"
#include "storage/log_dir.h"

namespace sillok::broker {

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

  Partitions(storage::LogDir& log_dir, Device& device, std::int32_t recovery_threads)
      : log_dir_(log_dir),
        device_(device),
        recovery_threads_(recovery_threads),
        table_(std::make_shared<const Table>()) {}

  Lookup find(std::string_view topic, PartitionIndex partition) const;
  Lookup find(const TopicId& topic, PartitionIndex partition) const;
  std::vector<std::shared_ptr<Partition>> all() const;  // those that could be opened
  bool have_fine_retention() const;                     // any of them; allocates nothing

  // PartitionsView.
  State state(std::string_view topic, PartitionIndex partition) const override;

  // PartitionHost.
  Result<std::vector<Found>> find() override;
  Result<void> open(const std::vector<Opening>& partitions) override;
  Result<void> create(const std::vector<Opening>& partitions) override;
  Result<void> remove(const std::string& topic, PartitionIndex partition) override;
  void set_config(const std::string& topic, PartitionIndex partition,
                  const storage::LogConfig& config) override;

  // Writes the recovery points and the other checkpoints of the directory.
  Result<void> write_checkpoints();
  // Of these partitions only.
  Result<void> write_checkpoints(const std::vector<std::shared_ptr<Partition>>& partitions);

  struct LogDirView {
    std::string path;
    Result<storage::SpaceUse> space;
    std::vector<std::shared_ptr<Partition>> partitions;  // that are served from it
  };
  // May block.
  std::vector<LogDirView> log_dirs() const;
  // As log_dirs() calls it. Does not block.
  bool is_log_dir(std::string_view path) const;
  // The orderly end: nothing is appended any more, every log is flushed and closed, and the directory is
  // marked clean if all of them could be.
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
  Opened open_one(const Opening& opening);
  // False where it cannot.
  static bool begin_to_lead(const Opened& opened);
  // Durable but for the names of the folders.
  Result<void> create_some(std::span<const Opening> openings, std::span<Opened> opened);

  storage::LogDir& log_dir_;
  Device& device_;
  const std::int32_t recovery_threads_;
  mutable std::mutex mutex_;  // guards table_, for as long as the pointer is copied
  std::shared_ptr<const Table> table_;
};

}  // namespace sillok::broker
