// All partitions that move to another log directory of this broker (AlterReplicaLogDirs).
//
// The way of one: start() makes an empty copy; steps on the background executor bring it up to what consumers
// see; then, on the control executor, appends wait for a moment, the rest is copied, it is recorded that the
// copy is the partition, and it is served instead (partition_moves_swap.cc).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "broker/executor.h"
#include "broker/move_recorder.h"
#include "broker/move_throttle.h"
#include "broker/partition_move.h"
#include "broker/partitions.h"

namespace sillok::broker {

// That are copied in turn; the others wait, with empty copies. Each has up to kMoveUnflushedMax to flush.
inline constexpr std::size_t kMovesAtATime = 4;

// Threading: views(), set_rate(), delay() and stop_copying() from any thread; run() and stop() while neither
//   executor runs anything of it; everything else on the control executor. `background` has one thread.
// Failure: a move whose copy cannot be read or written ends with an error in the log, its copy dropped; the
//   partition stays where it is.
class PartitionMoves {
 public:
  PartitionMoves(Partitions& partitions, const storage::Clock& clock, Executor& background, Executor& control)
      : partitions_(partitions), background_(background), control_(control), throttle_(clock) {}

  // Where moves are recorded. Without one, a crash while a partition is swapped leaves two folders of it.
  void use(MoveRecorder& recorder) { recorder_ = &recorder; }

  // Nothing is copied before.
  void run();
  // Before run(): a move that a stop interrupted, to be begun anew then.
  void resume(const storage::TopicPartition& name, std::size_t to) { to_resume_.emplace_back(name, to); }
  // Bytes a second of all moves together; kNoMoveLimit: as fast as it goes.
  void set_rate(std::int64_t bytes_per_second) { throttle_.set_rate(bytes_per_second); }
  // Until the next step may run. nullopt: not at this rate.
  std::optional<std::chrono::nanoseconds> delay() const { return throttle_.delay(); }
  // For good, and no step waits any longer.
  void stop_copying() { throttle_.stop(); }
  // After both executors have ended: the copies stay, to be resumed or dropped at the next start.
  void stop();

  // Whether it begins; else the log says why not. Requires: no move of the partition is under way.
  bool start(const std::shared_ptr<Partition>& partition, std::size_t to);
  bool is_moving(const storage::TopicPartition& name) const { return find(name) != nullptr; }
  bool is_moving_to(const storage::TopicPartition& name, std::size_t to) const;
  // Gives up the move of that partition of that topic, if there is one, and drops the copy.
  void cancel(const storage::TopicPartition& name, const TopicId& topic_id);
  void set_config(const storage::TopicPartition& name, const storage::LogConfig& config);

  struct View {
    storage::TopicPartition name;
    std::size_t to = 0;
    ByteCount size = 0;  // of the copy
    std::int64_t offset_lag = 0;
  };
  std::vector<View> views() const;

 private:
  using Move = std::shared_ptr<PartitionMove>;

  Move find(const storage::TopicPartition& name) const;
  void begin_waiting();
  void post_step(const Move& move);
  void step(const std::weak_ptr<PartitionMove>& waiting);
  // No more of it; the next that waits begins.
  void end(const Move& move);
  // It is of no use any more. False, and told, where its folder stays.
  bool drop_copy(const Move& move);
  void give_up(const Move& move, const Error& error);

  // partition_moves_swap.cc
  void swap(const Move& move);
  // False where the partition stays, and is served on; or cannot be served any more.
  bool record(const Move& move);
  Result<std::shared_ptr<Partition>> open_copy(const PartitionMove& move);
  void serve_copy(const Move& move);
  void take_back(const Move& move, const Error& error);
  void remove_source(const Move& move);

  Partitions& partitions_;
  Executor& background_;
  Executor& control_;
  MoveThrottle throttle_;
  MoveRecorder* recorder_ = nullptr;
  bool is_running_ = false;
  std::vector<std::pair<storage::TopicPartition, std::size_t>> to_resume_;
  std::deque<Move> waiting_;
  std::set<Move> active_;
  // Of which it is not known whether a move was recorded: the next start may take any copy for the recorded
  // one.
  std::set<std::pair<TopicId, PartitionIndex>> unsure_;
  Bytes buffer_;              // of the background thread
  mutable std::mutex mutex_;  // guards what follows, for as long as it is copied
  std::map<storage::TopicPartition, Move> moves_;
};

}  // namespace sillok::broker
