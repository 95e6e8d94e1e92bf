#include "broker/error_mapping.h"

namespace sillok::broker {

using protocol::ErrorCode;

protocol::ErrorCode produce_error(const Error& error) {
  switch (error.code) {
    case Errc::corrupt:
    case Errc::truncated:
    case Errc::malformed:
      return ErrorCode::corrupt_message;
    case Errc::invalid_record:
    case Errc::budget_exceeded:
    case Errc::unsupported_version:  // of the batch: its magic
      return ErrorCode::invalid_record;
    case Errc::unsupported_codec:
      return ErrorCode::unsupported_compression_type;
    case Errc::too_large:
      return ErrorCode::message_too_large;
    case Errc::invalid_timestamp:
      return ErrorCode::invalid_timestamp;
    case Errc::out_of_order_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case Errc::producer_fenced:
      return ErrorCode::invalid_producer_epoch;
    case Errc::io_error:
    case Errc::no_space:
    case Errc::too_many_files:
    case Errc::segment_failed:
    case Errc::offline:
      return ErrorCode::kafka_storage_error;
    case Errc::closed:
    case Errc::not_found:
      return ErrorCode::unknown_topic_or_partition;
    default:
      return ErrorCode::unknown_server_error;
  }
}

protocol::ErrorCode fetch_error(const Error& error) {
  switch (error.code) {
    case Errc::offset_out_of_range:
      return ErrorCode::offset_out_of_range;
    case Errc::corrupt:
    case Errc::malformed:
    case Errc::truncated:
      return ErrorCode::corrupt_message;
    case Errc::closed:
    case Errc::not_found:
      return ErrorCode::unknown_topic_or_partition;
    default:
      return ErrorCode::kafka_storage_error;
  }
}

}  // namespace sillok::broker
