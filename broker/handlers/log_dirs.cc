// DescribeLogDirs: what the log directories hold. AlterReplicaLogDirs: which one a partition is to be in.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
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

bool is_wanted(const Wanted& wanted, const Partition& partition) {
  if (!wanted) return true;
  const auto topic = wanted->find(partition.topic());
  return topic != wanted->end() && topic->second.contains(partition.index());
}

// Views names in `partitions`.
std::vector<protocol::DescribeLogDirsTopicResponse> topics_of(
    const std::vector<std::shared_ptr<Partition>>& partitions, const Wanted& wanted) {
  std::map<std::string_view, protocol::DescribeLogDirsTopicResponse> topics;
  for (const std::shared_ptr<Partition>& partition : partitions) {
    if (!is_wanted(wanted, *partition)) continue;
    auto& topic = topics[partition->topic()];
    topic.name = partition->topic();
    topic.partitions.push_back({partition->index(), partition->log().size(), 0, false});
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
    result.topics = topics_of(directory.partitions, wanted);
    if (directory.space.ok()) {
      result.total_bytes = directory.space->total;
      result.usable_bytes = directory.space->free;
    } else {
      result.error_code = ErrorCode::kafka_storage_error;
    }
  }
  response.send(answer);
}

ErrorCode move_error(const Partitions& partitions, std::string_view path, std::string_view topic,
                     PartitionIndex index) {
  const Partitions::PathState state = partitions.path_state(path);
  if (state == Partitions::PathState::unknown) return ErrorCode::log_dir_not_found;
  if (state == Partitions::PathState::failed) return ErrorCode::kafka_storage_error;
  const Partitions::Lookup found = partitions.find(topic, index);
  if (found.is_unknown()) return ErrorCode::unknown_topic_or_partition;
  if (!found.partition) return ErrorCode::kafka_storage_error;
  return partitions.is_in(*found.partition, path) ? ErrorCode::none : ErrorCode::invalid_request;
}

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

// A partition stays in the directory that it was made in: to ask for that one is no error.
void handle_alter_replica_log_dirs(const RequestContext& context,
                                   const protocol::AlterReplicaLogDirsRequest& request,
                                   PendingResponse response) {
  std::map<std::string_view, protocol::AlterReplicaLogDirsTopicResponse> topics;
  for (const protocol::AlterReplicaLogDirsDir& directory : request.dirs) {
    for (const protocol::AlterReplicaLogDirsTopic& topic : directory.topics) {
      auto& result = topics[topic.name];
      result.topic_name = topic.name;
      for (const PartitionIndex index : topic.partitions) {
        result.partitions.push_back(
            {index, move_error(context.services.partitions, directory.path, topic.name, index)});
      }
    }
  }
  protocol::AlterReplicaLogDirsResponse answer;
  for (auto& [name, topic] : topics) answer.results.push_back(std::move(topic));
  response.send(answer);
}

}  // namespace sillok::broker
