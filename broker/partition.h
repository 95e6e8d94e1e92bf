// One partition as the broker serves it: who waits for its appends, its flushes and its high watermark.
//
// The way of a batch: append() -> write() into the log's page cache -> after_write() -> answered at once
// (acks 0 and 1), or kept in undurable_ until the commit journal, or flush(), moved durable_end past it
// (acks=all).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "broker/append_round.h"
#include "broker/append_sink.h"
#include "broker/device.h"
#include "broker/reactor_port.h"
#include "broker/ring.h"
#include "broker/strand.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/journal.h"
#include "storage/log.h"

namespace sillok::broker {

// Appends that wait for the one that writes; past it a request is answered with an error that clients retry.
inline constexpr std::size_t kQueuedAppendsMax = 10'000;
// How long pause() waits for the append that runs, and for those of the same round.
inline constexpr std::chrono::milliseconds kPauseWaitMax{1000};
// After a flush that got no descriptor.
inline constexpr std::chrono::milliseconds kFlushRetryDelay{100};
// How many times a reactor goes on writing what others queued meanwhile, before it leaves that to the writer
// thread.
inline constexpr int kInlineRoundsMax = 8;
// Of the batches of one partition that wait to be read or compressed anew. Connections are not read from long
// before (kQueuedBytesMax): only what many of them had received by then comes here.
inline constexpr std::size_t kPreparedBytesMax = 256 << 20;

// Hears once that the high watermark of a partition has passed an offset, that its log start moved, or that
// the partition stopped.
class MoveListener {
 public:
  virtual ~MoveListener() = default;
  // On the thread of whoever moved it, without a lock: to be short. `tag` is what was registered with `self`.
  virtual void moved(std::uint64_t tag, std::shared_ptr<MoveListener> self) = 0;
  // Whether it wants to hear of every move of the log start, and not only past its offset.
  virtual bool wants_log_start() const { return false; }
};

// A request that waits for that, and goes on on its reactor: once for all that moved until then, however many
// partitions it is registered with.
class FetchWaiter : public ReactorTask, public MoveListener {
 public:
  virtual ReactorPort& reactor() = 0;
  void moved(std::uint64_t /*tag*/, std::shared_ptr<MoveListener> self) final {
    if (is_posted_.exchange(true, std::memory_order_acq_rel)) return;
    reactor().run_soon(std::static_pointer_cast<FetchWaiter>(std::move(self)));
  }
  void run() final {
    // What moved before this is seen by go_on(), what moves after it posts again.
    is_posted_.exchange(false, std::memory_order_acq_rel);
    go_on();
  }

 protected:
  virtual void go_on() = 0;

 private:
  std::atomic<bool> is_posted_{false};
};

// Threading: any thread. Locks, in this order: queue_mutex_ (who writes, what waits), then the log's own,
// then
//   state_mutex_ (durable end, high watermark, waiters). None is held while a sink or a waiter is called, and
//   none but the log's across I/O.
// Durability: an acks=all append is answered once durable_end() passed it.
// Failure: a failed write or flush takes the partition offline: what waits is answered with
// KAFKA_STORAGE_ERROR, and so
//   is everything after; reads go on as far as the log can serve them.
// Invariants: durable_end() <= log end; high_watermark() <= log end; the high watermark never falls; it never
// passes the
//   first acks=all batch that is not durable.
class Partition final : public storage::JournalTarget, public std::enable_shared_from_this<Partition> {
 public:
  Partition(std::string topic, PartitionIndex index, std::unique_ptr<storage::Log> log, Device& device,
            const storage::LogConfig& config);
  ~Partition() override;

  const std::string& topic() const { return topic_; }
  PartitionIndex index() const { return index_; }
  const TopicId& topic_id() const { return log_->topic_id(); }
  LeaderEpoch leader_epoch() const { return LeaderEpoch(leader_epoch_.load(std::memory_order_acquire)); }
  std::shared_ptr<const storage::LogConfig> config() const;
  void set_config(const storage::LogConfig& config);
  bool has_fine_retention() const { return fine_retention_.load(std::memory_order_relaxed); }

