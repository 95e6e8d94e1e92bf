#include "broker/fetch_part.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "broker/error_mapping.h"

namespace sillok::broker {

using protocol::ErrorCode;

ErrorCode missing_error(Partitions::Lookup::State state, TopicNaming naming) {
  switch (state) {
    case Partitions::Lookup::State::found:
      return ErrorCode::none;
    case Partitions::Lookup::State::offline:
      return ErrorCode::kafka_storage_error;
    case Partitions::Lookup::State::unknown_partition:
      return ErrorCode::unknown_topic_or_partition;
    case Partitions::Lookup::State::unknown:
      break;
  }
  return naming == TopicNaming::by_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
}

std::size_t count_partitions(const protocol::FetchRequest& request) {
  std::size_t count = 0;
  for (const protocol::FetchTopic& topic : request.topics) count += topic.partitions.size();
  return count;
}

void FetchParts::take_in(const protocol::FetchRequest& request) {
  topics.reserve(request.topics.size());
  parts.reserve(count_partitions(request));
  // A tree, not a hash table: clients choose the keys.
  std::pmr::map<std::tuple<TopicId, std::string_view>, std::uint32_t> places(memory.resource());
  for (const protocol::FetchTopic& topic : request.topics) {
    auto place = static_cast<std::uint32_t>(topics.size());
    if (request.topics.size() > 1)
      place = places.emplace(std::tuple(topic.topic_id, topic.name), place).first->second;
    if (place == topics.size()) topics.push_back({memory.keep(topic.name), topic.topic_id, nullptr});
    for (const protocol::FetchPartition& wanted : topic.partitions) {
      FetchPart& part = parts.emplace_back();
      part.target = FetchTarget::of(wanted);
      part.topic = place;
    }
  }
  merge_repeated();
}

void FetchParts::merge_repeated() {
  const auto key_of = [](const FetchPart& part) { return std::pair(part.topic, part.target.index); };
  const auto is_out_of_order = [&](const FetchPart& a, const FetchPart& b) { return key_of(a) >= key_of(b); };
  // As clients name them, there is nothing to merge.
  if (std::ranges::adjacent_find(parts, is_out_of_order) == parts.end()) return;
  std::pmr::vector<std::uint32_t> order(parts.size(), memory.resource());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::uint32_t place) { return std::pair(key_of(parts[place]), place); });
  for (auto first = order.begin(); first != order.end();) {
    const auto is_another = [&](std::uint32_t place) {
      return key_of(parts[place]) != key_of(parts[*first]);
    };
    const auto end = std::find_if(first, order.end(), is_another);
    parts[*first].target = parts[*(end - 1)].target;
    for (auto repeated = first + 1; repeated != end; ++repeated) parts[*repeated].is_left_out = true;
    first = end;
  }
  std::erase_if(parts, [](const FetchPart& part) { return part.is_left_out; });
}

Result<void> FetchPart::look(ByteCount limit, storage::Log::FirstBatch first_batch, storage::IoMode mode) {
  slice = {};
  error = missing;
  diverging.reset();
  if (!partition) return {};
  Result<void> done = read(limit, first_batch, mode);
  if (done.ok() || done.error().code == Errc::would_block) return done;
  error = partition->is_stopped() ? partition->stop_error() : fetch_error(done.error());
  return {};
}

Result<void> FetchPart::read(ByteCount limit, storage::Log::FirstBatch first_batch, storage::IoMode mode) {
  if (partition->is_stopped()) return Error{Errc::closed, ""};
  const storage::Log& log = partition->log();
  const LeaderEpoch epoch = partition->leader_epoch();
  if (target.current_leader_epoch > kNoLeaderEpoch && target.current_leader_epoch != epoch) {
    error = target.current_leader_epoch < epoch ? ErrorCode::fenced_leader_epoch
                                                : ErrorCode::unknown_leader_epoch;
    return {};
  }
  const storage::LogPosition end = partition->high_watermark();
  high_watermark = end.offset;
  log_start = log.log_start();
  // As in Kafka, whether or not epochs diverge.
  if (target.offset < log_start) return Error{Errc::offset_out_of_range, "below the log start"};
  if (target.last_fetched_epoch > kNoLeaderEpoch) {
    const auto epoch_end = log.end_offset_for_epoch(target.last_fetched_epoch);
    if (epoch_end.epoch == kNoLeaderEpoch)
      return Error{Errc::offset_out_of_range, "an epoch that the log does not know"};
    if (epoch_end.end_offset < target.offset || epoch_end.epoch < target.last_fetched_epoch) {
      diverging = epoch_end;
      return {};
    }
  }
  // From the high watermark on there is nothing for consumers yet, though the log may have more.
  if (target.offset >= end.offset && target.offset <= log.log_end().offset) return {};
  const ByteCount most = std::min<ByteCount>(std::max(target.max_bytes, 0), limit);
  if (target.offset > end.offset) return Error{Errc::offset_out_of_range, "the log has no such offset"};
  if (most == 0 && first_batch != storage::Log::FirstBatch::whole) return {};
  slice = TRY(log.read(target.offset, end, most, first_batch, mode));
  return {};
}

}  // namespace sillok::broker
