// The partitions of a fetch that is under way: what is wanted of each, and what the last look at it found.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/partitions.h"
#include "broker/request_memory.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/messages/fetch.h"
#include "storage/log.h"

namespace sillok::broker {

// Whether topics are named by id, as they are from version 13 on.
enum class TopicNaming { by_name, by_id };

// What a client wants of a partition.
struct FetchTarget {
  PartitionIndex index;
  std::int32_t max_bytes = 0;
  Offset offset;
  LeaderEpoch current_leader_epoch{-1};
  LeaderEpoch last_fetched_epoch{-1};

  static FetchTarget of(const protocol::FetchPartition& partition) {
    return {partition.index, partition.max_bytes, partition.fetch_offset, partition.current_leader_epoch,
            partition.last_fetched_epoch};
  }
};

struct FetchPart {
  FetchTarget target;
  std::uint32_t topic = 0;               // place in FetchParts::topics
  std::uint32_t slot = 0;                // of the session, where there is one
  std::shared_ptr<Partition> partition;  // null: `missing` says why
  protocol::ErrorCode missing = protocol::ErrorCode::none;
  bool is_listening = false;  // the request itself registered with the partition
  bool is_left_out = false;   // of the answer

  // Of the last look.
  protocol::ErrorCode error = protocol::ErrorCode::none;
  Offset high_watermark{-1};
  Offset log_start{-1};
  std::optional<storage::Log::EpochEnd> diverging;
  storage::FileSlice slice;

  bool has_unknown_id() const { return missing == protocol::ErrorCode::unknown_topic_id; }
  // There is no such partition here, which is no reason to answer before the others have something.
  bool is_unknown() const {
    return has_unknown_id() || missing == protocol::ErrorCode::unknown_topic_or_partition;
  }

  // Reads up to `limit` bytes below the high watermark. Errc::would_block where the disk would have to be
  // waited for; every other outcome is in the fields above.
  Result<void> look(ByteCount limit, storage::Log::FirstBatch first_batch, storage::IoMode mode);

 private:
  Result<void> read(ByteCount limit, storage::Log::FirstBatch first_batch, storage::IoMode mode);
};

// Error code of a lookup that found no partition.
protocol::ErrorCode missing_error(Partitions::Lookup::State state, TopicNaming naming);

// All of one request. In memory that comes with it: the first topic and some partitions need no allocation.
struct FetchParts {
  struct Topic {
    std::string_view name;
    TopicId id;
    std::shared_ptr<const std::string> keeps_name;  // null: the name is in `memory`
  };
  static constexpr std::size_t kInlineBytes = 768;

  RequestMemory<kInlineBytes> memory;
  std::pmr::vector<Topic> topics{memory.resource()};
  std::pmr::vector<FetchPart> parts{memory.resource()};

  // Whether the client wants to hear of aborted transactions.
  protocol::IsolationLevel isolation = protocol::IsolationLevel::read_uncommitted;

  // The partitions of a request without a session, to be looked up. As in Kafka, one that is named more than
  // once has its first place and its last target.
  void take_in(const protocol::FetchRequest& request);

  void clear() {
    topics.clear();
    parts.clear();
  }

 private:
  void merge_repeated();
};

std::size_t count_partitions(const protocol::FetchRequest& request);

}  // namespace sillok::broker
