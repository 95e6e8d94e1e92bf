// DescribeProducers: who writes to a partition with a producer id, and how far each is. On the I/O pool: the
// producers stand under the log's append lock, which is held across writes.
#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/handlers/explanations.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/topics.h"
#include "broker/partitions.h"

namespace sillok::broker {
namespace {

using namespace protocol;

// Of one answer: a short request can name a partition often, and a partition have many.
constexpr std::size_t kDescribedProducersMax = 200'000;

struct Question {
  struct Topic {
    std::string name;
    std::vector<PartitionIndex> partitions;
  };
  std::vector<Topic> topics;
};

DescribeProducersProducer describe(const storage::ProducerSnapshotEntry& entry) {
  DescribeProducersProducer producer;
  producer.producer_id = entry.producer_id;
  producer.producer_epoch = entry.epoch.value;
  producer.last_sequence = entry.last_sequence;
  producer.last_timestamp = entry.timestamp;
  producer.coordinator_epoch = entry.coordinator_epoch;
  producer.current_txn_start_offset = entry.open_transaction_offset;
  return producer;
}

class Answer {
 public:
  explicit Answer(const Services& services) : services_(services), image_(services.topics.image()) {}

  void add(const Question::Topic& asked) {
    DescribeProducersTopicResponse& answer = all_.topics.emplace_back();
    answer.name = asked.name;
    for (const PartitionIndex index : asked.partitions) {
      DescribeProducersPartitionResponse& partition = answer.partitions.emplace_back();
      partition.index = index;
      if (image_->find(asked.name) == nullptr) {
        refuse(asked.name, partition);
      } else {
        describe_partition(asked.name, partition);
      }
    }
  }

  const DescribeProducersResponse& all() const { return all_; }

 private:
  void refuse(const std::string& name, DescribeProducersPartitionResponse& answer) {
    if (auto fault = topic_name_fault(name)) {
      answer.error_code = ErrorCode::invalid_topic_exception;
      answer.error_message = explanations_.keep(*std::move(fault));
    } else {
      answer.error_code = ErrorCode::unknown_topic_or_partition;
      answer.error_message = "This server does not host this topic-partition.";
    }
  }

  void describe_partition(const std::string& name, DescribeProducersPartitionResponse& answer) {
    const Partitions::Lookup found = services_.partitions.find(name, answer.index);
    if (found.is_unknown()) {
      answer.error_code = ErrorCode::unknown_topic_or_partition;
      return;
    }
    if (found.state == Partitions::Lookup::State::offline) {
      answer.error_code = ErrorCode::kafka_storage_error;
      return;
    }
    if (is_full_) return refuse_too_many(answer);
    if (const auto same = described_.find({name, answer.index}); same != described_.end()) {
      const auto& [topic, place] = same->second;
      const auto& producers = all_.topics[topic].partitions[place].active_producers;
      if (!take_room(producers.size())) return refuse_too_many(answer);
      answer.active_producers = producers;
      return;
    }
    const std::vector<storage::ProducerSnapshotEntry> producers = found.partition->log().producers();
    if (!take_room(producers.size())) return refuse_too_many(answer);
    if (producers.empty()) return;
    answer.active_producers.reserve(producers.size());
    for (const auto& entry : producers) answer.active_producers.push_back(describe(entry));
    std::ranges::sort(answer.active_producers, {}, &DescribeProducersProducer::producer_id);
    described_[{name, answer.index}] = {all_.topics.size() - 1, all_.topics.back().partitions.size() - 1};
  }

  // False from the first time on that there is too little: nobody's producers are copied in vain again.
  bool take_room(std::size_t count) {
    is_full_ = count > room_;
    if (!is_full_) room_ -= count;
    return !is_full_;
  }

  static void refuse_too_many(DescribeProducersPartitionResponse& answer) {
    answer.error_code = ErrorCode::invalid_request;
    answer.error_message = "The partitions have more producers than one answer holds: ask for fewer.";
  }

  const Services& services_;
  const std::shared_ptr<const MetadataImage> image_;
  std::size_t room_ = kDescribedProducersMax;
  bool is_full_ = false;
  // Those that have producers, by topic and index: their places in all_. What is named again is copied from
  // there, and its append lock not taken again.
  std::map<std::pair<std::string_view, PartitionIndex>, std::pair<std::size_t, std::size_t>> described_;
  Explanations explanations_;
  DescribeProducersResponse all_;
};

Question question_of(const DescribeProducersRequest& request) {
  Question question;
  for (const DescribeProducersTopic& topic : request.topics) {
    question.topics.push_back({std::string(topic.name), topic.partition_indexes});
  }
  return question;
}

}  // namespace

void handle_describe_producers(const RequestContext& context, const DescribeProducersRequest& request,
                               PendingResponse response) {
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  Services& services = context.services;
  services.io.post([&services, question = question_of(request), shared_response] {
    Answer answer(services);
    for (const Question::Topic& topic : question.topics) answer.add(topic);
    shared_response->send(answer.all());
  });
}

}  // namespace sillok::broker
