#include "protocol/base/result.h"

namespace sillok {

const char* to_string(Errc code) {
  switch (code) {
    case Errc::truncated:
      return "truncated";
    case Errc::malformed:
      return "malformed";
    case Errc::corrupt:
      return "corrupt";
    case Errc::budget_exceeded:
      return "budget_exceeded";
    case Errc::unsupported_version:
      return "unsupported_version";
    case Errc::unsupported_codec:
      return "unsupported_codec";
    case Errc::too_large:
      return "too_large";
    case Errc::invalid_record:
      return "invalid_record";
    case Errc::invalid_timestamp:
      return "invalid_timestamp";
    case Errc::out_of_order_sequence:
      return "out_of_order_sequence";
    case Errc::producer_fenced:
      return "producer_fenced";
    case Errc::offset_out_of_range:
      return "offset_out_of_range";
    case Errc::would_block:
      return "would_block";
    case Errc::segment_failed:
      return "segment_failed";
    case Errc::offline:
      return "offline";
    case Errc::closed:
      return "closed";
    case Errc::io_error:
      return "io_error";
    case Errc::no_space:
      return "no_space";
    case Errc::too_many_files:
      return "too_many_files";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::lock_held:
      return "lock_held";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::invalid_config:
      return "invalid_config";
    case Errc::timed_out:
      return "timed_out";
    case Errc::connection_lost:
      return "connection_lost";
    case Errc::broker_error:
      return "broker_error";
  }
  return "unknown";
}

std::string Error::describe() const {
  return detail.empty() ? to_string(code) : std::string(to_string(code)) + ": " + detail;
}

}  // namespace sillok
