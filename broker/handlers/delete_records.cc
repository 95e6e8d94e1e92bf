// DeleteRecords: the logs of partitions start later. Durable when it is answered.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/error_mapping.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/partitions.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;

constexpr Offset kUpToHighWatermark{-1};

struct Asked {
  PartitionIndex index;
  Offset offset;
  ErrorCode error = ErrorCode::none;
  std::shared_ptr<Partition> moved;  // whose log starts later now
};

struct AskedTopic {
  std::string name;
  std::vector<Asked> partitions;
};

std::vector<AskedTopic> question_of(const protocol::DeleteRecordsRequest& request) {
  std::vector<AskedTopic> question;
  for (const protocol::DeleteRecordsTopic& topic : request.topics) {
    if (topic.partitions.empty()) continue;  // as in Kafka, it has no answer
    AskedTopic& asked = question.emplace_back(AskedTopic{std::string(topic.name), {}});
    for (const protocol::DeleteRecordsPartition& partition : topic.partitions) {
      asked.partitions.push_back({partition.index, partition.offset, ErrorCode::none, nullptr});
    }
  }
  return question;
}

ErrorCode lookup_error(const Partitions::Lookup& found) {
  if (found.is_unknown()) return ErrorCode::unknown_topic_or_partition;
  return found.partition ? ErrorCode::none : ErrorCode::kafka_storage_error;
}

ErrorCode move_start(const Partitions& partitions, const std::string& topic, Asked& asked) {
  const Partitions::Lookup found = partitions.find(topic, asked.index);
  if (const ErrorCode error = lookup_error(found); error != ErrorCode::none) return error;
  if (is_internal_topic(topic)) return ErrorCode::invalid_topic_exception;
  Partition& partition = *found.partition;
  // What is compacted is kept for ever, key by key.
  if (!partition.config()->cleanup_delete && partition.config()->cleanup_compact) {
    return ErrorCode::policy_violation;
  }
  const Offset high_watermark = partition.high_watermark().offset;
  const Offset start = asked.offset == kUpToHighWatermark ? high_watermark : asked.offset;
  if (start < Offset(0) || start > high_watermark) return ErrorCode::offset_out_of_range;
  if (const auto moved = partition.set_log_start(start); !moved.ok()) return fetch_error(moved.error());
  asked.moved = found.partition;
  return ErrorCode::none;
}

void delete_records(Partitions& partitions, std::vector<AskedTopic>& question) {
  std::vector<std::shared_ptr<Partition>> moved;
  for (AskedTopic& topic : question) {
    for (Asked& asked : topic.partitions) {
      asked.error = move_start(partitions, topic.name, asked);
      if (asked.moved) moved.push_back(asked.moved);
    }
  }
  if (moved.empty() || partitions.write_checkpoints(moved).ok()) return;
  for (AskedTopic& topic : question) {
    for (Asked& asked : topic.partitions) {
      if (std::exchange(asked.moved, nullptr)) asked.error = ErrorCode::kafka_storage_error;
    }
  }
}

void send_answer(const std::vector<AskedTopic>& question, PendingResponse response) {
  protocol::DeleteRecordsResponse answer;
  for (const AskedTopic& topic : question) {
    if (topic.partitions.empty()) continue;  // as Kafka does
    protocol::DeleteRecordsTopicResponse& result = answer.topics.emplace_back();
    result.name = topic.name;
    for (const Asked& asked : topic.partitions) {
      const Offset start = asked.moved ? asked.moved->log().log_start() : Offset(-1);
      result.partitions.push_back({asked.index, start, asked.error});
    }
  }
  response.send(answer);
}

}  // namespace

void handle_delete_records(const RequestContext& context, const protocol::DeleteRecordsRequest& request,
                           PendingResponse response) {
  Services& services = context.services;
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post([&services, question = question_of(request), shared_response]() mutable {
    delete_records(services.partitions, question);
    send_answer(question, std::move(*shared_response));
  });
}

}  // namespace sillok::broker
