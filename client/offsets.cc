#include "client/offsets.h"

#include <memory>
#include <optional>

#include "protocol/messages/list_offsets.h"

namespace sillok::client {
namespace {

using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;

// The answers of all leaders, put together.
struct Gathering {
  Offsets offsets;
  std::optional<Error> error;
  std::size_t outstanding = 0;
  std::function<void(Result<Offsets>)> done;

  void finish_one() {
    if (--outstanding > 0) return;
    if (error) return done(*error);
    done(std::move(offsets));
  }
};

void take(Gathering& gathering, const ListOffsetsResponse& response) {
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      const auto found = gathering.offsets.find({std::string(topic.name), partition.index});
      if (found == gathering.offsets.end()) continue;
      found->second = {partition.error_code, partition.offset, partition.timestamp};
    }
  }
}

void ask(Connection& connection, const std::vector<TopicPartition>& partitions, TimestampMs time,
         const std::shared_ptr<Gathering>& gathering) {
  ListOffsetsRequest request;
  request.replica_id = BrokerId(-1);
  for (const TopicPartition& where : partitions) {
    if (request.topics.empty() || request.topics.back().name != where.topic)
      request.topics.push_back({where.topic, {}});
    request.topics.back().partitions.push_back({where.partition, kNoLeaderEpoch, time});
  }
  connection.call<ListOffsetsRequest, ListOffsetsResponse>(request, [gathering](auto answer) {
    if (answer.ok()) {
      take(*gathering, answer->message);
    } else {
      gathering->error = std::move(answer).error();
    }
    gathering->finish_one();
  });
}

}  // namespace

void list_offsets(Cluster& cluster, const std::vector<TopicPartition>& partitions, TimestampMs time,
                  std::function<void(Result<Offsets>)> done) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->done = std::move(done);
  std::map<BrokerId, std::vector<TopicPartition>> by_leader;
  for (const TopicPartition& where : partitions) {
    const auto leader = cluster.metadata().leader(where.topic, where.partition);
    gathering->offsets[where].error = protocol::ErrorCode::leader_not_available;
    if (leader) by_leader[*leader].push_back(where);
  }
  gathering->outstanding = by_leader.size() + 1;  // one for this function itself
  for (auto& [leader, asked] : by_leader) {
    cluster.broker(leader, [gathering, time, asked = asked](auto connection) {
      if (connection.ok()) return ask(**connection, asked, time, gathering);
      gathering->error = std::move(connection).error();
      gathering->finish_one();
    });
  }
  gathering->finish_one();
}

}  // namespace sillok::client
