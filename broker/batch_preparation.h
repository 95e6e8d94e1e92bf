// What becomes of a producer's batch before it is appended, where its records must be read or compressed
// anew.
#pragma once

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "protocol/record_batch_validator.h"
#include "protocol/record_batch_view.h"
#include "storage/log_config.h"

namespace sillok::broker {

protocol::BatchRules rules_of(const storage::LogConfig& config);
protocol::KeyRule key_rule(const storage::LogConfig& config);

// Whether prepare_batch() has anything to do.
bool needs_preparation(const storage::LogConfig& config, const protocol::RecordBatchHeader& header);
// Whether that is so little that a reactor may do it.
bool is_quick_to_prepare(const storage::LogConfig& config, const protocol::RecordBatchHeader& header);

struct PreparedBatch {
  Bytes bytes;  // empty: the batch as it was
  protocol::RecordBatchHeader header;
};

// Reads the records of a batch that check_batch() accepted, gives it the true maximum of their timestamps,
// and compresses them in the topic's codec where the batch has another. Errors as check_records() and
// recompress() have them, and those of decompression; Errc::too_large where the batch has outgrown
// max.message.bytes. May take long.
Result<PreparedBatch> prepare_batch(const storage::LogConfig& config,
                                    const protocol::RecordBatchHeader& header, MutableByteView batch,
                                    TimestampMs now);

}  // namespace sillok::broker
