#include "broker/fetch_part.h"

#include <algorithm>

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
  if (target.offset < log_start || target.offset > end.offset)
    return Error{Errc::offset_out_of_range, "the log has no such offset"};
  if (most == 0 && first_batch != storage::Log::FirstBatch::whole) return {};
  slice = TRY(log.read(target.offset, end, most, first_batch, mode));
  return {};
}

}  // namespace sillok::broker
