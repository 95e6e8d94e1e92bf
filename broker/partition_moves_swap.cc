// The end of a move, on the control executor: the copy becomes the partition. Until it is recorded the source
// is the partition, whatever fails; from then on the copy is.
#include <spdlog/spdlog.h>

#include <utility>

#include "broker/partition_moves.h"

namespace sillok::broker {

using protocol::ErrorCode;

void PartitionMoves::swap(const Move& move) {
  if (find(move->name()) != move) return;  // it was cancelled meanwhile
  Bytes buffer;
  const auto progress = move->step(buffer);
  throttle_.note(move->take_copied());
  if (!progress.ok()) return give_up(move, progress.error());
  if (*progress == PartitionMove::Progress::more) return post_step(move);
  // It would take long until nothing waits for the disk.
  Device& device = *partitions_.place(partitions_.place_of(*move->source())).device;
  if (device.is_full()) {
    return device.when_not_full([this, waiting = std::weak_ptr(move)] {
      if (const Move still = waiting.lock()) post_step(still);
    });
  }
  const auto paused = move->source()->pause();
  if (!paused.ok()) {
    const bool is_busy = paused.error().code == Errc::would_block;
    return is_busy && move->may_try_again() ? post_step(move) : give_up(move, paused.error());
  }
  Result<void> done = move->finish(buffer);
  throttle_.note(move->take_copied());
  if (done.ok()) done = partitions_.place(move->to()).log_dir->settle_future(move->name(), move->copy());
  if (!done.ok()) {
    give_up(move, done.error());
    return move->source()->resume();
  }
  if (record(move)) serve_copy(move);
  end(move);
}

// An error says nothing of what is on disk. Without the copy the next start goes by the source, whatever it
// finds recorded: so the copy must be gone before that takes records again.
bool PartitionMoves::record(const Move& move) {
  if (recorder_ == nullptr) return true;
  const std::shared_ptr<Partition>& source = move->source();
  const Partitions::Place& from = partitions_.place(partitions_.place_of(*source));
  const auto recorded = recorder_->record_move(source->topic(), source->topic_id(), source->index(), from.id,
                                               partitions_.place(move->to()).id);
  if (recorded.ok()) return true;
  unsure_.insert({source->topic_id(), source->index()});
  spdlog::error("{}-{} does not move to {}: {}", source->topic(), source->index().value,
                partitions_.path(move->to()), recorded.error().describe());
  if (drop_copy(move)) {
    source->resume();
    return false;
  }
  spdlog::error("partition {}-{} is offline until the next start, which finds out where it is",
                source->topic(), source->index().value);
  partitions_.replace(*source, nullptr);
  source->stop(ErrorCode::kafka_storage_error);
  return false;
}

Result<std::shared_ptr<Partition>> PartitionMoves::open_copy(const PartitionMove& move) {
  const Partition& source = *move.source();
  const Partitions::Place& place = partitions_.place(move.to());
  const std::shared_ptr<const storage::LogConfig> config = source.config();
  TRY(place.log_dir->promote_future(move.name()));
  storage::RecoveryReport report;
  auto log = TRY(place.log_dir->open_log(move.name(), *config, report));
  for (const std::string& note : report.notes)
    spdlog::warn("{}-{}: {}", source.topic(), source.index().value, note);
  if (log->log_end() != source.log().log_end() || log->health() != storage::LogHealth::healthy)
    return Error{Errc::corrupt, log->directory() + ": the copy is not what it was"};
  auto partition =
      std::make_shared<Partition>(source.topic(), source.index(), std::move(log), *place.device, *config);
  // The same one: nothing of what clients know of the partition has changed.
  TRY(partition->lead(source.leader_epoch()));
  return partition;
}

void PartitionMoves::serve_copy(const Move& move) {
  Partition& source = *move->source();
  auto opened = open_copy(*move);
  if (!opened.ok()) return take_back(move, opened.error());
  source.hand_over_to(*opened);
  partitions_.replace(source, *opened);
  source.stop(ErrorCode::not_leader_or_follower);
  source.log().retire();
  // Retention may have been under way in the source.
  const Offset start = source.log().log_start();
  if (start > (*opened)->log().log_start()) (void)(*opened)->set_log_start(start);
  remove_source(move);
}

// Nothing was served from the copy: the source is as good as before. First it is recorded, then the copy
// goes: in between both are there, and the record tells.
void PartitionMoves::take_back(const Move& move, const Error& error) {
  const std::shared_ptr<Partition>& source = move->source();
  spdlog::error("{}-{} cannot be served from {}: {}", source->topic(), source->index().value,
                partitions_.path(move->to()), error.describe());
  Result<void> recorded;
  if (recorder_ != nullptr) {
    const Uuid& from = partitions_.place(partitions_.place_of(*source)).id;
    recorded = recorder_->take_back(source->topic(), source->topic_id(), source->index(), from);
  }
  if (!recorded.ok()) {
    spdlog::error("partition {}-{} is offline until the next start: {}", source->topic(),
                  source->index().value, recorded.error().describe());
    partitions_.replace(*source, nullptr);
    return source->stop(ErrorCode::kafka_storage_error);
  }
  storage::LogDir& log_dir = *partitions_.place(move->to()).log_dir;
  const bool is_promoted = !log_dir.has_future(move->name());
  const auto dropped = is_promoted ? log_dir.delete_log(move->name()) : log_dir.drop_future(move->name());
  if (!dropped.ok()) {
    unsure_.insert({source->topic_id(), source->index()});
    spdlog::error("the copy of {}-{} in {} is left behind: {}", source->topic(), source->index().value,
                  log_dir.path(), dropped.error().describe());
  }
  source->resume();
}

void PartitionMoves::remove_source(const Move& move) {
  const Partition& source = *move->source();
  const std::size_t from = partitions_.place_of(source);
  const auto removed = partitions_.place(from).log_dir->delete_log(move->name());
  if (!removed.ok()) {
    return spdlog::error("{}-{} moved to {}, but its folder in {} stays until the next start: {}",
                         source.topic(), source.index().value, partitions_.path(move->to()),
                         partitions_.path(from), removed.error().describe());
  }
  spdlog::info("{}-{} moved from {} to {}", source.topic(), source.index().value, partitions_.path(from),
               partitions_.path(move->to()));
  if (recorder_ == nullptr) return;
  const auto ended = recorder_->end_move(source.topic(), source.topic_id(), source.index());
  if (!ended.ok()) spdlog::warn("{}-{}: {}", source.topic(), source.index().value, ended.error().describe());
}

}  // namespace sillok::broker
