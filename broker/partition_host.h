// How the topics' bookkeeping makes and ends partitions, without knowing logs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/base/uuid.h"
#include "storage/log_config.h"

namespace sillok::broker {

// Threading: one thread at a time (the control executor, or the start of the process). May block.
class PartitionHost {
 public:
  virtual ~PartitionHost() = default;

  struct Found {
    std::string topic;
    PartitionIndex partition;
    TopicId topic_id;           // all zero where the folder does not say
    std::size_t directory = 0;  // which of the log directories has it
    std::string directory_path = {};
    bool is_whole = false;   // of find_futures(): only its place was to change any more
    Uuid directory_id = {};  // all zero for a directory that is alone, and may have none
  };
  // The partition folders that are there, of all log directories.
  virtual Result<std::vector<Found>> find() = 0;
  // False where a log directory is not there that may have partitions which find() does not name.
  virtual bool is_complete() const { return true; }
  // Whether there are, or were, several log directories, so that it matters in which of them a partition is.
  virtual bool are_directories_several() const { return false; }
  enum class DirectoryState { open, missing, unknown };
  virtual DirectoryState directory_state(const Uuid& /*id*/) const { return DirectoryState::unknown; }
  // The directory.id of the one that a partition is served from; nullopt where it is not.
  virtual std::optional<Uuid> directory_of(const std::string& /*topic*/, PartitionIndex /*partition*/) const {
    return std::nullopt;
  }
  // Whether it is served, and nothing of it is known to be damaged.
  virtual bool is_sound(const std::string& /*topic*/, PartitionIndex /*partition*/) const { return true; }
  // Why there is no place for new partitions; nullopt: there is.
  virtual std::optional<std::string> placement_fault() const { return std::nullopt; }
  // Opens what find() named, on several threads. A partition that cannot be opened is offline, which is no
  // error here.
  struct Opening {
    std::string topic;
    PartitionIndex partition;
    TopicId topic_id;
    storage::LogConfig config;
    // It is led with this epoch, or a later one: what another broker may have told clients of it.
    LeaderEpoch leader_epoch_min{0};
    // Of what is to be opened: the directory that has it, where there are several.
    std::optional<std::size_t> directory = {};
  };
  virtual Result<void> open(const std::vector<Opening>& partitions) = 0;
  // Makes the folder and its log, durably, and serves it. Several at once, so that their syncs can be shared.
  virtual Result<void> create(const std::vector<Opening>& partitions) = 0;
  // Serves it no more: what waits in it is answered with UNKNOWN_TOPIC_OR_PARTITION; the folder is renamed
  // durably and removed after file.delete.delay.ms. Also of a folder that find() named and that was never
  // opened. Errc::not_found where there is no folder.
  virtual Result<void> remove(const std::string& topic, PartitionIndex partition) = 0;
  // The same for the folder of one topic, where another one's may have the same name in another directory:
  // whichever of them has `topic_id`.
  virtual Result<void> remove_folder(const std::string& topic, PartitionIndex partition,
                                     const TopicId& /*topic_id*/) {
    return remove(topic, partition);
  }
  // The same for the folder in the open directory with this id, which nobody serves.
  virtual Result<void> remove_from(const Uuid& /*directory*/, const std::string& topic,
                                   PartitionIndex partition) {
    return remove(topic, partition);
  }
  // They exist, and are offline: neither opened nor made.
  virtual void keep_offline(const std::vector<Opening>& /*partitions*/) {}
  virtual void set_config(const std::string& topic, PartitionIndex partition,
                          const storage::LogConfig& config) = 0;

  // The copies that moves between log directories, which did not come to their end, left.
  virtual Result<std::vector<Found>> find_futures() { return std::vector<Found>(); }
  // Before the partition is opened: the copy in that directory becomes its folder there, durably.
  // Errc::not_found where there is none, already_exists where there is such a folder.
  virtual Result<void> promote_future(const std::string& topic, PartitionIndex /*partition*/,
                                      std::size_t /*directory*/) {
    return Error{Errc::not_found, topic};
  }
  // Durably. Errc::not_found where there is none.
  virtual Result<void> drop_future(const std::string& topic, PartitionIndex /*partition*/,
                                   std::size_t /*directory*/) {
    return Error{Errc::not_found, topic};
  }
  // Once the partition is open: moves it there, from the beginning. Where that cannot be, it stays where it
  // is, which the log says, and the copy is dropped.
  virtual void resume_move(const std::string& /*topic*/, PartitionIndex /*partition*/,
                           std::size_t /*directory*/) {}
};

}  // namespace sillok::broker
