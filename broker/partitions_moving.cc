// Partitions that go from one log directory to another: who may, and what becomes of the copies.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/partition_moves.h"
#include "broker/partitions.h"
#include "broker/rate_limited_log.h"
#include "storage/partition_folder.h"

namespace sillok::broker {

using protocol::ErrorCode;

// In Kafka's order. Only where nothing is missing: a copy may lie there that an earlier move left, and that
// would come back as a move.
ErrorCode Partitions::move(const std::string& topic, PartitionIndex partition, std::string_view path) {
  const storage::TopicPartition name{topic, partition};
  if (!storage::future_folder_name(name, {})) return ErrorCode::invalid_topic_exception;
  const auto refuse = [&](ErrorCode error, const char* why) {
    log_rate_limited("{}-{} is not moved to {}: {}", topic, partition.value, escape_for_log(path), why);
    return error;
  };
  const PathState state = path_state(path);
  if (state == PathState::unknown) return refuse(ErrorCode::log_dir_not_found, "it is none of log.dirs");
  if (state == PathState::failed) return refuse(ErrorCode::kafka_storage_error, "it could not be opened");
  const auto to = static_cast<std::size_t>(std::ranges::find(paths_, path) - paths_.begin());
  if (cordoned()[to]) return refuse(ErrorCode::invalid_replica_assignment, "it is one of cordoned.log.dirs");
  const Lookup found = find(topic, partition);
  if (found.is_unknown()) return ErrorCode::unknown_topic_or_partition;
  if (!found.partition || !found.partition->is_online())
    return refuse(ErrorCode::kafka_storage_error, "the partition is offline");
  if (moves_ == nullptr)
    return place_of(*found.partition) == to ? ErrorCode::none : ErrorCode::invalid_request;
  if (moves_->is_moving_to(name, to)) return ErrorCode::none;
  moves_->cancel(name, found.partition->topic_id());
  if (place_of(*found.partition) == to) return ErrorCode::none;
  if (!is_complete()) return refuse(ErrorCode::kafka_storage_error, "another log directory is missing");
  return moves_->start(found.partition, to) ? ErrorCode::none : ErrorCode::kafka_storage_error;
}

std::optional<std::size_t> Partitions::other_folder_of(const Partition& partition) const {
  const storage::TopicPartition name{partition.topic(), partition.index()};
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    const storage::LogDir& log_dir = *places_.open[p].log_dir;
    if (p == place_of(partition) || !log_dir.has_folder(name)) continue;
    const auto said = log_dir.topic_id_of(name);
    if (!said || *said == partition.topic_id()) return p;
  }
  return std::nullopt;
}

void Partitions::replace(const Partition& served, std::shared_ptr<Partition> next) {
  const Opening opening{served.topic(), served.index(), served.topic_id(), {}};
  publish({{&opening, std::move(next)}});
}

Result<std::vector<PartitionHost::Found>> Partitions::find_futures() {
  std::vector<Found> found;
  for (std::size_t p = 0; p < places_.open.size(); ++p) {
    for (storage::FoundPartition& future : TRY(places_.open[p].log_dir->find_futures())) {
      found.push_back({std::move(future.name.topic), future.name.partition, future.topic_id, p, paths_[p],
                       future.is_settled, places_.open[p].id});
    }
  }
  return found;
}

Result<void> Partitions::promote_future(const std::string& topic, PartitionIndex partition,
                                        std::size_t directory) {
  return places_.open[directory].log_dir->promote_future({topic, partition});
}

Result<void> Partitions::drop_future(const std::string& topic, PartitionIndex partition,
                                     std::size_t directory) {
  return places_.open[directory].log_dir->drop_future({topic, partition});
}

void Partitions::resume_move(const std::string& topic, PartitionIndex partition, std::size_t directory) {
  if (moves_ != nullptr) moves_->resume({topic, partition}, directory);
}

void Partitions::begin_again(const std::string& topic, PartitionIndex partition, std::size_t directory) {
  const storage::TopicPartition name{topic, partition};
  // Deleted meanwhile, or asked for anew.
  if (!places_.open[directory].log_dir->has_future(name) || moves_->is_moving_to(name, directory)) return;
  const Lookup found = find(topic, partition);
  const bool can_move =
      found.partition && place_of(*found.partition) != directory && !moves_->is_moving(name);
  if (can_move && moves_->start(found.partition, directory)) return;
  spdlog::warn("{}-{} is not moved to {} any more", topic, partition.value, paths_[directory]);
  const auto dropped = drop_future(topic, partition, directory);
  if (!dropped.ok() && dropped.error().code != Errc::not_found)
    spdlog::error("{}-{}: {}", topic, partition.value, dropped.error().describe());
}

void Partitions::add_futures(std::vector<LogDirView>& views) const {
  if (moves_ == nullptr) return;
  for (PartitionMoves::View& move : moves_->views()) {
    views[move.to].futures.push_back(
        {std::move(move.name.topic), move.name.partition, move.size, move.offset_lag});
  }
}

}  // namespace sillok::broker
