// DescribeLogDirs: what the log directories hold. AlterReplicaLogDirs: which one a partition is to be in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/handlers/handlers.h"
#include "broker/partitions.h"

namespace sillok::broker {
namespace {

using protocol::DescribeLogDirsResult;
using protocol::ErrorCode;

// The partitions that are asked for; nullopt: all.
using Wanted = std::optional<std::map<std::string, std::set<PartitionIndex>>>;

Wanted wanted_of(const protocol::DescribeLogDirsRequest& request) {
  if (!request.topics) return std::nullopt;
  Wanted wanted(std::in_place);
  for (const protocol::DescribeLogDirsTopic& topic : *request.topics) {
    (*wanted)[std::string(topic.topic)].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return wanted;
}

bool is_wanted(const Wanted& wanted, const std::string& name, PartitionIndex partition) {
  if (!wanted) return true;
  const auto topic = wanted->find(name);
  return topic != wanted->end() && topic->second.contains(partition);
}

// Views names in `directory`.
std::vector<protocol::DescribeLogDirsTopicResponse> topics_of(const Partitions::LogDirView& directory,
                                                              const Wanted& wanted) {
  std::map<std::string_view, protocol::DescribeLogDirsTopicResponse> topics;
  for (const std::shared_ptr<Partition>& partition : directory.partitions) {
    if (!is_wanted(wanted, partition->topic(), partition->index())) continue;
    auto& topic = topics[partition->topic()];
    topic.name = partition->topic();
    topic.partitions.push_back({partition->index(), partition->log().size(), 0, false});
  }
  for (const Partitions::LogDirView::Future& future : directory.futures) {
    if (!is_wanted(wanted, future.topic, future.partition)) continue;
    auto& topic = topics[future.topic];
    topic.name = future.topic;
    topic.partitions.push_back({future.partition, future.size, future.offset_lag, true});
  }
  std::vector<protocol::DescribeLogDirsTopicResponse> sorted;
  for (auto& [name, topic] : topics) {
    std::ranges::sort(topic.partitions, {}, &protocol::DescribeLogDirsPartitionResponse::index);
    sorted.push_back(std::move(topic));
  }
  return sorted;
}

void send_log_dirs(const Services& services, const Wanted& wanted, PendingResponse response) {
  protocol::DescribeLogDirsResponse answer;
  const std::vector<Partitions::LogDirView> directories = services.partitions.log_dirs();
  for (const Partitions::LogDirView& directory : directories) {
    DescribeLogDirsResult& result = answer.results.emplace_back();
    result.log_dir = directory.path;
    result.is_cordoned = directory.is_cordoned;
    result.topics = topics_of(directory, wanted);
    if (directory.space.ok()) {
      result.total_bytes = directory.space->total;
      result.usable_bytes = directory.space->free;
    } else {
      result.error_code = ErrorCode::kafka_storage_error;
    }
  }
  response.send(answer);
}

// The moves of one request. Each begins by a few waits for the disk, and there may be thousands: so the
// control thread begins one at a time, and does what others ask of it in between. Of several directories for
// one partition the last counts.
class BeginMoves : public std::enable_shared_from_this<BeginMoves> {
 public:
  BeginMoves(Services& services, const protocol::AlterReplicaLogDirsRequest& request,
             PendingResponse response)
      : services_(services), response_(std::move(response)) {
    std::map<std::string_view, std::uint32_t> places;  // in topics_
    for (const protocol::AlterReplicaLogDirsDir& directory : request.dirs) {
      const auto path = static_cast<std::uint32_t>(paths_.size());
      paths_.emplace_back(directory.path);
      for (const protocol::AlterReplicaLogDirsTopic& topic : directory.topics) {
        if (topic.partitions.empty()) continue;
        const auto [place, is_new] =
            places.try_emplace(topic.name, static_cast<std::uint32_t>(topics_.size()));
        if (is_new) topics_.push_back({std::string(topic.name), {}});
        for (const PartitionIndex partition : topic.partitions)
          wanted_.push_back({place->second, partition, path});
      }
    }
    std::ranges::sort(wanted_, {}, [](const Wanted& one) { return std::pair(one.replica(), one.path); });
  }

  void post_next() {
    services_.control.post([self = shared_from_this()] { self->run(); });
  }

 private:
  struct Wanted {
    std::uint32_t topic = 0;
    PartitionIndex partition;
    std::uint32_t path = 0;
    std::pair<std::uint32_t, PartitionIndex> replica() const { return {topic, partition}; }
  };

  void run() {
    if (next_ == wanted_.size()) return send();
    while (next_ + 1 < wanted_.size() && wanted_[next_ + 1].replica() == wanted_[next_].replica()) ++next_;
    const Wanted& one = wanted_[next_++];
    auto& topic = topics_[one.topic];
    const ErrorCode error = services_.partitions.move(topic.name, one.partition, paths_[one.path]);
    topic.partitions.push_back({one.partition, error});
    post_next();
  }

  void send() {
    protocol::AlterReplicaLogDirsResponse answer;
    for (Topic& topic : topics_) answer.results.push_back({topic.name, std::move(topic.partitions)});
    response_.send(answer);
  }

  struct Topic {
    std::string name;
    std::vector<protocol::AlterReplicaLogDirsPartitionResponse> partitions;
  };

  Services& services_;
  PendingResponse response_;
  std::vector<std::string> paths_;
  std::vector<Topic> topics_;
  std::vector<Wanted> wanted_;
  std::size_t next_ = 0;
};

}  // namespace

void handle_describe_log_dirs(const RequestContext& context, const protocol::DescribeLogDirsRequest& request,
                              PendingResponse response) {
  Services& services = context.services;
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  // The free space is asked of the file system, which may take its time.
  services.io.post([&services, wanted = wanted_of(request), shared_response] {
    send_log_dirs(services, wanted, std::move(*shared_response));
  });
}

// Answered once each copy is begun, or refused; what becomes of it DescribeLogDirs tells.
void handle_alter_replica_log_dirs(const RequestContext& context,
                                   const protocol::AlterReplicaLogDirsRequest& request,
                                   PendingResponse response) {
  std::make_shared<BeginMoves>(context.services, request, std::move(response))->post_next();
}

}  // namespace sillok::broker
