#include "broker/batch_preparation.h"

#include <string>
#include <utility>

#include "protocol/recompress.h"

namespace sillok::broker {
namespace {

using protocol::Codec;
using protocol::RecordBatchHeader;
using storage::LogConfig;

constexpr std::size_t kQuickBytes = 16 << 10;

bool has_other_codec(const LogConfig& config, const RecordBatchHeader& header) {
  return config.codec && *config.codec != header.codec();
}

std::optional<int> level_of(const LogConfig& config) {
  switch (*config.codec) {
    case Codec::gzip:
      return config.gzip_level == -1 ? std::nullopt : std::optional<int>(config.gzip_level);
    case Codec::lz4:
      return config.lz4_level;
    case Codec::zstd:
      return config.zstd_level;
    case Codec::none:
    case Codec::snappy:
      break;
  }
  return std::nullopt;
}

}  // namespace

protocol::BatchRules rules_of(const LogConfig& config) {
  protocol::BatchRules rules;
  rules.size_max = static_cast<std::size_t>(config.max_message_bytes);
  rules.timestamp_type = config.timestamp_type;
  rules.timestamp_before_max_ms = config.timestamp_before_max_ms;
  rules.timestamp_after_max_ms = config.timestamp_after_max_ms;
  return rules;
}

protocol::KeyRule key_rule(const LogConfig& config) {
  return config.cleanup_compact ? protocol::KeyRule::required : protocol::KeyRule::optional;
}

bool needs_preparation(const LogConfig& config, const RecordBatchHeader& header) {
  // The header tells the first and the latest time of its records, not the earliest.
  const bool bounds_age = config.timestamp_type == protocol::TimestampType::create_time &&
                          config.timestamp_before_max_ms != storage::kForever;
  return config.cleanup_compact || bounds_age || has_other_codec(config, header);
}

bool is_quick_to_prepare(const LogConfig& config, const RecordBatchHeader& header) {
  return !has_other_codec(config, header) && header.codec() == Codec::none && header.size() <= kQuickBytes;
}

Result<PreparedBatch> prepare_batch(const LogConfig& config, const RecordBatchHeader& header,
                                    MutableByteView batch, TimestampMs now) {
  const protocol::BatchRules rules = rules_of(config);
  const protocol::PlainRecords records = TRY(protocol::plain_records(header, batch));
  PreparedBatch prepared{{}, header};
  prepared.header.max_timestamp =
      TRY(protocol::check_records(header, records.view, rules, key_rule(config), now));
  if (!has_other_codec(config, header)) {
    if (prepared.header.max_timestamp == header.max_timestamp) return prepared;
    protocol::set_max_timestamp(batch, prepared.header.max_timestamp);
    prepared.header = TRY(protocol::parse_record_batch_header(batch));  // the CRC, too
    return prepared;
  }
  prepared.bytes = TRY(protocol::recompress(prepared.header, batch.first(protocol::kRecordBatchHeaderSize),
                                            records.view, *config.codec, level_of(config)));
  if (prepared.bytes.size() > rules.size_max) {
    return Error{Errc::too_large, std::to_string(prepared.bytes.size()) +
                                      " bytes as compressed here, the limit is " +
                                      std::to_string(rules.size_max)};
  }
  prepared.header = TRY(protocol::parse_record_batch_header(prepared.bytes));
  return prepared;
}

}  // namespace sillok::broker
