#include "broker/partition_moves.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "storage/recovery_points.h"

namespace sillok::broker {

PartitionMoves::Move PartitionMoves::find(const storage::TopicPartition& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = moves_.find(name);
  return found == moves_.end() ? nullptr : found->second;
}

std::vector<PartitionMoves::View> PartitionMoves::views() const {
  std::vector<Move> moves;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, move] : moves_) moves.push_back(move);
  }
  std::vector<View> views;
  for (const Move& move : moves)
    views.push_back({move->name(), move->to(), move->copy().size(), move->offset_lag()});
  return views;
}

bool PartitionMoves::is_moving_to(const storage::TopicPartition& name, std::size_t to) const {
  const Move move = find(name);
  return move != nullptr && move->to() == to;
}

void PartitionMoves::set_config(const storage::TopicPartition& name, const storage::LogConfig& config) {
  if (const Move move = find(name)) move->set_config(config);
}

bool PartitionMoves::start(const std::shared_ptr<Partition>& partition, std::size_t to) {
  const storage::TopicPartition name{partition->topic(), partition->index()};
  const auto refuse = [&](const std::string& why) {
    spdlog::error("{}-{} is not moved to {}: {}", name.topic, name.partition.value, partitions_.path(to),
                  why);
    return false;
  };
  if (unsure_.contains({partition->topic_id(), name.partition}))
    return refuse("a move of it may have been recorded, which the next start finds out");
  // Two sources of one partition, and nothing would tell which of them is older.
  if (const auto left = partitions_.other_folder_of(*partition)) {
    return refuse(partitions_.path(*left) +
                  " has a folder of it too, left from an earlier move: the next start removes it");
  }
  const storage::Log& log = partition->log();
  if (log.health() != storage::LogHealth::healthy) return refuse("it is damaged, or offline");
  const Partitions::Place& place = partitions_.place(to);
  if (place.device->space().is_short()) return refuse("the disk is nearly full");
  auto copy = place.log_dir->begin_future(name, partition->topic_id(), *partition->config(), log.log_start());
  if (!copy.ok()) return refuse(copy.error().describe());
  // Those that wait hold no open file: it goes at the second look at a log that has not changed.
  for (int look = 0; look < 2; ++look) (void)(*copy)->recovery_point();
  const auto move = std::make_shared<PartitionMove>(partition, to, *place.device, std::move(copy).value());
  spdlog::info("{}-{} moves from {} to {}", name.topic, name.partition.value,
               partitions_.path(partitions_.place_of(*partition)), partitions_.path(to));
  {
    const std::lock_guard lock(mutex_);
    moves_[name] = move;
  }
  waiting_.push_back(move);
  begin_waiting();
  return true;
}

// One at a time, so that requests come in between.
void PartitionMoves::run() {
  is_running_ = true;
  begin_waiting();
  for (const auto& [name, to] : std::exchange(to_resume_, {})) {
    control_.post([this, name = name, to = to] { partitions_.begin_again(name.topic, name.partition, to); });
  }
}

void PartitionMoves::stop() {
  for (const auto& [name, move] : moves_) move->abandon();
}

void PartitionMoves::begin_waiting() {
  while (is_running_ && !waiting_.empty() && active_.size() < kMovesAtATime) {
    const Move move = std::move(waiting_.front());
    waiting_.pop_front();
    active_.insert(move);
    post_step(move);
  }
}

// At the end of the queue, so that all that are active come in turn. What is cancelled is not held there: the
// step may have long to wait, and the files would keep their blocks.
void PartitionMoves::post_step(const Move& move) {
  background_.post([this, waiting = std::weak_ptr(move)] { step(waiting); });
}

void PartitionMoves::step(const std::weak_ptr<PartitionMove>& waiting) {
  if (!throttle_.wait()) return;
  const Move move = waiting.lock();
  if (!move) return;
  const auto progress = move->step(buffer_);
  throttle_.note(move->take_copied());
  if (!progress.ok()) {
    control_.post([this, move, error = progress.error()] { give_up(move, error); });
    return;
  }
  switch (*progress) {
    case PartitionMove::Progress::more:
      return post_step(move);
    case PartitionMove::Progress::caught_up:
      control_.post([this, move] { swap(move); });
      return;
    case PartitionMove::Progress::cancelled:
      return;
  }
}

void PartitionMoves::end(const Move& move) {
  std::erase(waiting_, move);
  active_.erase(move);
  {
    const std::lock_guard lock(mutex_);
    const auto found = moves_.find(move->name());
    if (found != moves_.end() && found->second == move) moves_.erase(found);
  }
  begin_waiting();
}

bool PartitionMoves::drop_copy(const Move& move) {
  move->cancel();
  const auto dropped = partitions_.place(move->to()).log_dir->drop_future(move->name());
  if (dropped.ok()) return true;
  spdlog::error("the copy of {} is left behind: {}", move->copy().directory(), dropped.error().describe());
  return false;
}

void PartitionMoves::cancel(const storage::TopicPartition& name, const TopicId& topic_id) {
  const Move move = find(name);
  if (!move || move->source()->topic_id() != topic_id) return;
  spdlog::info("{}-{} does not move to {} any more", name.topic, name.partition.value,
               partitions_.path(move->to()));
  drop_copy(move);
  end(move);
}

void PartitionMoves::give_up(const Move& move, const Error& error) {
  if (find(move->name()) != move) return;  // it was cancelled meanwhile
  spdlog::error("{}-{} stays where it is, and does not move to {}: {}", move->name().topic,
                move->name().partition.value, partitions_.path(move->to()), error.describe());
  drop_copy(move);
  end(move);
}

}  // namespace sillok::broker