  // Begins to lead: `epoch` is durable in the log, and the recovered tail counts as acks=all data that waits
  // for its flush. Requires: before the first append.
  Result<void> lead(LeaderEpoch epoch);

  // Within an AppendRound the batch is written at its end, with what else the round has for this partition.
  void append(AppendRequest request);
  // The end of the round that append() added this partition to.
  void write_gathered();

  // Calls `work` on the pool with a copy of the batch, which must be read, or compressed anew, before it is
  // appended: in the order of the calls. Until then it counts as waiting to be written, so that producers
  // that outrun the pool are not read from. False, and nothing is called, where too much waits already.
  bool prepare(Executor& pool, ByteView batch, std::function<void(MutableByteView)> work);
  bool has_preparations() const { return preparing_.load(std::memory_order_acquire) && !strand_->is_idle(); }

  // Readers.
  const storage::Log& log() const { return *log_; }
  storage::Log& log() { return *log_; }
  storage::LogPosition high_watermark() const { return high_watermark_.load(); }
  // After an unclean start, until the recovered tail is on disk: the high watermark is behind what clients
  // may have seen before, so an answer of "the end" could go back in time (KIP-207).
  bool is_catching_up() const {
    return high_watermark_.offset().value < epoch_start_.load(std::memory_order_acquire);
  }
  Offset durable_end() const { return durable_end_.offset(); }
  bool is_online() const {
    return !stopped_.load(std::memory_order_acquire) && log_->health() != storage::LogHealth::offline;
  }
  const Device& device() const { return device_; }
  // Whether the disk has room for records of clients.
  bool has_room() const { return !device_.space().is_short(); }
  bool is_stopped() const { return stopped_.load(std::memory_order_acquire); }
  // What stop() was told. Requires: is_stopped().
  protocol::ErrorCode stop_error() const { return stop_error_.load(std::memory_order_relaxed); }

  // Tells `listener` once when the high watermark has passed `offset`, when the log start moves, or when the
  // partition stops. False, and nothing kept, where it has passed or stopped already.
  bool wait_beyond(Offset offset, std::shared_ptr<MoveListener> listener, std::uint64_t tag = 0);
  // All that the listener registered. It may still be about to be told on another thread.
  void cancel_wait(const MoveListener* listener);

  // FlushTarget.
  void flush() override;

  // JournalTarget; partition_journal.cc has these.
  storage::JournalKey journal_key() const override { return {topic_id(), index_}; }
  Contribution contribute(storage::JournalFrame& frame) override;
  void committed() override;
  void not_committed() override;

  // As the log's, and who waits is told where the log start moved.
  Result<void> set_log_start(Offset offset);
  Result<std::int32_t> clean_up(TimestampMs now);

  // No append is taken any more; all that waits, and whoever still comes, is answered with `error`.
  void stop(protocol::ErrorCode error);

  // For a move to another log: appends wait. When it returns, all that was written is on disk and answered,
  // and nothing more comes into the log. Reads go on. After an error it is as if it had not been called:
  // Errc::would_block where an append takes too long, and what there is of the log's. May block.
  //
  // Non-obvious: they must not be refused, however briefly. A client sends them again, but behind those that
  // it has sent meanwhile; where the log does not know its producer these are taken, and then the first one
  // never is.
  Result<void> pause();
  // Writes what waits, and all that comes. Requires: pause() succeeded, and the log is open.
  void resume();
  // What waits is `next`'s to write, and so is all that this one is still asked to append, in that order.
  // Requires: pause() succeeded, and nobody else knows `next`.
  void hand_over_to(const std::shared_ptr<Partition>& next);
  bool is_paused() const { return paused_.load(std::memory_order_acquire); }

  void check_invariants() const;

