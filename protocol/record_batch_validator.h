// Judges a batch that a producer sent, before it is stored. The codes are Apache Kafka's (LogValidator).
#pragma once

#include <string>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/record_batch_view.h"

namespace sillok::protocol {

struct BatchRules {
  std::size_t size_max = 1048588;  // max.message.bytes
  TimestampType timestamp_type = TimestampType::create_time;
  TimestampMs timestamp_before_max_ms = 0x7fffffffffffffff;  // message.timestamp.before.max.ms
  TimestampMs timestamp_after_max_ms = 3600000;              // message.timestamp.after.max.ms
};

// A record that is wrong by itself, in a batch that is refused for it.
struct RecordFault {
  std::int32_t index = 0;
  std::string reason;
};

// Of one batch; more are not told.
inline constexpr std::size_t kRecordFaultsMax = 1000;

// The whole of a produce request's records for one partition: exactly one batch of format 2 that fills
// `records`. Checks header, sizes, counts, CRC, codec number, sequence fields; the timestamps as far as the
// header tells them; not the records inside, which check_records() reads. Errors: corrupt (CRC, lengths,
// unknown magic), unsupported_version (magic 0 and 1), invalid_record (none or several batches, a base offset
// other than 0, a control batch, counts, codec, negative sequence), too_large, invalid_timestamp (also for
// log append time, which only the broker sets). Stricter than Kafka, by intent: bytes after the batch, log
// append time with a timely maximum (Kafka takes both), and an unknown codec (Kafka: UNKNOWN_SERVER_ERROR).
Result<RecordBatchHeader> check_batch(ByteView records, const BatchRules& rules, TimestampMs now);

// Whether `records` is as far as its frame goes what check_batch() demands: where not, Kafka refuses it
// before its log has seen it.
bool is_one_batch(ByteView records);

enum class KeyRule { optional, required };  // required: topics that are compacted

// Reads every record of what plain_records() gave: keys as `keys` says, offsets without gaps, timestamps by
// `rules`. Returns the true maximum timestamp, which may differ from the header's. May take long: not for a
// reactor, unless the batch is small.
Result<TimestampMs> check_records(const RecordBatchHeader& header, ByteView records, const BatchRules& rules,
                                  KeyRule keys, TimestampMs now);

// What the two above found wrong in single records, for the answer to who sent them: timestamps, and keys
// that are missing. Empty where the fault is the batch's, or the records cannot be read. May take as long as
// check_records().
std::vector<RecordFault> faults_of_records(const RecordBatchHeader& header, ByteView batch,
                                           const BatchRules& rules, KeyRule keys, TimestampMs now);

}  // namespace sillok::protocol
