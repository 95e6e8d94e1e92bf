// The one place where our errors become Kafka's.
#pragma once

#include "protocol/base/result.h"
#include "protocol/error_code.h"

namespace sillok::broker {

// Of a record batch that was refused, or an append that failed.
protocol::ErrorCode produce_error(const Error& error);
// Of a read.
protocol::ErrorCode fetch_error(const Error& error);

}  // namespace sillok::broker
