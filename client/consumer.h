// Reads records of partitions that the caller names; no groups.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/consumer_options.h"
#include "client/fetcher.h"
#include "protocol/record_batch_view.h"

namespace sillok::client {

// Threading: one caller at a time; what it fetches ahead is on a thread of its own.
// Failure: errors of one partition end that partition only, and poll() gives them.
class Consumer {
 public:
  Consumer(ClusterOptions cluster, ConsumerOptions options);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // The partitions of a topic, waiting out the moments after its creation. Errc::broker_error where there is
  // none.
  Result<std::vector<PartitionIndex>> partitions(const std::string& topic);

  // Begins to read. Asks the brokers where a position is not an offset already. Requires: their topics were
  // asked for with partitions().
  Result<void> assign(const std::vector<Assignment>& assignments);
  void unassign(const TopicPartition& where);
  // As of now.
  Result<Offset> end_of(const TopicPartition& where);
  Result<Offset> beginning_of(const TopicPartition& where);

  // The offset of the next record that poll() has not given; nullopt where not assigned.
  std::optional<Offset> position(const TopicPartition& where) const;

  // What keeps records from coming and is tried again (a broker that is down, a partition without a leader),
  // in a few words; empty where nothing does.
  std::string trouble() const;

  // What has come in, or nullopt after `wait`. Each answer has the batches of one partition; an answer
  // without records tells that the partition's position moved, or only its high watermark.
  Result<std::optional<FetchedBatches>> poll(Milliseconds wait);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls `visit` for the records of whole batches from `fetched.position` on, in order; control records are
// left out. Stops where visit() says so. Errors: corrupt batches and whatever decompression finds.
enum class Visit { go_on, stop };
Result<void> for_each_record(const FetchedBatches& fetched,
                             const std::function<Visit(const protocol::Record&)>& visit);

}  // namespace sillok::client