 private:
  struct QueuedAppend {
    Bytes batch;
    AppendRequest request;
  };
  struct UndurableBatch {
    storage::LogPosition begin;
    storage::LogPosition end;
    std::shared_ptr<AppendSink> sink;  // null: the recovered tail
    std::size_t index;
    AppendResult result;
  };
  struct Waiter {
    Offset offset;
    std::shared_ptr<MoveListener> listener;
    std::uint64_t tag;
  };
  // What is to be told once the locks are gone. The lists have memory that the thread keeps.
  struct NoticeLists {
    std::vector<UndurableBatch> durable;
    std::vector<Waiter> woken;
  };
  struct Notices : NoticeLists {
    Notices();
    ~Notices();
    Notices(const Notices&) = delete;
    Notices& operator=(const Notices&) = delete;
    static NoticeLists& kept();
  };

  // What becomes of an append: its caller writes it; the one that writes will; nobody writes yet; or it is
  // not taken.
  // With hand_over_to() before, the next one's.
  enum class Intake { mine, gathered, queued, queued_first, refused, handed_over };
  Strand& preparations();
  Intake take_in(AppendRequest& request);
  protocol::ErrorCode refusal() const;
  void leave_to_writer();
  void drain(int rounds_max);
  void write(std::span<AppendRequest> requests);
  void after_write(std::span<AppendRequest> requests, std::span<const storage::AppendEntry> entries);
  struct Written {
    std::int64_t record_count = 0;
    ByteCount byte_count = 0;
    bool has_waiter = false;
    bool rolled = false;
  };
  void request_flush(const Written& written, const storage::LogConfig& config);
  void request_durability();
  bool is_journaled() const;
  void complete_up_to(const storage::LogPosition& durable);
  void fail(std::span<AppendRequest> requests, protocol::ErrorCode error);
  bool wait_until_idle();  // false: not in time
  void refuse_queued(Ring<QueuedAppend>& queued, protocol::ErrorCode error);
  void go_offline(const Error& error);
  // With state_mutex_ held: the only places where the two ends move.
  void flush_later(ByteCount bytes);
  void take_undurable(Notices& notices);
  void advance_durable_end(const storage::LogPosition& synced, Notices& notices);
  void advance_high_watermark(Notices& notices);
  static void tell(Notices& notices);
  void log_start_moved();

  const std::string topic_;
  const PartitionIndex index_;
  Device& device_;
  const std::unique_ptr<storage::Log> log_;
  std::atomic<std::int32_t> leader_epoch_{-1};
  std::atomic<std::int64_t> epoch_start_{0};  // the log end when this epoch began
  std::atomic<bool> stopped_{false};
  std::atomic<protocol::ErrorCode> stop_error_{protocol::ErrorCode::none};
  std::atomic<bool> paused_{false};
  std::atomic<bool> storage_failed_{false};

  mutable std::mutex queue_mutex_;
  bool writing_ = false;                       // somebody is in write(); the queue is his to empty
  std::condition_variable idle_;               // it was cleared while the partition is paused
  std::shared_ptr<Partition> successor_;       // since hand_over_to()
  const AppendRound* gathering_ = nullptr;     // he is in this round, and writes at its end
  std::vector<AppendRequest> gathered_;        // for that
  Ring<QueuedAppend> queue_;                   // owns its bytes
  std::vector<storage::AppendEntry> entries_;  // the writer's scratch, guarded by writing_
  std::shared_ptr<const storage::LogConfig> config_;
  std::atomic<bool> fine_retention_{false};  // what config_ says
  std::shared_ptr<Strand> strand_;           // made when it is first needed
  std::atomic<bool> preparing_{false};       // there is one

  mutable std::mutex state_mutex_;
  storage::PublishedPosition durable_end_;
  storage::PublishedPosition high_watermark_;
  Ring<UndurableBatch> undurable_;                 // acks=all batches, by offset
  std::vector<UndurableBatch> undurable_repeats_;  // duplicates that wait for their original
  std::vector<Waiter> waiters_;
  // The end of what after_write() has seen. The log's own end may already hold an acks=all batch that is not
  // in undurable_ yet, so the high watermark must not be taken from there.
  storage::LogPosition accounted_end_;
  std::int64_t unflushed_records_ = 0;
  ByteCount unflushed_bytes_ = 0;

  // Of the journal's thread: what the frame that is being written has.
  storage::LogPosition committing_end_;
  ByteCount committing_bytes_ = 0;
};

}  // namespace sillok::broker
