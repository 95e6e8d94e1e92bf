// Reads the assigned partitions from their leaders, one fetch per broker at a time, ahead of who takes the
// records.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/consumer_options.h"
#include "protocol/messages/fetch.h"

namespace sillok::client {

// Batches of one partition as a broker sent them. The last may be cut off, the first may begin before
// `position`.
struct FetchedBatches {
  TopicPartition where;
  Offset position;       // what was asked for: records below are not wanted
  Offset next_position;  // after the last whole batch
  Offset high_watermark;
  ByteView bytes;
  std::shared_ptr<const void> owner;  // keeps the bytes
};

// Threading: all on the io_context's thread; the callbacks come from it.
// Failure: what a later try may mend is tried again, with fresh metadata and pauses; an error of one
// partition that no
//   try mends (an offset out of range, a topic that is refused) stops that partition and is reported once.
// Invariants: a partition is in at most one fetch; its position only rises.
class Fetcher {
 public:
  using Taken = std::function<void(FetchedBatches)>;
  using Failed = std::function<void(const TopicPartition&, Error)>;
  // What is tried again, in a few words; empty once it worked.
  using Troubled = std::function<void(std::string)>;

  Fetcher(boost::asio::io_context& io, Cluster& cluster, ConsumerOptions options, Randomness randomness,
          Taken taken, Failed failed, Troubled troubled);

  // Requires: positions are resolved to offsets.
  void assign(const TopicPartition& where, Offset position);
  void unassign(const TopicPartition& where);
  // That so many bytes of what was handed on are no longer held.
  void release(std::size_t bytes);

 private:
  struct Partition {
    Offset position;
    std::int32_t bytes_max;
    bool in_flight = false;
    std::chrono::steady_clock::time_point not_before;
  };
  using Fetched = std::vector<TopicPartition>;

  void schedule_pump();
  void pump();
  void fetch(BrokerId leader, Fetched partitions);
  void transmit(BrokerId leader, Connection& connection, const Fetched& partitions);
  void finish(BrokerId leader, const Fetched& partitions);
  void take_answer(const std::shared_ptr<const Answer<protocol::FetchResponse>>& answer);
  void take_partition(const TopicPartition& where, Partition& partition,
                      const protocol::FetchPartitionResponse& response,
                      const std::shared_ptr<const void>& owner);
  void take_error(const TopicPartition& where, protocol::ErrorCode code);
  void hold_back(const Fetched& partitions);
  void refresh_later();
  void wake_at(std::chrono::steady_clock::time_point when);

  boost::asio::io_context& io_;
  Cluster& cluster_;
  ConsumerOptions options_;
  Backoff backoff_;
  Taken taken_;
  Failed failed_;
  Troubled troubled_;
  std::map<TopicPartition, Partition> partitions_;
  std::set<BrokerId> busy_;
  std::size_t buffered_bytes_ = 0;
  std::size_t turn_ = 0;
  bool refreshes_ = false;
  bool pump_is_posted_ = false;
  boost::asio::steady_timer timer_;
};

// The offset after the last whole batch in `bytes`; `position` where there is none. Errc::malformed for
// headers that lead backwards.
Result<Offset> next_position(ByteView bytes, Offset position);

}  // namespace sillok::client
