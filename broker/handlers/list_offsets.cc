// ListOffsets: the ends of a partition at once; a search by timestamp on the I/O pool.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/error_mapping.h"
#include "broker/handlers/handlers.h"
#include "broker/partitions.h"

namespace sillok::broker {
namespace {

using namespace protocol;

// Special timestamps, and the version that brought each.
constexpr TimestampMs kLatest = -1;
constexpr TimestampMs kEarliest = -2;
constexpr TimestampMs kMaxTimestamp = -3;
constexpr TimestampMs kEarliestLocal = -4;
constexpr TimestampMs kLatestTiered = -5;
constexpr TimestampMs kEarliestPendingUpload = -6;

bool is_known_timestamp(TimestampMs timestamp, Version version) {
  switch (timestamp) {
    case kMaxTimestamp:
      return version >= 7;
    case kEarliestLocal:
      return version >= 8;
    case kLatestTiered:
      return version >= 9;
    case kEarliestPendingUpload:
      return version >= 11;
    default:
      return timestamp >= kEarliest;
  }
}

bool depends_on_the_end(TimestampMs timestamp) { return timestamp >= kLatest || timestamp == kMaxTimestamp; }

// How long a request waits for a recovered tail to reach the disk before it is answered with an error.
constexpr std::chrono::seconds kCatchUpWait{5};

struct Wanted {
  ListOffsetsPartition request;
  Partitions::Lookup found;
  bool is_repeated = false;  // the request names the partition more than once
};

ListOffsetsPartitionResponse answer_one(const Wanted& wanted, Version version) {
  ListOffsetsPartitionResponse answer;
  answer.index = wanted.request.index;
  answer.offset = Offset(-1);
  const auto fail = [&](ErrorCode error) {
    answer.error_code = error;
    return answer;
  };
  if (wanted.is_repeated) return fail(ErrorCode::invalid_request);
  if (!is_known_timestamp(wanted.request.timestamp, version)) return fail(ErrorCode::unsupported_version);
  if (wanted.found.is_unknown()) return fail(ErrorCode::unknown_topic_or_partition);
  if (wanted.found.state == Partitions::Lookup::State::offline) return fail(ErrorCode::kafka_storage_error);
  const Partition& partition = *wanted.found.partition;
  if (partition.is_stopped()) return fail(partition.stop_error());
  const TimestampMs timestamp = wanted.request.timestamp;
  const LeaderEpoch epoch = partition.leader_epoch();
  const LeaderEpoch known = wanted.request.current_leader_epoch;
  if (known != kNoLeaderEpoch && known != epoch) {
    return fail(known < epoch ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch);
  }
  if (depends_on_the_end(timestamp) && partition.is_catching_up()) {
    return fail(version >= 5 ? ErrorCode::offset_not_available : ErrorCode::leader_not_available);
  }
  const Offset high_watermark = partition.high_watermark().offset;
  if (timestamp == kLatest) {
    answer.offset = high_watermark;
    answer.leader_epoch = epoch;
  } else if (timestamp == kEarliest || timestamp == kEarliestLocal) {
    answer.offset = partition.log().log_start();
    answer.leader_epoch = partition.log().leader_epoch_at(answer.offset);
  } else if (timestamp == kLatestTiered || timestamp == kEarliestPendingUpload) {
    answer.offset = Offset(-1);  // nothing is tiered
  } else {
    const auto found = timestamp == kMaxTimestamp ? partition.log().find_max_timestamp(high_watermark)
                                                  : partition.log().find_timestamp(timestamp, high_watermark);
    if (!found.ok())
      return fail(partition.is_stopped() ? partition.stop_error() : fetch_error(found.error()));
    if (*found) {
      answer.timestamp = (*found)->timestamp;
      answer.offset = (*found)->offset;
      answer.leader_epoch = (*found)->leader_epoch;
    }
  }
  return answer;
}

// Versions before 4 cannot say the epoch.
ListOffsetsPartitionResponse in_version(ListOffsetsPartitionResponse answer, Version version) {
  if (version < 4) answer.leader_epoch = kNoLeaderEpoch;
  return answer;
}

// One request until its answer.
class ListOffsetsOperation final : public FetchWaiter,
                                   public Expirable,
                                   public std::enable_shared_from_this<ListOffsetsOperation> {
 public:
  ListOffsetsOperation(const RequestContext& context, const ListOffsetsRequest& request,
                       PendingResponse response)
      : services_(context.services),
        reactor_(context.reactor),
        response_(std::move(response)),
        deadline_(context.services.clock.steady() + kCatchUpWait) {
    // As in Kafka, each topic and each partition of it is answered once.
    std::map<std::string_view, std::size_t> places;
    for (const ListOffsetsTopic& topic : request.topics) {
      if (topic.partitions.empty()) continue;
      const auto [place, is_new] = places.emplace(topic.name, topics_.size());
      if (is_new) topics_.emplace_back(std::string(topic.name), WantedPartitions{});
      for (const ListOffsetsPartition& wanted : topic.partitions)
        add(topics_[place->second].second, wanted, topic);
    }
  }

  // A broker that has just started after a crash knows its ends in a moment: most clients rather wait than
  // retry.
  void go_on() override {
    if (services_.clock.steady() < deadline_ && waits_for_a_partition()) {
      if (timer_.value == 0) timer_ = reactor_.call_at(deadline_, weak_from_this());
      return;
    }
    if (std::exchange(answering_, true)) return;
    reactor_.cancel(timer_);
    if (!must_search_) return answer();
    services_.io.post([self = shared_from_this()] { self->answer(); });
  }
  void expire() override { go_on(); }
  ReactorPort& reactor() override { return reactor_; }

 private:
  using WantedPartitions = std::map<PartitionIndex, Wanted>;

  void add(WantedPartitions& partitions, const ListOffsetsPartition& wanted, const ListOffsetsTopic& topic) {
    const auto [place, is_new] = partitions.try_emplace(wanted.index, Wanted{wanted, {}});
    place->second.is_repeated = !is_new;
    if (!is_new) return;
    place->second.found = services_.partitions.find(topic.name, wanted.index);
    must_search_ |= wanted.timestamp >= 0 || wanted.timestamp == kMaxTimestamp;
  }

  bool waits_for_a_partition() {
    for (const auto& [name, partitions] : topics_) {
      for (const auto& [index, wanted] : partitions) {
        const std::shared_ptr<Partition>& partition = wanted.found.partition;
        if (!partition || !depends_on_the_end(wanted.request.timestamp) || !partition->is_catching_up())
          continue;
        if (partition->wait_beyond(partition->high_watermark().offset, shared_from_this())) return true;
      }
    }
    return false;
  }

  void answer() {
    ListOffsetsResponse all;
    const Version version = response_.version();
    for (const auto& [name, partitions] : topics_) {
      ListOffsetsTopicResponse& topic = all.topics.emplace_back();
      topic.name = name;
      for (const auto& [index, wanted] : partitions) {
        topic.partitions.push_back(in_version(answer_one(wanted, version), version));
      }
    }
    response_.send(all);
  }

  Services& services_;
  ReactorPort& reactor_;
  PendingResponse response_;
  const storage::SteadyTime deadline_;
  std::vector<std::pair<std::string, WantedPartitions>> topics_;
  bool must_search_ = false;
  bool answering_ = false;
  TimerId timer_;
};

}  // namespace

void handle_list_offsets(const RequestContext& context, const ListOffsetsRequest& request,
                         PendingResponse response) {
  std::make_shared<ListOffsetsOperation>(context, request, std::move(response))->run();
}

}  // namespace sillok::broker
