// Takes records on one side and gets them to the leaders of their partitions on the other, with all retries.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/accumulator.h"
#include "client/cluster.h"
#include "client/producer_options.h"
#include "client/producer_record.h"
#include "client/retry.h"
#include "protocol/messages/produce.h"

namespace sillok::client {

// Threading: all on the io_context's thread; delivery reports come from it.
// Failure: a record is retried until it is stored, refused for good, or its delivery timeout is over; each
// gets exactly
//   one report, but for those that are still under way when the sender is destroyed.
// Invariants: the Accumulator's order of batches. An idempotent producer whose batch was refused for good, or
// expired
//   while it may be stored, takes a new producer id before it sends on, so that numbers never have a hole.
class Sender {
 public:
  Sender(boost::asio::io_context& io, Cluster& cluster, ProducerOptions options, Randomness randomness);

  void enqueue(ProducerRecord record, DeliveryReport report);
  // Sends everything without lingering, and calls `idle` once nothing is left.
  void flush(std::function<void()> idle);

 private:
  struct Unassigned {
    ProducerRecord record;
    DeliveryReport report;
    SteadyTime expires;
  };
  using Batches = std::vector<BatchPointer>;

  void assign(Unassigned unassigned, const TopicInfo& topic);
  PartitionIndex choose_partition(const ProducerRecord& record, const TopicInfo& topic);
  void schedule_pump();
  void pump();
  void expire(SteadyTime now);
  void assign_known_topics();
  bool ensure_identity();
  void take_identity(Result<ProducerIdentity> identity);
  void send_ready(SteadyTime now);
  void refresh_later();
  void refresh();
  void send(BrokerId leader, Batches batches);
  void transmit(BrokerId leader, const std::shared_ptr<Connection>& connection, Batches batches);
  void finish_request(BrokerId leader);
  void take_answer(Batches& batches, const protocol::ProduceResponse& response);
  void take_result(BatchPointer batch, const protocol::ProducePartitionResponse& result);
  void succeed(const ProducerBatch& batch, Offset base_offset);
  void give_up(const ProducerBatch& batch, const Error& error);
  void retry_all(Batches batches, const Error& error);
  void retry(BatchPointer batch);
  void arm_timer(SteadyTime now);
  void check_idle();

  boost::asio::io_context& io_;
  Cluster& cluster_;
  ProducerOptions options_;
  Randomness randomness_;
  Backoff backoff_;
  Accumulator accumulator_;
  std::map<std::string, std::vector<Unassigned>> unassigned_;
  std::map<std::string, PartitionIndex>
      sticky_;  // where records without a key go until their batch is closed
  std::map<BrokerId, std::int32_t> requests_in_flight_;
  std::set<TopicPartition> broken_;  // numbers have a hole until the next identity
  std::string last_failure_;         // for the reports of what expires
  bool needs_identity_ = false;
  bool asks_identity_ = false;
  bool refreshes_ = false;
  SteadyTime refresh_not_before_;
  SteadyTime identity_not_before_;
  bool pump_is_posted_ = false;
  std::size_t turn_ = 0;
  Accumulator::Flush flush_ = Accumulator::Flush::no;
  std::vector<std::function<void()>> idle_;
  boost::asio::steady_timer timer_;
};

}  // namespace sillok::client
